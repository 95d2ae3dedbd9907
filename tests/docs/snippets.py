#!/usr/bin/env python3
"""The documents are tested: their C++ is compiled and run, their links lead somewhere, their commands exist.

    snippets.py extract TREE FOLDER   writes <name>.cpp and, where output is given, <name>.txt; prints name, component, kind
    snippets.py check TREE            reports every untested C++ block, dead link and missing script
    snippets.py self-test             plants one mistake of each kind and sees it reported

The line before a block of C++ says what it is:

    <!-- run: name -->               compiled and run; blocks of one name are one program, in their order
    <!-- run: name experiment -->    the same, with a component other than tern::tern
    <!-- compile: name io -->        only compiled: it needs a file, or never ends
    <!-- prints: name -->            before a text block: what that program prints, to the letter

Blocks without main() become one: their #includes go to the top, the rest into main().
"""
import os
import re
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"(?:^<!-- *(\w+): *([a-z0-9_]+)(?: +(\w+))? *-->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)
COMMAND = re.compile(r"^(?:\$ )?(\./\S+)", re.M)


def documents(tree):
    return [path for path in [tree / "README.md", *sorted(tree.glob("docs/**/*.md"))] if path.is_file()]


def programs(tree):
    """name -> {kind, component, code, prints}, from every marked block."""
    found = {}
    for path in documents(tree):
        for kind, name, component, language, body in BLOCK.findall(path.read_text(encoding="utf-8")):
            if not name:
                continue
            program = found.setdefault(name, {"kind": "run", "component": "tern", "code": "", "prints": None})
            if kind == "prints":
                program["prints"] = body
            else:
                program["kind"] = kind
                program["component"] = component or program["component"]
                program["code"] += body + "\n"
    return found


def whole_program(code):
    if re.search(r"\bint main\(", code):
        return code
    lines = code.splitlines()
    includes = [line for line in lines if line.startswith("#include")]
    rest = [line for line in lines if not line.startswith("#include")]
    return "\n".join([*includes, "", "int main() {", *rest, "}", ""])


def extract(tree, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in programs(tree).items():
        if not program["code"]:
            continue
        files = {folder / f"{name}.cpp": whole_program(program["code"])}
        if program["prints"] is not None:
            files[folder / f"{name}.txt"] = program["prints"]
        for path, text in files.items():
            if not path.is_file() or path.read_text(encoding="utf-8") != text:  # unchanged files are not built again
                path.write_text(text, encoding="utf-8")
        kind = "prints" if program["prints"] is not None else program["kind"]
        print(name, program["component"], kind)


def check(tree):
    """Every mistake, as 'file:line: what'."""
    mistakes = []
    for path in documents(tree):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(tree)

        def report(position, what):
            mistakes.append(f"{where}:{text.count(chr(10), 0, position) + 1}: {what}")

        for match in BLOCK.finditer(text):
            kind, name, _, language, body = match.groups()
            if language in ("cpp", "c++") and kind not in ("run", "compile"):
                report(match.start(), "expected <!-- run: name --> or <!-- compile: name --> before C++")
            if kind == "prints" and not programs(tree)[name]["code"]:
                report(match.start(), f"output of '{name}', a program that no document has")
            if language == "sh":
                for command in COMMAND.findall(body):
                    if not os.access(tree / command, os.X_OK):
                        report(match.start(), f"'{command}' is no executable file")
        prose = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
        for match in LINK.finditer(prose):
            if not (path.parent / match[1]).exists():
                report(match.start(), f"the link leads nowhere: {match[1]}")
    return mistakes


def self_test():
    mistakes = {
        "expected <!-- run": "```cpp\nint x;\n```\n",
        "no document has": "<!-- prints: nobody -->\n```text\n1\n```\n",
        "no executable file": "```sh\n./scripts/none.sh --quick\n```\n",
        "leads nowhere": "![picture](docs/none.svg)\n",
    }
    sound = "[itself](README.md) [web](https://x.y)\n<!-- run: a -->\n```cpp\n#include <cstdio>\nputs(\"1\");\n```\n`[](int)`\n"
    sound += "<!-- prints: a -->\n```text\n1\n```\n"
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for expected, text in [(None, sound), *mistakes.items()]:
            (tree / "README.md").write_text(sound + text if expected else text, encoding="utf-8")
            got = check(tree)
            if (expected is None and got) or (expected and not (len(got) == 1 and expected in got[0])):
                failures.append(f"expected {expected}, got {got}")
        (tree / "README.md").write_text(sound, encoding="utf-8")
        program = programs(tree)["a"]
        if whole_program(program["code"]) != '#include <cstdio>\n\nint main() {\nputs("1");\n\n}\n' or program["prints"] != "1\n":
            failures.append(f"extracted {program}")
    return failures


def main(arguments):
    if arguments == ["self-test"]:
        failures = self_test()
    elif len(arguments) == 2 and arguments[0] == "check":
        failures = check(Path(arguments[1]))
    elif len(arguments) == 3 and arguments[0] == "extract":
        extract(Path(arguments[1]), Path(arguments[2]))
        return 0
    else:
        failures = [__doc__]
    print("\n".join(failures) or "nothing to report")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
