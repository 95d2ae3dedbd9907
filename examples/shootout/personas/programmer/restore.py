#!/usr/bin/env python3
"""burrow/restore.py: the only part anyone actually wants.

nobody ever wanted a backup. what they want is this. so it gets the nicest error messages and it never, ever asks you to
install something first: stock python, no packages, one file plus manifest.py. copy both onto the stick with the keys.

if you're reading this because something awful happened: breathe. nothing in here writes to the backup. you can run it as
often as you like and the worst outcome is a full disk. if it won't start, call me, (555) 010-4477, any hour, i mean it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import manifest


class Trouble:
    """collects what went wrong instead of stopping at the first thing. a restore that dies at file 3 of 9000 over a
    missing thumbnail isn't strict, it's cruel."""

    def __init__(self) -> None:
        self.missing: list[bytes] = []
        self.short: list[bytes] = []

    def report(self) -> str:
        lines = [f"not in the store: {p!r}" for p in self.missing]
        lines += [f"wrong size, kept anyway as .damaged: {p!r}" for p in self.short]
        return "\n".join(lines)


def restore(root: Path, source: Path, target: Path) -> Trouble:
    trouble = Trouble()
    by_path: dict[bytes, list[manifest.Entry]] = {}
    for entry in manifest.load(source):
        # several entries with one path = the chunks of that file, in order. dict keeps insertion order, and the
        # format keeps chunk order because sorted() is stable. two guarantees i lean on without a seatbelt, hence
        # this comment being the seatbelt.
        by_path.setdefault(entry.path, []).append(entry)

    for path, entries in by_path.items():
        out = Path(target, *[part.decode("utf-8", "surrogateescape") for part in path.split(b"/")])
        out.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        with out.open("wb") as sink:
            for entry in entries:
                blob = root / "objects" / entry.digest[:2] / entry.digest[2:]
                if not blob.exists():
                    trouble.missing.append(path)
                    # leave a hole of the right length, so that everything after it sits where it should. half a jpeg
                    # with a grey stripe beats half a jpeg.
                    sink.write(b"\0" * entry.size)
                else:
                    sink.write(blob.read_bytes())
                written += entry.size
        if out.stat().st_size != written:
            trouble.short.append(path)
            out.rename(out.with_name(out.name + ".damaged"))
    return trouble


def main() -> int:
    if len(sys.argv) != 4:
        print("usage: restore.py <backup root> <manifest> <empty folder>", file=sys.stderr)
        return 2
    root, source, target = map(Path, sys.argv[1:])
    # empty folder, not "some folder". restoring over live files at 2 am is how one bad day becomes two.
    if target.exists() and any(target.iterdir()):
        print(f"{target} isn't empty. i'd rather not. give me a fresh one.", file=sys.stderr)
        return 1
    trouble = restore(root, source, target)
    text = trouble.report()
    print(text if text else "everything's back. go hug something.")
    return 1 if text else 0


if __name__ == "__main__":
    sys.exit(main())
