#!/usr/bin/env python3
"""Recomputes a shootout's verdicts from its adapters and cells alone, without tern.

    recompute.py RESULTS.json...    prints every mismatch; exits with 1 if there is one

Every answer, every perplexity, margin, median and cost, and the count of comparisons are compared. Bootstrap intervals
are random: they must contain their point, and E3, which asks for their low end, takes it from the document.
"""
import itertools
import json
import math
import statistics
import sys

STRICT_RIVALS = ("lora-r4", "full")
NOISE = ("uniform", "shuffled")
FLEETS = {"215,000": 215_000, "10,000,000": 10_000_000}


def exp(x):
    """e^x, or None where JSON could not hold it."""
    try:
        return math.exp(x)
    except OverflowError:
        return None


class Score:
    """Summed losses of one model on cells: {(user, text): (nll, tokens, chunks)}."""

    def __init__(self, cells):
        self.cells = cells

    def __bool__(self):
        return bool(self.cells)

    @property
    def entropy(self):
        return math.fsum(c[0] for c in self.cells.values()) / sum(c[1] for c in self.cells.values())

    @property
    def ppl(self):
        return exp(self.entropy)

    def text(self, text):
        return Score({key: c for key, c in self.cells.items() if key[1] == text})


class Margin:
    """1 - ppl(a)/ppl(b) over (a, b) pairs of scores, each on the same cells."""

    def __init__(self, pairs):
        gains = [(a.cells[k][0] - b.cells[k][0], a.cells[k][1], k) for a, b in pairs for k in a.cells if k in b.cells]
        chunks = {k: a.cells[k][2] for a, b in pairs for k in a.cells if k in b.cells}
        ratio = exp(math.fsum(g[0] for g in gains) / sum(g[1] for g in gains))
        self.point = None if ratio is None else 1 - ratio
        self.chunks = sum(chunks.values())

    @staticmethod
    def of(*pairs):
        """None where nothing can be compared."""
        pairs = [(a, b) for a, b in pairs if a and b]
        return Margin(pairs) if pairs else None


class Results:
    def __init__(self, document):
        self.document = document
        self.users = [u["name"] for u in document["users"]]
        self.texts = sorted({c["text"] for c in document["cells"]})
        self.seeds = sorted({a["seed"] for a in document["adapters"]})
        self.formats = list(dict.fromkeys(a["format"] for a in document["adapters"]))
        weights = {x["weights"] for x in document["adapters"] + document["cells"]}
        self.weights = "dense" if "dense" in weights or not weights else min(weights)
        broken = {c["adapter"] for c in document["cells"] if c["nll"] is None and c["adapter"] is not None}
        self.failures = {a["id"] for a in document["adapters"] if a["status"] != "ok"} | broken
        self.adapters = {(a["format"], a["user"], a["data"], a["seed"], a["weights"]): a for a in document["adapters"]}
        self.scores = {}
        for c in document["cells"]:
            if c["nll"] is None:
                continue
            place = (c["adapter"], c["weights"], c["user"])
            self.scores.setdefault(place, {})[c["user"], c["text"]] = (c["nll"], c["tokens"], len(c.get("chunks", "1")))

    def adapter(self, kind, user, data="real", seed=None, weights=None):
        seed = seed if seed is not None else self.seeds[0] if self.seeds else 0
        return self.adapters.get((kind, user, data, seed, weights or self.weights))

    def failed(self, *which, **more):
        found = self.adapter(*which, **more)
        return found is not None and found["id"] in self.failures

    def ran(self, kind, **more):
        return any(self.adapter(kind, user, **more) for user in self.users)

    def on(self, reader, *which, **more):
        """An adapter's score on somebody's text; None if there is none."""
        found = self.adapter(*which, **more)
        if found is None or found["id"] in self.failures:
            return None
        cells = self.scores.get((found["id"], found["weights"], reader))
        return Score(cells) if cells else None

    def own(self, kind, user, **more):
        return self.on(user, kind, user, **more)

    def base(self, user, weights=None):
        cells = self.scores.get((None, weights or self.weights, user))
        return Score(cells) if cells else None

    def rivals(self):
        return [f for f in STRICT_RIVALS if self.ran(f)]


def ppl(score):
    return score.ppl if score else None


def every(votes):
    return False if False in votes else None if None in votes or not votes else True


def most(votes):
    n = len(votes)
    if votes.count(True) > n / 2:
        return True
    return None if n == 0 or votes.count(True) + votes.count(None) > n / 2 else False


def middle(values):
    return statistics.median(values) if values else None


def closest(margins):
    """The smallest of some margins, with its name."""
    known = [(m.point if m.point is not None else -math.inf, i, name) for i, (name, m) in enumerate(margins) if m]
    return min(known)[2] if known else None


def lowest(r, kind, rivals, user, text=None, seed=None):
    """A strict win over all rivals; None where too little is known to say."""
    if r.failed(kind, user, seed=seed):
        return False
    pick = lambda s: s and (s if text is None else s.text(text)) or None
    mine = pick(r.own(kind, user, seed=seed))
    theirs = [pick(r.own(f, user, seed=seed)) for f in rivals if not r.failed(f, user, seed=seed)]
    if mine is None:
        return None
    if any(t and t.entropy <= mine.entropy for t in theirs):
        return False
    return True if rivals and all(theirs) else None


UNDECIDED = (None, {}, None)


def e1(r, _):
    rivals = r.rivals()
    if not r.ran("norm") or not rivals:
        return UNDECIDED
    votes = {u: lowest(r, "norm", rivals, u) for u in r.users}
    others = [f for f in r.formats if f != "norm" and r.ran(f)]
    pooled = {f: Margin.of(*((r.own("norm", u), r.own(f, u)) for u in r.users)) for f in others}
    best = closest([(f, pooled[f]) for f in r.formats if f in rivals])
    numbers = {
        "users": len(r.users),
        "won": list(votes.values()).count(True),
        "lowest": votes,
        "ppl": {u: {"base": ppl(r.base(u)), **{f: ppl(r.own(f, u)) for f in r.formats if r.adapter(f, u)}}
                for u in r.users},
        "margins": {f: {u: Margin.of((r.own("norm", u), r.own(f, u))) for u in r.users} for f in others},
        "pooled": pooled,
        "best_rival": best,
    }
    return every(list(votes.values())), numbers, pooled.get(best)


def e2(r, _):
    rivals = r.rivals()
    if not r.ran("norm") or not rivals or len(r.seeds) < 2:
        return UNDECIDED
    pairs = lambda f, s: [(r.own("norm", u, seed=s), r.own(f, u, seed=s)) for u in r.users]
    grid, votes, by_user = [], [], []
    for seed, text in itertools.product(r.seeds, r.texts):
        margins, vote = {}, True
        for f in rivals:
            margins[f] = Margin.of(*((a and a.text(text), b and b.text(text)) for a, b in pairs(f, seed)))
            if margins[f] is None:
                if not all(r.failed(f, u, seed=seed) for u in r.users) and vote:
                    vote = None
            elif margins[f].point is None or margins[f].point <= 0:
                vote = False
        if any(r.failed("norm", u, seed=seed) for u in r.users):
            vote = False
        grid.append({"seed": seed, "text": text, "won": vote, "margins": margins})
        votes.append(vote)
        by_user += [lowest(r, "norm", rivals, u, text, seed) for u in r.users]
    pooled = {f: Margin.of(*itertools.chain(*(pairs(f, s) for s in r.seeds))) for f in rivals}
    numbers = {"cells": len(votes), "won": votes.count(True), "grid": grid, "user_cells": len(by_user),
               "user_cells_won": by_user.count(True), "pooled": pooled}
    return every(votes), numbers, pooled.get(closest(pooled.items()))


def e3(r, reported):
    if not all(r.ran("norm", data=d) for d in ("real", *NOISE)):
        return UNDECIDED
    formats, answer = {}, None
    for f in r.formats:
        if not any(r.ran(f, data=k) for k in NOISE):
            continue
        users, votes = {}, []
        for u in r.users:
            over = {"over_" + k: Margin.of((r.own(f, u), r.own(f, u, data=k))) for k in NOISE}
            said = reported.get("formats", {}).get(f, {}).get("users", {}).get(u, {})
            ahead = all(m and m.point is not None and m.point > 0 and ((said.get(k) or {}).get("low") or -1) > 0
                        for k, m in over.items())
            failed = any(r.failed(f, u, data=d) for d in ("real", *NOISE))
            votes.append(False if failed else ahead if all(over.values()) else None)
            users[u] = {"base": ppl(r.base(u)), "real": ppl(r.own(f, u)),
                        **{k: ppl(r.own(f, u, data=k)) for k in NOISE}, **over, "passed": votes[-1]}
        pooled = {"over_" + k: Margin.of(*((r.own(f, u), r.own(f, u, data=k)) for u in r.users)) for k in NOISE}
        formats[f] = {"passed": votes.count(True), "users": users, **pooled}
        if f == "norm":
            answer = most(votes), pooled.get(closest(pooled.items()))
    return answer[0], {"users": len(r.users), "formats": formats}, answer[1]


def geometric_mean(scores):
    """The score of a model whose nll is the mean of theirs, where all have a cell."""
    keys = set.intersection(*(set(s.cells) for s in scores))
    return Score({k: (math.fsum(s.cells[k][0] for s in scores) / len(scores), *scores[0].cells[k][1:]) for k in keys})


def e4(r, _):
    if len(r.users) < 2 or not r.ran("norm"):
        return UNDECIDED
    formats, answer = {}, None
    for f in r.formats:
        if not r.ran(f):
            continue
        users, votes, pairs = {}, [], {"over_base": [], "over_mean": [], "over_best": []}
        for u in r.users:
            own = r.own(f, u)
            others = {o: r.on(u, f, o) for o in r.users if o != u and r.on(u, f, o)}
            best = min(others, key=lambda o: others[o].entropy, default=None)
            against = {"over_base": r.base(u), "over_mean": geometric_mean(list(others.values())) if others else None,
                       "over_best": others.get(best)}
            over = {k: Margin.of((own, other)) for k, other in against.items()}
            for k, other in against.items():
                pairs[k].append((own, other))
            enough = all(m and m.point is not None and m.point >= 0.05 for m in over.values())
            votes.append(False if r.failed(f, u) else enough if all(over.values()) else None)
            users[u] = {**over, "best": best, "passed": votes[-1]}
        pooled = {k: Margin.of(*p) for k, p in pairs.items()}
        formats[f] = {"holds": most(votes), "passed": votes.count(True), "users": users, **pooled,
                      "matrix": [[ppl(r.on(reader, f, u)) for reader in r.users] for u in r.users]}
        if f == "norm":
            answer = most(votes), pooled["over_best"]
    return answer[0], {"names": r.users, "formats": formats}, answer[1]


def e6(r, _):
    if r.weights != "dense" or not r.ran("norm") or not r.ran("norm", weights="ternary"):
        return UNDECIDED
    users, votes, recoveries, gaps, without = {}, [], [], [], 0
    for u in r.users:
        base, norm = r.base(u, "dense"), r.own("norm", u)
        low_base, low_norm = r.base(u, "ternary"), r.own("norm", u, weights="ternary")
        failed = r.failed("norm", u, weights="ternary")
        recovery = None
        if base and norm:
            gain = base.entropy - norm.entropy
            if gain <= 0:
                without += 1
            elif failed:
                recovery = -math.inf
            elif low_base and low_norm:
                recovery = (low_base.entropy - low_norm.entropy) / gain
        gap = exp(low_norm.entropy - norm.entropy) if low_norm and norm else None
        recoveries += [recovery] if recovery is not None else []
        gaps += [gap] if gap is not None else []
        votes.append(False if failed else low_norm.entropy < low_base.entropy if low_norm and low_base else None)
        users[u] = {"dense_base": ppl(base), "dense_norm": ppl(norm), "ternary_base": ppl(low_base),
                    "ternary_norm": ppl(low_norm), "recovery": recovery, "gap": gap,
                    "over_ternary_base": Margin.of((low_norm, low_base))}
    recovery = middle(recoveries)
    holds = None if recovery is None else False if recovery < 0.5 else most(votes)
    numbers = {"users": users, "median_recovery": recovery, "median_gap": middle(gaps), "beaten": votes.count(True),
               "without_dense_gain": without}
    pooled = Margin.of(*((r.own("norm", u, weights="ternary"), r.base(u, "ternary")) for u in r.users))
    return holds, numbers, pooled


def decimal(size):
    """Two digits in steps of a thousand."""
    for unit in ("B", "kB", "MB", "GB", "TB", "PB", "EB"):
        if size < 999.5 or unit == "EB":
            return f"{size:.1f} {unit}" if size < 9.95 and unit != "B" else f"{size:.0f} {unit}"
        size /= 1000


def e9(r, _):
    formats = {}
    for f in r.formats:
        runs = [r.adapter(f, u) for u in r.users if r.adapter(f, u) and not r.failed(f, u)]
        each = middle([a["bytes"] for a in runs])
        if each is not None:
            formats[f] = {"bytes": each, "users": len(runs),
                          "fleets": {n: {"bytes": each * k, "words": decimal(each * k)} for n, k in FLEETS.items()}}
    return None, {"formats": formats} if formats else {}, None


def e12(r, _):
    formats = {}
    for f in r.formats:
        runs = [(r.adapter(f, u), r.failed(f, u)) for u in r.users if r.adapter(f, u)]
        finished = [a for a, failed in runs if not failed]
        if not runs:
            continue
        waits = []
        for a in finished:
            curve = [(p["step"], p["seconds"], math.log(p["validation_ppl"])) for p in a["curve"] if p["validation_ppl"]]
            gain = curve[0][2] - min(p[2] for p in curve) if curve else 0
            if gain > 0:
                waits.append(next(p for p in curve if curve[0][2] - p[2] >= 0.9 * gain))
        formats[f] = {"seconds_to_90": middle([w[1] for w in waits]), "steps_to_90": middle([w[0] for w in waits]),
                      "seconds": middle([a["seconds"] for a in finished]),
                      "steps": middle([a["steps"] for a in finished]),
                      "gained": len(waits), "finished": len(finished), "failed": len(runs) - len(finished)}
    return None, {"formats": formats} if formats else {}, None


def tree(r, found):
    """The contingency tree, from the answers of the experiments."""
    holds = {e: found[e][0] if e in found else None for e in ("E1", "E2", "E3", "E4")}
    needed = [holds[e] for e in ("E1", "E3", "E4")]
    wins = [lowest(r, "lora-r4", ["norm"], u) for u in r.users]
    lora = r.ran("lora-r4")
    personal = None
    if "E4" in found and "formats" in found["E4"][1]:
        personal = found["E4"][1]["formats"].get("lora-r4", {"holds": False})["holds"]
    if not lora:
        personal = False
    beats = most(wins) if lora else False
    if False not in holds.values():
        choice = "norm" if all(needed) else None
    elif personal or beats:
        choice = "lora-r4"
    else:
        choice = "cluster" if personal is False and beats is False else None
    fleet = found.get("E9", (None, {}))[1].get("formats", {}).get(choice)
    numbers = {"default": choice, "experiments": holds, "lora_r4_wins": wins.count(True), "fleet": fleet}
    return None if choice is None else choice == "norm", numbers, None


EXPERIMENTS = {"E1": e1, "E2": e2, "E3": e3, "E4": e4, "E6": e6, "E9": e9, "E12": e12}


def margins_in(tree_):
    if isinstance(tree_, Margin):
        return 1
    children = tree_.values() if isinstance(tree_, dict) else tree_ if isinstance(tree_, list) else ()
    return sum(map(margins_in, children))


class Differences(list):
    def compare(self, where, said, found):
        """What the document says against what was found here."""
        if isinstance(found, float) and not math.isfinite(found):
            found = None
        if isinstance(found, Margin):
            self.compare_margin(where, said, found)
        elif isinstance(found, dict) and isinstance(said, dict):
            for key in sorted(set(found) | set(said)):
                if key not in said or key not in found:
                    self.append(f"{where}.{key}: {'only recomputed' if key in found else 'not in the recomputation'}")
                else:
                    self.compare(f"{where}.{key}", said[key], found[key])
        elif isinstance(found, list) and isinstance(said, list) and len(found) == len(said):
            for i, (a, b) in enumerate(zip(said, found)):
                self.compare(f"{where}[{i}]", a, b)
        elif not same(said, found):
            self.append(f"{where}: the document says {said!r}, recomputed {found!r}")

    def compare_margin(self, where, said, found):
        if not isinstance(said, dict):
            return self.append(f"{where}: the document says {said!r}, recomputed {found.point!r}")
        self.compare(where + ".point", said.get("point"), found.point)
        self.compare(where + ".chunks", said.get("chunks"), found.chunks)
        if found.point is not None:
            low = said.get("low") if said.get("low") is not None else -math.inf
            high = said.get("high") if said.get("high") is not None else math.inf
            if not low - 1e-9 <= found.point <= high + 1e-9:
                self.append(f"{where}: the interval {low} to {high} does not contain the point {found.point}")


def same(said, found):
    numbers = [x for x in (said, found) if isinstance(x, (int, float)) and not isinstance(x, bool)]
    if len(numbers) == 2:
        return math.isclose(said, found, rel_tol=1e-7, abs_tol=1e-9)
    return type(said) is type(found) and said == found


def cell_differences(differences, document):
    """Cells agree with themselves."""
    for i, c in enumerate(document["cells"]):
        if c["nll"] is None:
            continue
        if c.get("chunks"):
            differences.compare(f"cells[{i}].nll", c["nll"], math.fsum(chunk[0] for chunk in c["chunks"]))
            differences.compare(f"cells[{i}].tokens", c["tokens"], sum(chunk[1] for chunk in c["chunks"]))
        if "ppl" in c:
            differences.compare(f"cells[{i}].ppl", c["ppl"], exp(c["nll"] / c["tokens"]))


def answers(document):
    """{experiment: (holds, numbers, interval, comparisons)}, as recomputed; margins stand as Margin."""
    results, found = Results(document), {}
    for name in [e for e in document["protocol"]["experiments"] if e in EXPERIMENTS]:
        said = document["verdicts"].get(name, {}).get("numbers", {})
        holds, numbers, interval = EXPERIMENTS[name](results, said)
        pooled_only = name == "E6" and interval is not None  # its interval is not among its numbers
        found[name] = holds, numbers, interval, margins_in(numbers) + pooled_only
    found["tree"] = *tree(results, found), sum(answer[3] for answer in found.values())
    return found


def differences(document):
    """Every way in which the document's verdicts are not what its adapters and cells say; empty if none."""
    out = Differences()
    cell_differences(out, document)
    verdicts, found = document["verdicts"], answers(document)
    if set(verdicts) != set(found):
        out.append(f"verdicts: expected {sorted(found)}, got {sorted(verdicts)}")
    for name, (holds, numbers, interval, comparisons) in found.items():
        if name not in verdicts:
            continue
        said = verdicts[name]
        out.compare(f"{name}.holds", said["holds"], holds)
        out.compare(f"{name}.numbers", said["numbers"], numbers)
        out.compare(f"{name}.interval", said["interval"], interval)
        out.compare(f"{name}.comparisons", said["comparisons"], comparisons)
        if (holds is None) != bool(said.get("reason")):
            out.append(f"{name}.reason: expected one exactly where holds is null, got {said.get('reason')!r}")
        if not said["sentence"]:
            out.append(f"{name}.sentence: missing")
        if name == "tree":
            out.compare("tree.default", said["default"], numbers["default"])
    return out


def main(paths):
    wrong = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            found = differences(json.load(file))
        for line in found:
            print(f"{path}: {line}")
        wrong += len(found)
        print(f"{path}: {len(found) or 'no'} mismatch{'' if len(found) == 1 else 'es'}")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
