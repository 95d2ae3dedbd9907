#!/usr/bin/env python3
"""Tables of a file of tern-benchmark-peers, in Markdown.

    peers_report.py FILE.json

For each kind of weights: GOPS, the median over shapes of the medians over rounds, with the share of the fastest at
the same shape; then how many times as fast tern's format of that kind is (OWN), the median over shapes with the lowest in brackets.
"""
import json
import statistics
import sys
from collections import defaultdict

TITLES = {
    "ternary": "ternary weights",
    "q4": "4 bits",
    "q8": "8 bits",
    "bf16": "products in bf16",
    "f32": "products in fp32",
}
OWN = {"ternary": "ternary2", "q4": "q4_0", "q8": "q8", "bf16": "bf16", "f32": "f32"}


def table(head, rows):
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def over_shapes(values, column):
    return [value for (threads, tokens, _), value in values.items() if (threads, tokens) == column]


def main():
    with open(sys.argv[1]) as file:
        document = json.load(file)
    print(f"{document['processor']}, compiler {document['compiler']}, {document['rounds']} rounds, {document['date']}; "
          + ", ".join(f"{peer} {version}" for peer, version in document["peers"].items()) + "\n")

    # (product, kind) -> (peer, format) -> (threads, tokens, shape) -> GOPS
    speed = defaultdict(lambda: defaultdict(dict))
    for r in document["results"]:
        if r.get("left_out"):
            print(f"Left out: {r['peer']} {r['format']} at {r['shape']}, errors {r['errors']}\n")
            continue
        cell = r["threads"], r["tokens"], r["shape"]
        speed[r["product"], r["kind"]][r["peer"], r["format"]][cell] = statistics.median(r["gops"])

    for (product, kind), by_format in speed.items():
        columns = sorted({cell[:2] for cells in by_format.values() for cell in cells})
        head = ["", *(f"N={tokens}, {threads}T" for threads, tokens in columns)]

        def median(values, column):
            return statistics.median(over_shapes(values, column))

        cells = {cell for by_cell in by_format.values() for cell in by_cell}
        best = {cell: max(by_cell.get(cell, 0) for by_cell in by_format.values()) for cell in cells}
        print(f"{product.capitalize()}, {TITLES[kind]}: GOPS (share of the fastest)\n")
        rows = []
        for key, gops in by_format.items():
            shares = {cell: gops[cell] / best[cell] for cell in gops}
            rows.append([" ".join(key), *(f"{median(gops, c):.0f} ({median(shares, c):.2f})" for c in columns)])
        table(head, rows)

        own = by_format.get(("tern", OWN[kind]))
        rows = []
        for key, gops in by_format.items():
            if own is not None and key[0] != "tern":
                ratios = {cell: own[cell] / gops[cell] for cell in gops}
                cells = (f"{median(ratios, c):.2f} ({min(over_shapes(ratios, c)):.2f})" for c in columns)
                rows.append([" ".join(key), *cells])
        if rows:
            print(f"{product.capitalize()}, {TITLES[kind]}: tern's speed / the peer's (lowest shape)\n")
            table(head, rows)


if __name__ == "__main__":
    main()
