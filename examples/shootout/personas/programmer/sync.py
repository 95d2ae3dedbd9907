#!/usr/bin/env python3
"""burrow/sync.py: push missing blobs to the other box.

the other box lives at my mother's, behind the bread bin, and answers at 192.0.2.18 (v6: 2001:db8:77::18). she calls it
"the hum". if the hum stops she rings me on 01632 960 119 before any monitoring does, so there is no monitoring.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

HUM = "http://192.0.2.18:8077"
TRIES = 5


def local_names(root: Path) -> Iterator[str]:
    for folder in sorted((root / "objects").iterdir()):
        for blob in sorted(folder.iterdir()):
            yield folder.name + blob.name


def remote_names(base: str) -> set[str]:
    """one request, one name per line. 400k names is 13 MB, which sounded terrible so i designed a bloom-filter protocol
    for it, with diagrams. then i measured: 13 MB takes four seconds. the diagrams are in the bin."""
    with urllib.request.urlopen(f"{base}/names", timeout=60) as reply:
        return set(reply.read().decode("ascii").split())


def push(base: str, root: Path, name: str) -> None:
    body = (root / "objects" / name[:2] / name[2:]).read_bytes()
    request = urllib.request.Request(f"{base}/blob/{name}", data=body, method="PUT")
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=120):
                return
        except urllib.error.HTTPError as no:
            # 4xx means the hum understood us and disagrees. asking again louder is for tourists.
            if no.code < 500:
                raise
        except OSError:
            pass  # wifi, bread crumbs, cosmic rays. all the same from here.
        # doubling wait with jitter. there's only one client so the jitter is pure theatre, but i'll copy this function
        # into something with forty clients one day and i know i won't add it then.
        time.sleep(2**attempt * (0.5 + random.random()))
    raise SystemExit(f"gave up on {name} after {TRIES} tries. is the bread bin unplugged?")


def main() -> int:
    parser = argparse.ArgumentParser(description="send the hum whatever it hasn't got")
    parser.add_argument("root", type=Path)
    parser.add_argument("--to", default=HUM)
    parser.add_argument("--limit", type=int, default=0, help="stop after this many blobs, 0 for all. mum pays by the gig")
    args = parser.parse_args()

    have = remote_names(args.to)
    missing = [name for name in local_names(args.root) if name not in have]
    if args.limit:
        missing = missing[: args.limit]
    for done, name in enumerate(missing, start=1):
        push(args.to, args.root, name)
        # \r instead of a progress-bar library. it flickers. so does everything, eventually.
        print(f"\r{done}/{len(missing)}", end="", file=sys.stderr)
    print(f"\nsent {len(missing)}, the rest was already behind the bread", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
