#!/usr/bin/env python3
"""Tables of a file of tern-benchmark-peers, in Markdown.

    peers_report.py FILE.json

First, of each kind of weights, tern's format of that kind (OWN) by the fastest of all peers at the same shape: the median over shapes, the
lowest in brackets, and who is fastest most often. Then for each kind: GOPS, the median over shapes of the medians over rounds, with the share of the fastest at
the same shape; then how many times as fast tern's format of that kind is (OWN), the median over shapes with the lowest in brackets.
Who was left out stands above the tables with the reason, and in them.
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
OWN = {"ternary": "ternary2", "q4": "q4_0", "q8": "q8", "bf16": "bf16", "f32": "f32_tiled"}


def table(head, rows):
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def over_shapes(values, column):
    return [value for (threads, tokens, _), value in values.items() if (threads, tokens) == column]


def median(values, column):
    return statistics.median(over_shapes(values, column))


def left_out(results):
    """A line for each reason: who, which product, at which shapes."""
    shapes = defaultdict(list)
    for r in results:
        if "left_out" in r:
            who = " ".join([r["peer"], *([r["format"]] if "format" in r else [])])
            shapes[who, r.get("product", "every product"), r["left_out"]].append(r.get("shape", "every shape"))
    return [f"- {who}, {product}, at {', '.join(at)}: {why}" for (who, product, why), at in shapes.items()]


def fastest_peers(by_format):
    """(threads, tokens, shape) -> (GOPS, who) of the fastest that is not tern's."""
    best = {}
    for (peer, form), gops in by_format.items():
        for cell, value in gops.items():
            if peer != "tern" and value > best.get(cell, (0, ""))[0]:
                best[cell] = value, f"{peer} {form}"
    return best


def summary(speed):
    cells = {cell[:2] for by_format in speed.values() for gops in by_format.values() for cell in gops}
    rows = []
    for (product, kind), by_format in speed.items():
        own, best = by_format.get(("tern", OWN[kind]), {}), fastest_peers(by_format)
        ratios = {cell: own[cell] / best[cell][0] for cell in own if cell in best}
        if not ratios:
            continue
        show = lambda c: f"{median(ratios, c):.2f} ({min(over_shapes(ratios, c)):.2f})" if over_shapes(ratios, c) else "-"  # noqa: E731
        who = statistics.mode(name for _, name in best.values())
        rows.append([f"{OWN[kind]} {product}", *map(show, sorted(cells)), who])
    print("tern's speed / the fastest peer's (lowest shape)\n")
    table(["", *(f"N={tokens}, {threads}T" for threads, tokens in sorted(cells)), "mostly"], rows)


def main():
    with open(sys.argv[1]) as file:
        document = json.load(file)
    print(f"{document['processor']}, compiler {document['compiler']}, {document['rounds']} rounds, {document['date']}; "
          + ", ".join(f"{peer} {version}" for peer, version in document["peers"].items()) + "\n")

    lines = left_out(document["results"])
    if lines:
        print("Left out:\n\n" + "\n".join(lines) + "\n")

    # (product, kind) -> (peer, format) -> (threads, tokens, shape) -> GOPS
    speed = defaultdict(lambda: defaultdict(dict))
    absent = defaultdict(set)  # (product, kind) -> (peer, format)
    for r in document["results"]:
        if "left_out" not in r:
            cell = r["threads"], r["tokens"], r["shape"]
            speed[r["product"], r["kind"]][r["peer"], r["format"]][cell] = statistics.median(r["gops"])
        elif "kind" in r:
            for product in ("forward", "backward") if r["product"] == "every product" else (r["product"],):
                absent[product, r["kind"]].add((r["peer"], r["format"]))

    summary(speed)
    for (product, kind), by_format in speed.items():
        columns = sorted({cell[:2] for cells in by_format.values() for cell in cells})
        head = ["", *(f"N={tokens}, {threads}T" for threads, tokens in columns)]
        best = defaultdict(float)
        for gops in by_format.values():
            for cell, value in gops.items():
                best[cell] = max(best[cell], value)

        def row(key, values, show):
            return [" ".join(key), *(show(c) if over_shapes(values, c) else "-" for c in columns)]

        print(f"{product.capitalize()}, {TITLES[kind]}: GOPS (share of the fastest)\n")
        rows = []
        for key, gops in by_format.items():
            shares = {cell: gops[cell] / best[cell] for cell in gops}
            rows.append(row(key, gops, lambda c: f"{median(gops, c):.0f} ({median(shares, c):.2f})"))
        rows += [[" ".join(key), *("left out" for _ in columns)] for key in sorted(absent[product, kind] - by_format.keys())]
        table(head, rows)

        own = by_format.get(("tern", OWN[kind]), {})
        rows = []
        for key, gops in by_format.items():
            ratios = {cell: own[cell] / gops[cell] for cell in gops if cell in own}
            if ratios and key[0] != "tern":
                rows.append(row(key, ratios, lambda c: f"{median(ratios, c):.2f} ({min(over_shapes(ratios, c)):.2f})"))
        if rows:
            print(f"{product.capitalize()}, {TITLES[kind]}: tern's speed / the peer's (lowest shape)\n")
            table(head, rows)


if __name__ == "__main__":
    main()
