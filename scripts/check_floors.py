#!/usr/bin/env python3
"""Guards the floors of include/tern: each may include only what its arrows reach.

Also: tern's own headers are included as "tern/floor/header.hpp" and exist, each floor sees only its third-party
libraries, every header starts with #pragma once, only two headers define macros, none prints, aborts or reads the
environment, and tern.hpp reaches every header that needs no more than Eigen and xsimd.

    check_floors.py [TREE]         checks TREE/include/tern; default: the tree this script belongs to
    check_floors.py --self-test    plants one violation of each kind and sees it reported
"""
import re
import sys
import tempfile
from pathlib import Path

# Floor -> the floors it may include. Arrows carry on: layers reach weights, hence core and kernels.
ARROWS = {
    "core": [],
    "kernels": [],
    "weights": ["core", "kernels"],
    "layers": ["weights"],
    "adapters": ["weights"],
    "models": ["layers"],
    "train": ["core", "kernels"],
    "eval": ["core", "kernels"],
    "statistics": ["core"],
    "io": ["models", "adapters"],
    "text": ["core"],
    "experiment": ["models", "adapters", "train", "eval", "statistics", "io", "text"],
    "store": ["io"],
}
UMBRELLA_FLOORS = ["core", "kernels", "weights", "layers", "adapters", "models", "train", "eval", "statistics"]

# Library -> (what its includes look like, the floors that may see it). The standard library is everyone's.
INTRINSICS = r"(immintrin|x86intrin|arm_neon|cpuid|asm/hwcap|sys/auxv)\.h"
POSIX = r"(arpa/inet|unistd|fcntl|dirent|poll|signal|sys/(stat|types|file|time|wait|resource|ioctl|statvfs))\.h"
STANDARD = r"[a-z_]+|(std(int|def|lib|io)|string|math|float|errno|limits|time)\.h"
LIBRARIES = {
    "the standard library": (STANDARD, set(ARROWS)),
    "intrinsics": (INTRINSICS, {"kernels"}),
    "xsimd": (r"xsimd/.*", {"kernels"}),
    "Eigen": (r"Eigen/.*", set(ARROWS) - {"kernels"}),
    "POSIX": (POSIX, {"train", "io", "text", "experiment", "store"}),
    "pages of memory": (r"sys/mman\.h", {"weights", "io"}),
    "nlohmann-json": (r"nlohmann/.*", {"io", "text", "experiment"}),
    "PCRE2": (r"pcre2\.h", {"text"}),
    "ICU": (r"unicode/.*", {"text"}),
    "GMime": (r"gmime/.*|glib\.h", {"text"}),
    "Gumbo": (r"gumbo\.h", {"text"}),
    "CLD2": (r"cld2/public/.*", {"text"}),
    "LMDB": (r"lmdb\.h", {"store"}),
}
MAY_DEFINE_MACROS = {"kernels/target.hpp", "core/error.hpp"}
ASKED_FOR_BY_LIBRARIES = {"PCRE2_CODE_UNIT_WIDTH"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)")
FORBIDDEN = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(f?printf|f?puts|perror|abort|terminate|exit|getenv)\s*\(")


def reach(floor):
    """The floors that `floor` may include, itself among them."""
    floors = {floor}
    for next_floor in ARROWS[floor]:
        floors |= reach(next_floor)
    return floors


def check_include(root, floor, bracket, path):
    """What is wrong with one include of a header of `floor`, or None."""
    if path.startswith("tern/"):
        if bracket == "<":
            return f'expected "{path}" in quotes'
        if not (root / path).is_file():
            return f"'{path}' does not exist"
        parts = path.split("/")
        if floor is None or (len(parts) == 2 and path == "tern/version.hpp"):
            return None
        if len(parts) == 2 or parts[1] not in reach(floor):
            return f"floor {floor} may not include '{path}'; it reaches {', '.join(sorted(reach(floor)))}"
        return None
    if bracket == '"':
        return f'\'{path}\': tern\'s own headers are "tern/...", others in brackets'
    for name, (pattern, floors) in LIBRARIES.items():
        if re.fullmatch(pattern, path):
            return None if floor is None or floor in floors else f"floor {floor} may not see {name} (<{path}>)"
    return f"<{path}> belongs to no library that tern uses"


def check(tree):
    """Every violation below tree/include/tern, as 'file:line: what'."""
    root = Path(tree) / "include"
    found = []
    includes = {}
    for header in sorted((root / "tern").rglob("*")):
        if header.is_dir():
            continue
        name = header.relative_to(root).as_posix()
        inner = name.removeprefix("tern/")
        floor = inner.split("/")[0] if "/" in inner else None
        if header.suffix not in (".hpp", ".inc"):
            found.append(f"{name}:1: expected only headers (.hpp) and pieces of them (.inc) here")
            continue
        if floor is not None and floor not in ARROWS:
            found.append(f"{name}:1: '{floor}' is no floor; expected one of {', '.join(ARROWS)}")
            continue
        lines = header.read_text(encoding="utf-8").splitlines()
        if header.suffix == ".hpp" and lines[:1] != ["#pragma once"]:
            found.append(f"{name}:1: expected #pragma once on the first line")
        includes[name] = set()
        for number, line in enumerate(lines, start=1):
            if match := INCLUDE.match(line):
                includes[name].add(match[2])
                if wrong := check_include(root, floor, *match.groups()):
                    found.append(f"{name}:{number}: {wrong}")
            elif (match := DEFINE.match(line)) and not (
                inner in MAY_DEFINE_MACROS or match[1] in ASKED_FOR_BY_LIBRARIES
            ):
                found.append(f"{name}:{number}: defines {match[1]}; only {' and '.join(sorted(MAY_DEFINE_MACROS))} may")
            if match := FORBIDDEN.search(line.split("//")[0]):
                found.append(f"{name}:{number}: the library never prints, aborts or reads the environment: {match[0]}")

    reached, to_visit = set(), ["tern/tern.hpp"]
    while to_visit:
        name = to_visit.pop()
        if name in includes and name not in reached:
            reached.add(name)
            to_visit.extend(includes[name])
    for name in sorted(includes):
        if name.split("/")[1] in UMBRELLA_FLOORS and name not in reached:
            found.append(f"tern/tern.hpp:1: does not reach '{name}'")
    return found


def self_test():
    """Plants each kind of violation in a small sound tree; True if every one is reported and the sound tree is not."""
    sound = {
        "tern.hpp": '#pragma once\n#include "tern/core/a.hpp"\n#include "tern/kernels/b.hpp"\n',
        "version.hpp": "#pragma once\n#include <string_view>\n",
        "core/a.hpp": "#pragma once\n#include <Eigen/Core>\n#include <vector>\n",
        "kernels/b.hpp": "#pragma once\n#include <xsimd/xsimd.hpp>\n",
        "text/c.hpp": '#pragma once\n#define PCRE2_CODE_UNIT_WIDTH 8\n#include <pcre2.h>\n\n#include "tern/core/a.hpp"\n',
    }
    planted = {
        "an arrow upwards": ("core/a.hpp", '#pragma once\n#include "tern/text/c.hpp"\n'),
        "Eigen in a kernel": ("kernels/b.hpp", "#pragma once\n#include <Eigen/Core>\n"),
        "PCRE2 outside text": ("core/a.hpp", "#pragma once\n#include <pcre2.h>\n"),
        "an unknown library": ("core/a.hpp", "#pragma once\n#include <boost/any.hpp>\n"),
        "own header in brackets": ("text/c.hpp", "#pragma once\n#include <tern/core/a.hpp>\n"),
        "a relative include": ("text/c.hpp", '#pragma once\n#include "../core/a.hpp"\n'),
        "a missing header": ("text/c.hpp", '#pragma once\n#include "tern/core/z.hpp"\n'),
        "the umbrella below": ("text/c.hpp", '#pragma once\n#include "tern/tern.hpp"\n'),
        "no pragma once": ("core/a.hpp", "#include <vector>\n"),
        "a macro": ("core/a.hpp", "#pragma once\n#define TERN_A 1\n"),
        "a message to the terminal": ("core/a.hpp", "#pragma once\ninline void a() { std::cerr << 1; }\n"),
        "a look at the environment": ("core/a.hpp", '#pragma once\ninline auto a() { return std::getenv("A"); }\n'),
        "an unknown floor": ("cellar/d.hpp", "#pragma once\n"),
        "a header off the umbrella": ("core/d.hpp", "#pragma once\n"),
        "a file that is no header": ("core/notes.txt", "text\n"),
    }

    def violations(files):
        with tempfile.TemporaryDirectory() as tree:
            for name, text in files.items():
                path = Path(tree, "include", "tern", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check(tree)

    failures = [f"sound tree: {line}" for line in violations(sound)]
    for kind, (name, text) in planted.items():
        reports = violations({**sound, name: text})
        print(f"{kind}: {reports[0] if reports else 'not reported'}")
        if len(reports) != 1:
            failures.append(f"{kind}: expected one report, got {reports}")
    print("\n".join(failures) or "every planted violation was reported")
    return not failures


def main(arguments):
    if arguments == ["--self-test"]:
        return 0 if self_test() else 1
    found = check(arguments[0] if arguments else Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "every header keeps to its floor")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
