#!/usr/bin/env python3
"""Compares the kernels' medians in a Google Benchmark JSON file with the machine's limits in the same file.

    bench_report.py FILE.json

Prints the limits, every product's share of its limit, and a line for each target: row, measured, must, aim, ok or short.
A row's figure is the median over shapes; the lowest shape stands behind it.
"""
import json
import statistics
import sys
from collections import defaultdict

ISAS = ["portable", "avx2", "avx512", "avx512_bf16", "neon", "neon_dotprod"]  # from the slowest to the fastest

# Of which limit a product can reach at most how much.
UNITS = {"ternary2 forward": "int8", "ternary2 backward": "bf16", "bf16": "bf16", "mixed": "bf16", "f32": "fp32"}

# what, format, tokens, limit: must, aim
TARGETS = [
    ("mat-vec, 2 bits, from DRAM / read bandwidth", "cold", "ternary2", [1], "read", 0.90, 0.95),
    ("mat-vec, 2 bits, in cache / int8 peak", "forward", "ternary2", [1], "int8", 0.80, 0.92),
    ("mat-mat, 2 bits, N >= 32 / int8 peak", "forward", "ternary2", [32, 128, 512], "int8", 0.92, 0.97),
    ("mat-mat, 2 bits, N = 8 / int8 peak", "forward", "ternary2", [8], "int8", 0.88, 0.96),
    ("backward, 2 bits, N = 32 / bf16 peak", "backward", "ternary2", [32], "bf16", 0.75, 0.88),
    ("backward, 2 bits, N = 128 / bf16 peak", "backward", "ternary2", [128], "bf16", 0.87, 0.95),
    ("backward, 2 bits, N = 512 / bf16 peak", "backward", "ternary2", [512], "bf16", 0.90, 0.97),
    ("mat-mat, bf16, N >= 32 / bf16 peak", "forward", "bf16", [32, 128, 512], "bf16", 0.85, 0.93),
    ("backward, bf16, N >= 128 / bf16 peak", "backward", "bf16", [128, 512], "bf16", 0.87, 0.95),
    ("mat-mat, f32, N >= 32 / fp32 peak", "forward", "f32", [32, 128, 512], "fp32", 0.85, None),
]


def main():
    with open(sys.argv[1]) as file:
        document = json.load(file)
    medians = {}
    for b in document["benchmarks"]:
        if b.get("aggregate_name", "median") == "median":
            medians[b["run_name"].removesuffix("/real_time")] = b
    limits = {}
    for name, b in medians.items():
        what, *rest = name.split("/")
        if what == "limit":
            limits[rest[0], int(rest[1])] = b["GB/s" if rest[0] == "read" else "GOPS"]
    context = document["context"]
    print(f"{context['num_cpus']} cores at {context['mhz_per_cpu']} MHz, {context['date']}")
    for (what, threads), value in sorted(limits.items()):
        print(f"limit {what:5} {threads} thread{'s' * (threads > 1)}  {value:8.1f} {'GB/s' if what == 'read' else 'GOPS'}")

    shares = defaultdict(dict)  # (what, format, isa, tokens, threads, limit) -> shape -> share
    for name, b in medians.items():
        what, *rest = name.split("/")
        if what == "limit":
            continue
        format_, isa, shape, tokens, threads = rest
        unit = "read" if what == "cold" else UNITS.get(f"{format_} {what}") or UNITS[format_]
        if (limit := limits.get((unit, int(threads)))) is not None:
            value = b["GB/s" if unit == "read" else "GOPS"]
            shares[what, format_, isa, int(tokens), int(threads), unit][shape] = value / limit
    print("\n| what | format | isa | N | threads | of | median share | worst shape |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for key, by_shape in sorted(shares.items(), key=str):
        worst = min(by_shape, key=by_shape.get)
        print(f"| {' | '.join(map(str, key))} | {statistics.median(by_shape.values()):.2f} | {by_shape[worst]:.2f} {worst} |")

    best = max((key[2] for key in shares), key=ISAS.index, default=None)
    print(f"\n{'row':48} threads  measured (worst)   must   aim")
    for title, what, format_, tokens, unit, must, aim in TARGETS:
        for threads in [1, 2]:
            found = [s for n in tokens for s in shares.get((what, format_, best, n, threads, unit), {}).values()]
            if not found:
                continue
            measured = statistics.median(found)
            print(f"{title:48} {threads:7}  {measured:8.2f} ({min(found):.2f})  {must:5.2f}  "
                  f"{'   - ' if aim is None else f'{aim:5.2f}'}  {'ok' if measured >= must else 'short'}")


if __name__ == "__main__":
    main()
