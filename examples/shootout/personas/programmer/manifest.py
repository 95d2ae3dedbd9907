"""burrow/manifest.py: the list of what was in a backup.

plain text on purpose. the day this whole thing breaks i want to be able to fix it with grep, on a borrowed laptop, in
a kitchen, with somebody crying. (this has been tested. not the crying part. ok, a bit the crying part.)

    burrow 2
    <digest> <size> <path, percent-escaped>
    ...
    end
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

HEADER = "burrow 2"
FOOTER = "end"


class ManifestError(Exception):
    """raised with a line number, always. an error without a line number is just gossip."""


@dataclass(frozen=True)
class Entry:
    digest: str
    size: int
    path: bytes  # bytes! not str! file names on linux are bytes that happen to look like text, until the one that doesn't


def dump(entries: list[Entry], target: Path) -> None:
    """write to a neighbour file and rename over. same dance as in store.cpp, same reason, same aquarium."""
    scratch = target.with_suffix(".part")
    with scratch.open("w", encoding="ascii", newline="\n") as out:
        out.write(HEADER + "\n")
        # sorted, so that two backups of the same tree give the same file and `diff` becomes a feature i didn't
        # have to write. best kind.
        for e in sorted(entries, key=lambda e: e.path):
            out.write(f"{e.digest} {e.size} {quote(e.path, safe='/')}\n")
        out.write(FOOTER + "\n")
        out.flush()
        os.fsync(out.fileno())  # rename without fsync = atomically installing an empty file. ext4 taught me that one
    scratch.replace(target)


def load(source: Path) -> list[Entry]:
    lines = source.read_text(encoding="ascii").split("\n")
    if lines[0] != HEADER:
        raise ManifestError(f"{source}:1: expected '{HEADER}', got {lines[0]!r}")
    # split leaves one empty string after the last newline. i've written `[:-1]` here and in six other programs and
    # felt slightly dirty in all seven.
    if lines[-2:] != [FOOTER, ""]:
        raise ManifestError(f"{source}:{len(lines)}: no '{FOOTER}', so this one was cut short")

    entries = []
    for number, line in enumerate(lines[1:-2], start=2):
        try:
            digest, size, path = line.split(" ", 2)
            entries.append(Entry(digest, int(size), unquote_to_bytes(path)))
        except ValueError as why:
            raise ManifestError(f"{source}:{number}: {why}") from why
        # paranoia corner: a manifest from a broken (or mean) machine must not write outside the restore folder.
        # ".." as a *component*; a file called "wait..what" is weird but innocent, and i own one.
        if b".." in entries[-1].path.split(b"/") or entries[-1].path.startswith(b"/"):
            raise ManifestError(f"{source}:{number}: path escapes the folder")
    return entries
