#!/usr/bin/env python3
"""Compares two builds of tern-benchmark-kernels, which take turns in short rounds.

    bench_compare.py BEFORE AFTER FILTER [ROUNDS]   exit 1 if a row became slower
    bench_compare.py --self-test

A row's ratio is its time after by its time before, both of one round; which build begins changes from round to round.
A row is SLOWER where the ratio is above 1 in every round but one at most, and above 1.02 in the median: of 11 rounds of
the same program that happens to one row in 170 by chance, and to fewer for the 2 %. Faster is the mirror of it.
"""
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

NEGLIGIBLE = 1.02


def verdict(ratios):
    above, below = sum(r > 1 for r in ratios), sum(r < 1 for r in ratios)
    if above >= len(ratios) - 1 and statistics.median(ratios) > NEGLIGIBLE:
        return "SLOWER"
    if below >= len(ratios) - 1 and statistics.median(ratios) < 1 / NEGLIGIBLE:
        return "faster"
    return ""


def times(program, filter_):
    """Row -> microseconds, of one run; limits, which no change of tern moves, are left out."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        subprocess.run(
            [program, f"--benchmark_filter={filter_}", "--benchmark_min_time=0.01", f"--benchmark_out={out}"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        rows = json.loads(out.read_text() or '{"benchmarks": []}')["benchmarks"]
    names = {row["name"].removesuffix("/real_time"): row["real_time"] for row in rows}
    return {name: time for name, time in names.items() if not re.search("^limit/|/move$", name)}


def compare(before, after, filter_, rounds):
    measured = {}  # row -> (times before, times after)
    for i in range(rounds):
        first = [(0, before), (1, after)]
        found = dict((side, times(program, filter_)) for side, program in (first if i % 2 == 0 else first[::-1]))
        for row in found[0].keys() & found[1].keys():
            for side in (0, 1):
                measured.setdefault(row, ([], []))[side].append(found[side][row])
        print(f"round {i + 1} of {rounds}", file=sys.stderr)
    if not measured:
        sys.exit(f"bench.sh compare: no row of both commits matches '{filter_}'")
    slower = []
    print(f"{'row':56} {'before us':>11} {'after us':>11}  ratio")
    for row, (old, new) in sorted(measured.items()):
        ratios = [b / a for a, b in zip(old, new)]
        mark = verdict(ratios)
        print(f"{row:56} {statistics.median(old):11.1f} {statistics.median(new):11.1f}  {statistics.median(ratios):5.3f}  {mark}".rstrip())
        if mark == "SLOWER":
            slower.append(row)
    print(f"\n{len(measured)} rows, {len(slower)} slower" + "".join(f"\n  {row}" for row in slower))
    return 1 if slower else 0


def self_test():
    cases = [
        ("SLOWER", [1.05] * 10 + [0.9]),
        ("SLOWER", [1.03] * 11),
        ("", [1.05] * 9 + [0.9] * 2),  # twice not slower: noise
        ("", [1.01] * 11),  # too little to matter
        ("faster", [0.9] * 10 + [1.1]),
        ("", [1.0] * 11),
    ]
    wrong = [f"{ratios}: expected '{expected}', got '{verdict(ratios)}'" for expected, ratios in cases if verdict(ratios) != expected]
    print("\n".join(wrong) or "nothing to report")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    sys.exit(compare(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) > 4 else 11))
