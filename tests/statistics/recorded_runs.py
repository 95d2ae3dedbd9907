#!/usr/bin/env python3
"""The answers of the two recorded runs by users, from the standard library alone: what recorded_runs_test.cpp must repeat.

    recorded_runs.py                          prints the answers from recorded_runs.csv
    recorded_runs.py extract RESULTS.json...  prints that file anew, from results in the format of tern 0.1

A line of it is one person: the nats of a rival less those of norm-only on the person's own held-out tokens, summed, and
how many tokens these are.
"""
import csv
import itertools
import json
import math
import sys
from pathlib import Path


def extract(path):
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    adapters = {a["id"]: a for a in document["adapters"]}
    own = {}
    for cell in document["cells"]:
        adapter = adapters.get(cell["adapter"])
        if adapter and cell["user"] == adapter["user"] and (adapter["data"], adapter["weights"]) == ("real", "dense"):
            if cell["weights"] == "dense":
                own.setdefault((adapter["format"], cell["user"]), {})[cell["text"]] = cell["nll"], cell["tokens"]
    for rival in ("lora-r4", "lora-matched", "full"):
        for user in (u["name"] for u in document["users"]):
            norm, other = own["norm", user], own[rival, user]
            if {k: v[1] for k, v in norm.items()} != {k: v[1] for k, v in other.items()}:
                sys.exit(f"{path}: norm and {rival} were not scored on the same tokens of {user}")
            nats = math.fsum(other[text][0] - norm[text][0] for text in norm)
            yield Path(path).parent.name, rival, user, repr(nats), sum(tokens for _, tokens in norm.values())


def t_cdf(t, freedom):
    """By Simpson's rule over the angle atan(t / sqrt(freedom)), where the density is a power of the cosine."""
    constant = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(math.pi)
    steps, end = 2000, math.atan(t / math.sqrt(freedom))
    weights = [1, *([4, 2] * (steps // 2))][:steps] + [1]
    terms = (w * math.cos(end * i / steps) ** (freedom - 1) for i, w in enumerate(weights))
    return 0.5 + constant * math.fsum(terms) * end / steps / 3


def t_quantile(p, freedom):
    low, high = 0, 1000
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, freedom) < p else (low, middle)
    return (low + high) / 2


def answers(rows):
    runs = {}
    for row in rows:
        runs.setdefault((row["run"], row["rival"]), []).append(float(row["nats"]) / int(row["tokens"]))
    for (run, rival), d in runs.items():
        n = len(d)
        mean = math.fsum(d) / n
        error = math.sqrt(math.fsum((x - mean) ** 2 for x in d) / (n - 1) / n)
        limit = abs(math.fsum(d)) - 1e-12
        extreme = sum(abs(math.fsum(map(math.prod, zip(d, s)))) >= limit for s in itertools.product((1, -1), repeat=n))
        edge = math.log(1.05)
        outside = max(1 - t_cdf((edge + mean) / error, n - 1), 1 - t_cdf((edge - mean) / error, n - 1))
        reach = t_quantile(0.975, n - 1) * error
        yield run, rival, [-math.expm1(-x) for x in (mean, mean - reach, mean + reach)], extreme, 2**n, outside


def main(arguments):
    if arguments[:1] == ["extract"]:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(["run", "rival", "user", "nats", "tokens"])
        for path in arguments[1:]:
            out.writerows(extract(path))
        return
    with open(Path(__file__).with_suffix(".csv"), encoding="utf-8", newline="") as file:
        for run, rival, margins, extreme, flips, outside in answers(csv.DictReader(file)):
            point, low, high = (f"{100 * m:.2f}%" for m in margins)
            print(f"{run}: norm over {rival}: {point} [{low}, {high}], sign flips {extreme}/{flips} = {extreme / flips:.4f}, "
                  f"equivalence p {outside:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
