#!/usr/bin/env python3
"""How often guess_language() is right, on texts in many languages from Debian's packages.

    measure_languages.py [--seed N]

Needs Debian, g++ and what tern's text component needs. The packages are downloaded and unpacked in a temporary folder
and not installed. Three sources: the installation manual (whole translated sentences; in some translations a part is
still English and counts as an error), fortunes (jokes, sayings, verse), GTK's messages (sentences of programs, one a
line). Their own language names are the truth; Bokmål and Nynorsk count as Norwegian.
"""
import argparse
import collections
import gzip
import html
import random
import re
import struct
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANUAL = "installation-guide-amd64"
MESSAGES = "libgtk-3-common"
FORTUNES = {"bg": "bg", "br": "pt", "cs": "cs", "de": "de", "es": "es", "it": "it", "pl": "pl", "ru": "ru", "zh": "zh"}
FORTUNE_FILES = {"pt": ["brasil"], "zh": ["chinese"], "it": ["formiche", "italia", "leggi", "luttazzi", "definizioni"]}
# Spoken by many, and told apart by whatever is taken for a guess.
LANGUAGES = set(
    "am ar bg bn ca cs da de el en es fa fi fr gu he hi hu hy id it ja ka kn ko ml mr nl no pa pl pt ro ru si sr sv ta te"
    " th tr uk ur vi zh".split()
)
PROGRAM = """
#include <iostream>
#include <string>
#include "tern/text/language.hpp"
int main() {
  for (std::size_t size; std::cin >> size;) {
    std::string text(size, 0);
    std::cin.get();
    std::cin.read(text.data(), static_cast<std::streamsize>(size));
    std::cout << tern::guess_language(text) << '\\n';
  }
}
"""


def plain(language):
    language = language.split("_")[0]
    return "no" if language in ("nb", "nn") else language


def read_manual(tree):
    for folder in sorted((tree / "usr/share/doc" / MANUAL).iterdir()):
        if not folder.is_dir():
            continue
        for page in sorted(folder.glob("*.html*"))[:60]:
            text = (gzip.open(page).read() if page.suffix == ".gz" else page.read_bytes()).decode("utf8", "replace")
            text = re.sub(r"(?s)<(pre|code|tt|kbd)\b.*?</\1>|<head>.*?</head>", "", text)
            for paragraph in re.findall(r"(?s)<p>(.*?)</p>", text):
                words = " ".join(html.unescape(re.sub(r"(?s)<[^>]+>", "", paragraph)).split())
                if len(words) > 80:
                    yield plain(folder.name), words


def read_fortunes(tree):
    folder = tree / "usr/share/games/fortunes"
    for language in FORTUNES.values():
        for name in FORTUNE_FILES.get(language, [language]):
            path = folder / name
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                if file.is_dir() or file.suffix in (".dat", ".u8"):
                    continue
                try:
                    yield language, file.read_bytes().decode("utf8").replace("\n%\n", "\n")
                except UnicodeDecodeError:
                    pass  # an older charset


def read_messages(tree):
    for catalogue in sorted((tree / "usr/share/locale").glob("*/LC_MESSAGES/gtk30.mo")):
        language = catalogue.parent.parent.name
        if re.search("[_@]", language):
            continue
        data = catalogue.read_bytes()
        order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
        count, _, table = struct.unpack(order + "III", data[8:20])
        for i in range(1, count):
            size, at = struct.unpack(order + "II", data[table + 8 * i : table + 8 * i + 8])
            text = data[at : at + size].decode("utf8", "replace").split("\0")[0]
            if len(text) > 25:
                yield plain(language), re.sub(r"[_%]\w?", "", text)


def samples_of(texts, size, most=60):
    """Up to `most` pieces of `size` bytes of each language, cut at random and between characters."""
    for language, text in sorted(texts.items()):
        data = text.encode()
        starts = list(range(0, len(data) - size, size))
        random.shuffle(starts)
        for start in starts[:most]:
            yield language, data[start : start + size].decode("utf8", "ignore").encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    random.seed(parser.parse_args().seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        packages = [MANUAL, MESSAGES] + [f"fortunes-{name}" for name in FORTUNES]
        subprocess.run(["apt-get", "download", "-qq", *packages], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, folder / "tree"], check=True)
        (folder / "guess.cpp").write_text(PROGRAM)
        compiler = ["g++", "-std=c++20", "-O1", f"-I{ROOT}/include", "-I/usr/include/eigen3"]
        subprocess.run([*compiler, "guess.cpp", "-o", "guess", "-lcld2", "-licuuc"], cwd=folder, check=True)
        for source, read in {"manual": read_manual, "fortunes": read_fortunes, "messages": read_messages}.items():
            texts = collections.defaultdict(str)
            for language, text in read(folder / "tree"):
                if language in LANGUAGES:
                    texts[language] += text + "\n"
            for size in (200, 1000, 10_000):
                samples = list(samples_of(texts, size))
                given = b"".join(b"%d\n%s" % (len(text), text) for _, text in samples)
                guesses = subprocess.run([folder / "guess"], input=given, capture_output=True, check=True).stdout
                wrong = collections.Counter(
                    (truth, guess) for (truth, _), guess in zip(samples, guesses.decode().split()) if truth != guess
                )
                right = 100 * (1 - wrong.total() / len(samples))
                often = ", ".join(f"{a} as {b} {n}" for (a, b), n in wrong.most_common(5))
                languages = len({language for language, _ in samples})
                print(f"{source}, {size} bytes: {right:.1f}% of {len(samples)} in {languages} languages; {often}")


if __name__ == "__main__":
    main()
