#!/usr/bin/env python3
"""Draws what scripts/bench.sh kernels measured as a roofline: share of the peak against operations a byte of weights.

    roofline.py FILE.json PICTURE.svg

One panel a number of threads, one colour a format, one dot a number of tokens: the median over shapes, on the best
instruction set. Weights that come from a cache may lie above the slope of memory, weights that come from memory may not.
A share above 1.1, which a disturbed limit makes, is drawn at 1.1.
"""
import json
import math
import statistics
import sys
from collections import defaultdict

from bench_report import best_isa, limits_of, medians_of

WIDTH, HEIGHT, LEFT, TOP, PANEL, GAP, BOTTOM = 1000, 490, 56, 64, 430, 48, 330
LOW, HIGH, TALLEST = -2, 13, 1.1  # log2 of operations a byte; share

STYLE = """
:root{--paper:#fff;--ink:#1b2023;--muted:#5d676d;--rule:#d9dedf;--s0:#2166ac;--s1:#c8553d;--s2:#b8860b;--s3:#7b4f9d;--s4:#4d7c3a;--s5:#01665e;--s6:#a6428a;--s7:#6b6f2a}
@media (prefers-color-scheme:dark){:root{--paper:#14181a;--ink:#e6eaeb;--muted:#9aa5aa;--rule:#333b3f;--s0:#6aa9e0;--s1:#e88a72;--s2:#d9b24c;--s3:#b796d6;--s4:#8fbf7a;--s5:#5ab4ac;--s6:#e191c9;--s7:#c3c774}}
text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:var(--ink);font-variant-numeric:tabular-nums}
.small{font-size:10px}.muted{fill:var(--muted)}.strong{font-weight:600;font-size:14px}.middle{text-anchor:middle}.end{text-anchor:end}
.rule{stroke:var(--rule)}.axis{stroke:var(--muted);fill:none}.slope{stroke-dasharray:5 4;fill:none;opacity:.7}
.line{fill:none;stroke-width:1.6}.back{stroke-dasharray:2 3}
"""


def points_of(medians):
    """(format, what, threads) -> [(operations a byte, share of the peak)], by tokens; and the limit of each format."""
    best, limits = best_isa(medians), limits_of(medians)
    found, units = defaultdict(lambda: defaultdict(list)), {}
    for name, row in medians.items():
        what, *rest = name.split("/")
        if what in ("forward", "backward") and rest[1] == best:
            units[rest[0], what] = row["label"]
    for name, row in medians.items():
        what, *rest = name.split("/")
        if what not in ("forward", "backward", "cold") or rest[1] != best:
            continue
        format_, isa, _, tokens, threads = rest
        unit = units.get((format_, "forward" if what == "cold" else what))
        limit = limits.get((unit, isa, int(threads)))
        if limit is not None:
            found[format_, what, int(threads)][int(tokens)].append((row["GOPS"] / row["GB/s"], row["GOPS"] / limit))
    points = {
        key: [tuple(map(statistics.median, zip(*shapes))) for _, shapes in sorted(by_tokens.items())]
        for key, by_tokens in found.items()
    }
    return points, units, best


class Panel:
    def __init__(self, left):
        self.left, self.body = left, []

    def x(self, intensity):
        return self.left + PANEL * (math.log2(intensity) - LOW) / (HIGH - LOW)

    @staticmethod
    def y(share):
        return TOP + BOTTOM * (1 - min(share, TALLEST) / TALLEST)

    def text(self, x, y, words, classes=""):
        self.body.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}">{words}</text>')

    def path(self, points, attributes):
        path = " ".join(f"{'L' if i else 'M'}{self.x(a):.1f} {self.y(s):.1f}" for i, (a, s) in enumerate(points))
        self.body.append(f'<path d="{path}" {attributes}/>')

    def axes(self, title):
        self.text(self.left, TOP - 14, title, "strong")
        for share in (0, 0.25, 0.5, 0.75, 1):
            self.body.append(f'<path class="{"axis" if share in (0, 1) else "rule"}" d="M{self.left} {self.y(share):.1f}h{PANEL}"/>')
            self.text(self.left - 8, self.y(share) + 4, f"{share:g}", "muted end")
        for power in range(LOW, HIGH + 1, 2):
            self.text(self.x(2**power), TOP + BOTTOM + 18, f"{2.0**power:g}", "muted middle")
        self.text(self.left + PANEL / 2, TOP + BOTTOM + 38, "operations a byte of weights", "muted middle")

    def dots(self, points, colour, what):
        if what != "cold":
            self.path(points, f'class="line{" back" if what == "backward" else ""}" stroke="{colour}"')
        for a, s in points:
            x, y = self.x(a), self.y(s)
            if what == "backward":
                self.body.append(f'<path d="M{x - 4.5:.1f} {y:.1f}l4.5-4.5 4.5 4.5-4.5 4.5z" fill="{colour}"/>')
            else:
                fill = "var(--paper)" if what == "cold" else colour
                self.body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}" stroke-width="1.6"/>')


def draw(document):
    medians = medians_of(document)
    points, units, best = points_of(medians)
    limits = limits_of(medians)
    formats = sorted({key[0] for key in points}, key=lambda format_: -max(found[0][0] for key, found in points.items() if key[:2] == (format_, "forward")))
    colour = {format_: f"var(--s{i % 8})" for i, format_ in enumerate(formats)}
    panels = []
    for i, threads in enumerate(sorted({key[2] for key in points})):
        panel = Panel(LEFT + i * (PANEL + GAP))
        panel.axes(f"{threads} thread{'s' * (threads > 1)}: share of the peak")
        for unit in sorted({units[f, "forward"] for f in formats}):
            read, peak = limits.get(("read", "any", threads)), limits.get((unit, best, threads))
            if read and peak:
                knee = peak / read
                edge = [(2.0**LOW * (knee / 2.0**LOW) ** (i / 30)) for i in range(31)]
                panel.path([(a, a / knee) for a in edge], 'class="axis slope"')
                panel.text(panel.x(knee), panel.y(1) - 5, unit, "muted small middle")
        for (format_, what, n), found in sorted(points.items()):
            if n == threads:
                panel.dots(found, colour[format_], what)
        panels.extend(panel.body)
    legend = Panel(0)
    for i, format_ in enumerate(formats):
        x = LEFT + (WIDTH - LEFT) // len(formats) * i
        legend.body.append(f'<circle cx="{x + 5}" cy="{HEIGHT - 40}" r="5" fill="{colour[format_]}"/>')
        legend.text(x + 15, HEIGHT - 36, f"{format_}, of {units[format_, 'forward']}", "small")
    marks = ["&#9679; forward, N from 1 up", "&#9675; forward, N = 1, weights from memory", "&#9670; backward", "- - the slope of memory"]
    legend.text(LEFT, HEIGHT - 14, " &#160; &#160; ".join(marks), "muted")
    title = f"Kernels of {best} beside the peaks of {document['context']['num_cpus']} cores, {document['context']['date'][:10]}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f'<style>{STYLE}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="var(--paper)"/>'
        f'<text x="{LEFT}" y="22" class="muted">{title}</text>' + "\n".join([*panels, *legend.body]) + "</svg>\n"
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        picture = draw(json.load(file))
    with open(sys.argv[2], "w") as file:
        file.write(picture)
