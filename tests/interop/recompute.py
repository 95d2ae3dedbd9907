#!/usr/bin/env python3
"""Judges a shootout anew, without tern: from the cells of results.json to every claim, answer and cost.

    recompute.py RESULTS.json...    prints what was found against what is found here; exits with 1 on a mismatch

Written from the protocol's words (docs/shootout.md) and docs/statistics.md with numpy and scipy. No interval, p, answer
or verdict of the document is an input: these are only compared, as are the tables of a report.md that lies beside it.

Agreement asked for:
  sums, means, t intervals, exact p   1e-9, relatively: both sides add the same few thousand doubles
  numbers of a report                 half of the last digit that it shows
  p of more than 20 users             the document draws 100,000 flips: 5 of their standard errors around the exact p
  ends of bootstrap intervals         the document takes order statistics of 1,999 resamples: each must lie between the
                                      resamples here of the ranks that such a statistic has but once in a million
  users that would do                 exactly, or where the power is within 1e-6 of what is asked for
An answer that hangs on a drawn p is not compared where alpha lies within that p's error.
"""
import bisect
import json
import math
import re
import sys
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import special, stats

LEAST_USERS, POWER = 6, 0.8
FLEETS = (215_000, 10_000_000)
EXACT_FLIPS, DRAWN_FLIPS = 20, 100_000  # of the document
THEIR_RESAMPLES, OUR_RESAMPLES = 1_999, 10_000
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)  # exact to rounding for the smooth functions here


class Setting(NamedTuple):
    """What tells two runs apart; no contender is the bare base, no user everybody's."""
    contender: str = ""
    user: str = ""
    seed: int = 0
    data: str = "real"
    weights: str = "stored"
    budget: float = 1.0
    tokens: int = 0
    form: str = ""


# ---- statistics


def margin(nats):
    """1 - ppl(a)/ppl(b) of a difference in nats per token."""
    return -np.expm1(-nats) if nats > -700 else -math.inf


def t_interval(values, level):
    n = len(values)
    if n < 2:
        return -math.inf, math.inf
    reach = stats.t.ppf(0.5 + level / 2, n - 1) * np.std(values, ddof=1) / math.sqrt(n)
    return np.mean(values) - reach, np.mean(values) + reach


def sign_flip(values):
    """The exact share of all 2^n flips at least as far from 0: each sum is one of either half's."""
    sums = []
    for half in np.array_split(np.asarray(values), 2):
        flips = np.zeros(1)
        for x in half:
            flips = np.concatenate([flips + x, flips - x])
        sums.append(np.sort(flips))
    left, right = sums
    reach = abs(np.sum(values)) - 1e-12 * np.sum(np.abs(values))
    if reach <= 0:
        return 1.0
    above = len(right) - np.searchsorted(right, reach - left, "left")
    below = np.searchsorted(right, -reach - left, "right")
    return float((np.sum(above) + np.sum(below)) / (len(left) * len(right)))


def drawn_error(p, users):
    """How far the document's p may be from the exact one."""
    return 0.0 if users <= EXACT_FLIPS else 5 * math.sqrt(p * (1 - p) / DRAWN_FLIPS) + 2 / DRAWN_FLIPS


def holm(p):
    order, adjusted, largest = np.argsort(p, kind="stable"), np.empty(len(p)), 0.0
    for rank, i in enumerate(order):
        largest = adjusted[i] = max(largest, min(1.0, (len(p) - rank) * p[i]))
    return adjusted


def equivalence_p(values, edge):
    """The larger p of two one-sided t tests."""
    n, mean, error = len(values), np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))
    if error == 0:
        return 0.0 if abs(mean) < edge else 1.0
    return max(stats.t.sf((edge + mean) / error, n - 1), stats.t.sf((edge - mean) / error, n - 1))


def mean_over_spread(n, f, most=math.inf):
    """The mean of f(u) for u = sample / true deviation of n normal values, up to `most`, beyond which f is 0."""
    spread = stats.chi(n - 1, scale=1 / math.sqrt(n - 1))
    centre, width = spread.mean(), 12 * spread.std()
    low, high = max(0.0, centre - width), min(most, centre + width)
    if high <= low:
        return 0.0
    u = low + (high - low) * (NODES + 1) / 2
    return float(np.sum(WEIGHTS * f(u) * spread.pdf(u)) * (high - low) / 2)


def power_of_difference(n, effect, deviation, alpha):
    """Of the t test at the level that sign flips of n users can have: p comes in steps of 2^(1-n). (scipy's noncentral
    t gives NaN far out.)"""
    level = math.floor(alpha * 2 ** (n - 1)) / 2 ** (n - 1) if n <= 50 else alpha
    if level == 0 or deviation == 0:
        return float(level > 0)
    t, away = stats.t.ppf(1 - level / 2, n - 1), effect * math.sqrt(n) / deviation
    return mean_over_spread(n, lambda u: special.ndtr(away - t * u) + special.ndtr(-away - t * u))


def power_of_equivalence(n, edge, deviation, alpha):
    """The chance that |mean| + t s / sqrt(n) < edge where the true difference is 0."""
    if deviation == 0:
        return 1.0
    t, scale = stats.t.ppf(1 - alpha, n - 1), edge * math.sqrt(n) / deviation
    return mean_over_spread(n, lambda u: 2 * special.ndtr(scale - t * u) - 1, scale / t)


def fewest(power, target):
    """The smallest n from 2 to a million with power(n) >= target; None where there is none."""
    for n in range(2, 17):
        if power(n) >= target:
            return n
    low, high = 16, 32
    while power(high) < target:
        if high == 1_000_000:
            return None
        low, high = high, min(2 * high, 1_000_000)
    return low + 1 + bisect.bisect_left(range(low + 1, high), True, key=lambda n: power(n) >= target)


def users_needed(deviation, edge, alpha, target):
    """Users for whom a difference of the edge is found, and equality is."""
    both = (fewest(lambda n: power_of_difference(n, edge, deviation, alpha), target),
            fewest(lambda n: power_of_equivalence(n, edge, deviation, alpha), target))
    return None if None in both else max(*both, LEAST_USERS)


def bootstrap(users, level, random):
    """Bounds of the ends of the document's interval: ((least low, most low), (least high, most high)). `users` are
    (document, tokens, nats) of chunks. Users, their documents and those documents' chunks are drawn anew, t*
    studentised by users."""
    n, measured = len(users), np.array([nats.sum() / tokens.sum() for _, tokens, nats in users])
    drawn = random.integers(n, size=(OUR_RESAMPLES, n))
    values = np.empty(drawn.shape)
    for u, (document, tokens, nats) in enumerate(users):
        places = drawn == u
        times, names = int(places.sum()), np.unique(document)
        picked = random.integers(len(names), size=(times, len(names)))
        sums, weights = np.zeros(picked.shape), np.zeros(picked.shape)
        for d, name in enumerate(names):
            chunks, at = np.flatnonzero(document == name), picked == d
            again = chunks[random.integers(len(chunks), size=(int(at.sum()), len(chunks)))]
            sums[at], weights[at] = nats[again].sum(axis=1), tokens[again].sum(axis=1)
        values[places] = sums.sum(axis=1) / weights.sum(axis=1)
    mean, error = measured.mean(), measured.std(ddof=1) / math.sqrt(n)
    away = values.mean(axis=1) - mean
    # Resamples of one user, n times, have no spread; those at the measured mean have not moved.
    spread = values.std(axis=1, ddof=1) / math.sqrt(n)
    spread[np.all(drawn == drawn[:, :1], axis=1) & (np.ptp(values, axis=1) == 0)] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(away == 0, 0.0, away / spread)
    t.sort()
    rank = int((1 - level) / 2 * (THEIR_RESAMPLES + 1) + 1e-9)
    ranks = stats.beta.ppf([5e-7, 1 - 5e-7], rank, THEIR_RESAMPLES + 1 - rank)
    ranks += [-5, 5] * np.sqrt(ranks * (1 - ranks) / OUR_RESAMPLES)  # this sample's own error
    outer, inner = max(0, math.floor(ranks[0] * OUR_RESAMPLES)), math.ceil(ranks[1] * OUR_RESAMPLES)
    (least, most), (least_high, most_high) = t[[outer, inner]], t[[-1 - inner, -1 - outer]]
    # The low end comes from the high t*.
    at = lambda q: mean - q * error if error > 0 else mean
    return (at(most_high), at(least_high)), (at(most), at(least))


def variance_components(users):
    """(user, seed, document, rest) by the method of moments from [seeds, documents] of each user, cut off at 0."""
    mean = lambda y: y.mean()
    by_seed = lambda y: y.mean(axis=1, keepdims=True) - mean(y)
    by_document = lambda y: y.mean(axis=0, keepdims=True) - mean(y)
    rest_squares = sum(((y - mean(y) - by_seed(y) - by_document(y)) ** 2).sum() for y in users)
    freedom = lambda axis: sum(y.shape[axis] - 1 for y in users)
    weight = lambda axis: sum(y.shape[1 - axis] * (y.shape[axis] - 1) for y in users)
    both = sum((y.shape[0] - 1) * (y.shape[1] - 1) for y in users)
    rest = rest_squares / both if both else 0.0
    part = lambda f, axis: ((sum(y.shape[1 - axis] * (f(y) ** 2).sum() for y in users) - rest * freedom(axis)) /
                            weight(axis)) if freedom(axis) else 0.0
    seed, document = part(by_seed, 0), part(by_document, 1)
    below = np.mean([seed / y.shape[0] + document / y.shape[1] + rest / y.size for y in users])
    user = np.var([mean(y) for y in users], ddof=1) - below
    return (max(0.0, user), max(0.0, seed) if freedom(0) else None, max(0.0, document) if freedom(1) else None,
            rest if both else None)


def user_test(document, tokens, nats):
    """p of one user's difference by a t test over documents weighed by their tokens; None where not testable.
    Of weights w with S = sum w^2, and distances r from the weighted mean, variance = S sum w^2 r^2 / E, E what
    sum w^2 r^2 is for documents of variance 1, and 1/S - 1 degrees of freedom."""
    names = np.unique(document)
    if len(document) < 12 or len(names) < 3:
        return None
    weights = np.array([tokens[document == d].sum() for d in names]) / tokens.sum()
    means = np.array([nats[document == d].sum() / tokens[document == d].sum() for d in names])
    point, squares = weights @ means, weights @ weights
    residual = np.eye(len(names)) - np.outer(np.ones(len(names)), weights)  # r = residual @ means
    expected = (weights ** 2) @ (residual ** 2).sum(axis=1)
    error = math.sqrt(squares * ((weights ** 2) @ (means - point) ** 2) / expected)
    if point == 0:
        return 1.0
    return 2 * float(stats.t.sf(abs(point) / error, 1 / squares - 1)) if error > 0 else 0.0


# ---- what was measured


@dataclass
class Claim:
    """One comparison of a with b: what the users say, and after judging the answer."""
    a: str
    b: str
    family: str
    names: list = field(default_factory=list)
    chunks: list = field(default_factory=list)
    failed: int = 0
    untuned: bool = False
    void: bool = False
    p: float = 1.0
    adjusted: float = 1.0
    error: float = 0.0  # of the document's adjusted p
    comparisons: int = 1  # in the family
    answer: str = "undecided"
    reason: str = ""
    within: bool = False
    needed: tuple = (None, None)
    bounds: tuple = None  # of the bootstrap

    @cached_property
    def nats(self):
        return np.array([nats.sum() / tokens.sum() for _, tokens, nats in self.chunks])

    @property
    def mean(self):
        return float(np.mean(self.nats)) if self.chunks else 0.0

    def interval(self, level):
        return t_interval(self.nats, level)

    def bootstrap(self, level):
        if self.bounds is None:
            random = np.random.default_rng(zlib.crc32(f"{self.a}|{self.b}".encode()))
            self.bounds = bootstrap(self.chunks, level, random)
        return self.bounds


class Study:
    """The document's cells and settings, and questions to them."""

    def __init__(self, document):
        self.protocol = protocol = document["protocol"]
        self.alpha, self.share = protocol["margins"]["alpha"], protocol["margins"]["equivalence"]
        self.edge, self.level = math.log1p(self.share), 1 - self.alpha
        self.seeds, self.champion = protocol["seeds"], protocol["roles"]["champion"]
        self.people = {u["name"]: u for u in document["users"]}
        self.users = list(self.people)
        self.faults = []
        self.runs, ids, self.cells = {}, {None: None}, {}
        for a in document["adapters"]:
            s = Setting(a["contender"], a["user"], a["seed"], a["data"], a["weights"], float(a["budget"]),
                        a["train_tokens"], a.get("form", ""))
            if s in self.runs:
                self.faults.append(f"adapters: {s} is there twice")
            self.runs[s] = ids[a["id"]] = a
            a["setting"] = s
        for c in document["cells"]:
            s = ids[c["adapter"]]["setting"] if c["adapter"] else Setting(weights=c["weights"], form=c.get("form", ""))
            where = f"cell of {s.contender or 'the base'} for {s.user or 'everybody'} on {c['user']}'s text"
            document_of, nll, tokens = (np.array(x, dtype=float) for x in zip(*c["chunks"]))
            if (s, c["user"]) in self.cells:
                self.faults.append(f"{where}: is there twice")
            if tokens.sum() != c["tokens"]:
                self.faults.append(f"{where}: {c['tokens']} tokens, its chunks have {tokens.sum():.0f}")
            if not math.isclose(math.fsum(nll), c["nll"], rel_tol=1e-9):
                self.faults.append(f"{where}: nll {c['nll']}, its chunks have {math.fsum(nll)}")
            self.cells[s, c["user"]] = (document_of, tokens, nll, c["bytes"])
        self.contenders = [c["name"] for c in protocol["contenders"] if self.ran(c["name"])]
        self.titles = {c["name"]: c["title"] for c in protocol["contenders"]} | {"": "the base"}
        self.rivals = [r for r in protocol["roles"]["rivals"] if r != self.champion and self.ran(r)]
        self.judged = [self.champion] * self.ran(self.champion) + self.rivals
        self.champion_first = sorted(self.contenders, key=lambda c: c != self.champion)
        self.check_pilots(document)

    def check_pilots(self, document):
        """Rates as the pilots' losses choose them, nobody's by the own text; and whether all lie inside the grid."""
        self.tuned = {"": True}
        for name in self.titles:
            self.tuned.setdefault(name, self.protocol["kind"] != "standard")
        if self.protocol["kind"] != "standard":
            return
        for name, pilot in self.protocol["pilots"].items():
            rates = [r["rate"] for r in pilot["rates"]]
            losses = np.array([[math.inf if x is None else x for x in r["loss"]] for r in pilot["rates"]])
            everybody = int(np.argmin(losses.mean(axis=1)))
            several = len(pilot["users"]) > 1
            own = [int(np.argmin(np.delete(losses, u, axis=1).mean(axis=1))) if several else everybody
                   for u in range(len(pilot["users"]))]
            self.tuned[name] = all(0 < i < len(rates) - 1 for i in [everybody, *own])
            chosen = dict(zip(pilot["users"], (rates[i] for i in own)))
            for what, theirs, ours in (("interior", pilot["interior"], self.tuned[name]),
                                       ("chosen", pilot["chosen"], rates[everybody]),
                                       ("for_pilot", pilot["for_pilot"], list(chosen.values()))):
                if theirs != ours:
                    self.faults.append(f"pilots of {name}: {what} {theirs}, their losses say {ours}")
            for a in document["adapters"]:
                if a["contender"] == name and a["learning_rate"] != chosen.get(a["user"], rates[everybody]):
                    self.faults.append(f"adapter {a['id']}: rate {a['learning_rate']} is not what the pilots chose")

    def ran(self, contender, kind="real", weights="stored"):
        return any(s.contender == contender and s.data.split(":")[0] == kind and s.weights == weights and not s.form and
                   a["status"] == "ok" for s, a in self.runs.items())

    def at_seed(self, s, seed):
        return s._replace(seed=seed) if s.contender and s.user else s

    def chunks(self, a, b, user, only=None):
        """(document, tokens, nats of b less a) of each chunk as a mean over seeds; None where there is none."""
        found, shape = [], None
        for seed in range(self.seeds) if only is None else [only]:
            x, y = (self.cells.get((self.at_seed(s, seed), user)) for s in (a, b))
            if not x or not y or not all(np.array_equal(x[i], y[i]) for i in (0, 1)):
                continue
            if shape and not all(np.array_equal(x[i], shape[i]) for i in (0, 1)):
                continue
            shape = x
            found.append(y[2] - x[2])
        if not found or not np.all(np.isfinite(found)):
            return None
        return shape[0], shape[1], np.mean(found, axis=0)

    def difference(self, a, b, user, only=None):
        found = self.chunks(a, b, user, only)
        return None if found is None else float(found[2].sum() / found[1].sum())

    def gain(self, s, user, only=None):
        """Over the base of the same weights, under the same noise."""
        noise = s.form if s.form.startswith("noise:") else ""
        return self.difference(s, Setting(weights=s.weights, form=noise), user, only)

    def kept(self, part, whole):
        """[share, low, high] of the whole gains that is left: the ratio of means, its interval by the delta method. None
        unless the whole is surely above 0."""
        if len(whole) < 2 or not t_interval(whole, self.level)[0] > 0:
            return None
        ratio = np.mean(part) / np.mean(whole)
        (xx, xy), (_, yy) = np.cov(part, whole)
        reach = stats.t.ppf(0.5 + self.level / 2, len(whole) - 1) * math.sqrt(
            max(0.0, xx - 2 * ratio * xy + ratio**2 * yy) / len(whole)) / np.mean(whole)
        return [ratio, ratio - reach, ratio + reach]

    def own(self, contender, user, **more):
        return Setting(contender, user, **more) if contender else Setting()

    def broken(self, s, only):
        """Whether a seed of this run failed."""
        seeds = [only] if only is not None else range(self.seeds)
        runs = [self.runs.get(self.at_seed(s, seed)) for seed in (seeds if s.user else [0])]
        return any(r and r["status"] != "ok" for r in runs)

    def claim(self, a, b, family, users, pair, only=None):
        """`pair(user)` names the two runs, None where there is nothing to compare."""
        claim = Claim(a, b, family)
        for user in users:
            runs = pair(user)
            if runs is None:
                continue
            claim.untuned |= not all(self.tuned[s.contender] for s in runs)
            chunks = self.chunks(*runs, user, only)
            if chunks is None:
                claim.failed += any(self.broken(s, only) for s in runs)
                continue
            claim.names.append(user)
            claim.chunks.append(chunks)
        if len(claim.names) > 1:
            claim.p = sign_flip(claim.nats)
        return claim

    def peers(self, user, same=True):
        language = self.people[user]["language"]
        return [u for u in self.users if u != user and (self.people[u]["language"] == language) == same]

    def generic(self, contender, user, **more):
        """A user's adapter trained on generic text; None where there is none for the user."""
        name = self.protocol["generic"].get(user)
        return None if name is None else Setting(contender, user, data="generic:" + name, **more)

    def over_generic(self, contender):
        def pair(user):
            control = self.generic(contender, user)
            return control and (self.own(contender, user), control)
        return pair

    def over_best_other(self, contender):
        def pair(user):
            gains = [(self.gain(self.own(contender, o), user), o) for o in self.peers(user)]
            gains = [(g, o) for g, o in gains if g is not None]
            best = max(gains, key=lambda x: x[0], default=None)
            return best and (self.own(contender, user), self.own(contender, best[1]))
        return pair

    def void(self, controlled):
        return controlled < LEAST_USERS and controlled != len(self.users)

    def seconds(self, run):
        calibration = self.protocol["calibration"].get(run["contender"])
        return calibration["seconds_a_step"] * run["steps"] if calibration else run["seconds"]

    def bytes(self, contender):
        """As stored, the largest of any user's."""
        runs = [self.runs.get(Setting(contender, u)) for u in self.users]
        return max((r["bytes"] for r in runs if r and r["status"] == "ok"), default=None)

    def judge(self, claims):
        """Holm within families, then the four answers."""
        for family in {c.family for c in claims if c.family}:
            members = [c for c in claims if c.family == family]
            for c, p in zip(members, holm([c.p for c in members])):
                c.comparisons = len(members)
                c.adjusted, c.error = float(p), len(members) * max(drawn_error(m.p, len(m.names)) for m in members)
        for c in claims:
            if not c.family:
                c.adjusted, c.error = c.p, drawn_error(c.p, len(c.names))
            self.answer(c)

    def answer(self, c):
        n, attempted = len(c.names), len(c.names) + c.failed
        if c.void:
            c.answer, c.reason = "void", "void"
        elif c.untuned:
            c.reason = "not tuned"
        elif c.failed * 10 > attempted:
            c.reason = "runs failed"
        else:
            low, high = c.interval(self.level)
            within = bool(n > 1 and equivalence_p(c.nats, self.edge) <= self.alpha)
            found = n >= LEAST_USERS and c.adjusted <= self.alpha
            if found and low > 0:
                c.answer, c.within = "better", within
            elif found and high < 0:
                c.answer, c.within = "worse", within
            elif n >= LEAST_USERS and within:
                c.answer, c.within = "equivalent", True
            else:
                c.reason = "too few users"
                if n > 1:
                    deviation = float(np.std(c.nats, ddof=1))
                    c.needed = tuple(users_needed(deviation, self.edge, self.alpha, POWER + x) for x in (-1e-6, 1e-6))

    def hangs_on_chance(self, c):
        return c.error > 0 and abs(c.adjusted - self.alpha) <= c.error


# ---- the experiments


@dataclass
class Finding:
    claims: list = field(default_factory=list)
    numbers: dict = field(default_factory=dict)
    tables: dict = field(default_factory=dict)  # title -> row -> cells: numbers, with a word where one is expected
    conclude: object = None                     # after judging: the answer
    spoken: list = None                         # claims whose sentence is there; None: all


def hardest(claims):
    """The opponent over whom the margin is smallest."""
    known = [c for c in claims if c.names]
    return min(known, key=lambda c: c.mean) if known else claims[0]


def between(study, nats, level=None):
    """Mean margin and its interval, as tables show them."""
    if len(nats) == 0:
        return None
    ends = t_interval(nats, level or study.level)
    return [margin(x) for x in (np.mean(nats), *ends) if math.isfinite(x)]


def known(values):
    return [v for v in values if v is not None]


def e1(s):
    f, champion, people = Finding(), s.champion, s.users
    if not s.contenders:
        return None
    pair = lambda rival: lambda u: (s.own(champion, u), s.own(rival, u))
    if s.ran(champion):
        f.claims = [s.claim(s.titles[champion], s.titles[r], "E1", people, pair(r)) for r in s.rivals]
        f.claims.append(s.claim(s.titles[champion], s.titles[""], "", people, pair("")))
    against = f.claims[:-1]
    if against:
        whole = [u for u in people if all(u in c.names for c in against)]
        first = [u for u in whole if all(c.nats[c.names.index(u)] > 0 for c in against)]
        f.numbers = {"users for whom the champion is first": len(first), "users with all runs": len(whole)}
        f.tables[capital(s.titles[champion]) + ", user by user"] = by_user(s, against)
    ppl, bits = {}, {}
    for u in people:
        _, tokens, nll, size = s.cells[Setting(), u]
        base = nll.sum() / tokens.sum()
        gains = [0.0, *(s.gain(s.own(c, u), u) for c in s.contenders)]
        losses = [None if g is None else base - g for g in gains]
        ppl[u] = [None if x is None else math.exp(x) for x in losses]
        bits[u] = [None if x is None else x * tokens.sum() / (size * math.log(2)) for x in losses]
    f.tables["Perplexity of each user's held-out text"], f.tables["The same in bits per byte"] = ppl, bits
    f.tables["Steps at the same budget"] = {s.titles[c]: steps_row(s, c) for c in s.contenders}
    f.conclude = lambda: hardest(against).answer if against else "undecided"
    return f


def by_user(s, against):
    """Each user's margins, marked where the user's own documents show one: Benjamini-Hochberg over all of these."""
    tests = {(c.b, u): user_test(*chunks) for c in against for u, chunks in zip(c.names, c.chunks)}
    tested = {k: p for k, p in tests.items() if p is not None}
    adjusted = dict(zip(tested, stats.false_discovery_control(list(tested.values()), method="bh"))) if tested else {}
    rows = {}
    for u in s.users:
        rows[u] = []
        for c in against:
            d = c.nats[c.names.index(u)] if u in c.names else None
            shown = adjusted.get((c.b, u), 1) <= s.alpha
            rows[u].append(None if d is None else [margin(d), ("better" if d > 0 else "worse") if shown else ""])
    return rows


def steps_row(s, contender):
    """Steps, seconds a step, seconds, regret at a third and at three times the chosen rate."""
    runs = [r for u in s.users if (r := s.runs.get(Setting(contender, u))) and r["status"] == "ok"]
    steps, seconds = max(r["steps"] for r in runs), max(s.seconds(r) for r in runs)
    pilot, regret = s.protocol["pilots"].get(contender), [None, None]
    if pilot:
        mean = lambda rate: next((None if None in r["loss"] or not r["loss"] else np.mean(r["loss"])
                                  for r in pilot["rates"] if math.isclose(r["rate"], rate, rel_tol=0.01)), None)
        at = mean(pilot["chosen"])
        regret = [None if None in (at, x) else x - at for x in (mean(pilot["chosen"] / 3), mean(pilot["chosen"] * 3))]
    return [steps, seconds / steps, seconds, *regret]


def e2(s):
    f, champion = Finding(), s.champion
    averaged, first, rows = [], [], {}
    for r in s.rivals:
        pair = lambda u, r=r: (s.own(champion, u), s.own(r, u))
        seeds = {u: [i for i in range(s.seeds) if s.difference(*pair(u), u, i) is not None] for u in s.users}
        people = [u for u in s.users if len(seeds[u]) > 1]
        if not people:
            continue
        name = lambda how: f"{s.titles[r]} ({how})"
        claims = [s.claim(s.titles[champion], name(f"mean of {s.seeds} seeds"), "E2", people, pair)]
        claims += [s.claim(s.titles[champion], name(f"seed {i} alone"), f"E2, seed {i}", people, pair, i)
                   for i in range(s.seeds)]
        f.claims += claims
        averaged.append(claims[0]), first.append(claims[1])
        if len(people) < 2:
            continue
        spread = []
        for u in people:
            of_seeds = [s.chunks(*pair(u), u, i) for i in seeds[u]]
            spread.append(np.array([[nats[d == k].sum() / t[d == k].sum() for k in np.unique(d)]
                                    for d, t, nats in of_seeds]))
        parts = variance_components(spread)
        documents = sorted(y.shape[1] for y in spread)[len(spread) // 2]
        root = [None if x is None else math.sqrt(x) for x in parts]
        f.numbers |= {f"deviation between users, against {s.titles[r]}": root[0],
                      f"deviation between seeds, against {s.titles[r]}": root[1]}
        user, seed, document, rest = (x or 0.0 for x in parts)
        one = lambda a: math.sqrt(user + seed / a + document / documents + rest / (a * documents))
        needed = [fewest(lambda n: power_of_difference(n, s.edge, one(a), s.alpha), POWER) for a in (1, 2, 4)]
        rows["against " + s.titles[r]] = [*root, *needed]
    if not f.claims:
        return None
    f.spoken = averaged
    f.tables["Where the spread of differences comes from, nats per token"] = rows

    def conclude():
        same = sum(a.answer == b.answer for a, b in zip(averaged, first))
        f.numbers["answers that the first seed alone gives as well"] = same
        return hardest(averaged).answer if same == len(averaged) else "undecided"
    f.conclude = conclude
    return f


def personal_family(s, contender):
    return "E3+E4" if contender == s.champion else f"E3+E4 of {contender}"


def of_champion(s, f):
    """The answer of the champion's claim of E3 or E4."""
    mine = [c for c in f.claims if c.family == "E3+E4"]
    return mine[0].answer if mine else "undecided"


def e3(s):
    f, champion = Finding(), s.champion
    controls = any(s.ran(champion, k) for k in ("generic", "uniform", "shuffled", "others"))
    for c in s.champion_first:
        if controls if c == champion else s.ran(c, "generic"):
            f.claims.append(s.claim(s.titles[c] + " on own text", "the same on generic text", personal_family(s, c),
                                    s.users, s.over_generic(c)))
            f.claims[-1].void = s.void(len(s.protocol["generic"]))
    if not f.claims:
        return None
    steps = {}
    for c in s.champion_first:
        for u in s.users:
            control = s.generic(c, u)
            if control and None not in (x := (s.gain(control, u), s.difference(s.own(c, u), control, u))):
                steps.setdefault(c, {})[u] = x
    row = lambda g, p: [g, p, g + p, p / (g + p) if g + p > 0 else None]
    f.tables["Where the gain comes from, nats per token"] = {
        s.titles[c]: [len(of), *row(*np.mean(list(of.values()), axis=0))] for c, of in steps.items()}
    mine = [c for c in f.claims if c.family == "E3+E4"]
    if mine and mine[0].names:
        generic, own = np.mean([steps[champion][u] for u in mine[0].names], axis=0)
        f.numbers = {"base to generic, nats per token": generic, "generic to own, nats per token": own,
                     "personal share of the gain": own / (generic + own) if generic + own > 0 else None}
    if controls:
        f.tables["The same, user by user"] = {u: row(*x) for u, x in steps.get(champion, {}).items()}
        rows = {}
        for kind, what in (("real", "own text"), ("generic", "generic text of the language and kind"),
                           ("others", "the other users of the language"), ("shuffled", "own tokens, shuffled"),
                           ("uniform", "uniform tokens")):
            gains = []
            for u in s.users:
                setting = s.generic(champion, u) if kind == "generic" else Setting(champion, u, data=kind)
                both = setting and (s.gain(setting, u), s.gain(s.own(champion, u), u))
                if both and None not in both:
                    gains.append(both)
            if gains:
                g, own = np.array(gains).T
                rows[what] = [len(g), g.mean(), between(s, g), g.sum() / own.sum() if own.sum() > 0 else None]
        f.tables[capital(s.titles[champion]) + " trained on other data"] = rows
    f.conclude = lambda: of_champion(s, f)
    return f


def e4(s):
    f, champion, rows = Finding(), s.champion, {}
    controlled = sum(bool(s.peers(u)) for u in s.users)
    for c in s.champion_first:
        matrix = {(o, u): s.gain(s.own(c, o), u) for o in s.users for u in s.users}
        if not any((s.own(c, o), u) in s.cells for o, u in matrix if o != u):
            continue
        f.claims.append(s.claim(s.titles[c] + " of the person", "the best other's of the same language",
                                personal_family(s, c), s.users, s.over_best_other(c)))
        f.claims[-1].void = s.void(controlled)
        mean = lambda values: np.mean(v) if (v := known(values)) else None
        over_mean = known(None if None in (x := (matrix[u, u], mean(matrix[o, u] for o in s.peers(u)))) else x[0] - x[1]
                          for u in s.users)
        abroad = lambda same: known(mean(matrix[o, u] for u in s.peers(o, same)) for o in s.users)
        rows[s.titles[c]] = [between(s, x) for x in (known(matrix[u, u] for u in s.users), abroad(True), abroad(False),
                                                     over_mean)]
        grouped = sorted(s.users, key=lambda u: s.people[u]["language"])
        f.tables[capital(s.titles[c]) + ": everybody's adapter on everybody's text"] = {
            u: [None if (g := matrix[o, u]) is None else margin(g) for o in grouped] for u in grouped}
        if c == champion and over_mean:
            f.numbers["margin over the mean other"] = margin(np.mean(over_mean))
    if not f.claims:
        return None
    f.tables["An adapter on other people's text"] = rows
    f.conclude = lambda: of_champion(s, f)
    return f


def composition(s, name, weights, word):
    """E6 and E10: the champion on coarser weights."""
    f, champion, title = Finding(), s.champion, s.titles[s.champion]
    if not s.ran(champion, weights=weights):
        return None
    there, here = (lambda u: Setting(champion, u, weights=weights)), (lambda u: Setting(champion, u))
    f.claims.append(s.claim(f"{title} on the {word} base", "the same on the dense base", name, s.users,
                            lambda u: (there(u), here(u))))
    if s.ran(champion, "generic", weights):
        healed = lambda u: s.generic(champion, u, weights=weights)
        f.claims.append(s.claim(f"{title} of the person on the {word} base", "the shared one that heals it", name,
                                s.users, lambda u: healed(u) and (there(u), healed(u)._replace(user=""))))
    of_user = [(s.difference(Setting(weights=weights), Setting(), u), s.difference(there(u), Setting(), u),
                s.gain(here(u), u)) for u in s.users]
    base, coarse, dense = np.array([x for x in of_user if None not in x]).reshape(-1, 3).T
    rows = {f"{word} base": base, f"{word} base with own adapters": coarse, "dense base with own adapters": dense}
    table = {what: [x.mean(), between(s, x)] for what, x in rows.items() if len(x)}
    if kept := s.kept(coarse, dense):
        f.numbers = dict(zip(("kept", "kept, low", "kept, high"), kept))
        table["kept of the gain on the dense base"] = [None, kept]
    if len(base):
        f.numbers[f"margin of the {word} base"] = margin(base.mean())
    f.tables[f"Against the dense base: {word} weights"] = table
    f.conclude = lambda: f.claims[0].answer
    return f


def e6(s):
    return composition(s, "E6", "ternary", "ternary")


def e10(s):
    return composition(s, "E10", "q4", "4-bit")


def e5(s):
    f, champion, rows = Finding(conclude=lambda: "measured", spoken=[]), s.champion, {}
    levels = {"0.0001": 1e-4, "0.001": 1e-3, "0.01": 1e-2, "0.1": 1e-1, "1": 1.0}
    over_base = lambda form: lambda u: (Setting(champion, u, form=form), Setting(form=form))
    over_others = lambda form: lambda u: s.peers(u) and (Setting(champion, u, form=form),
                                                         Setting(champion, u, data="others", form=form)) or None
    for level in levels:
        form, title = f"noise:{level}", f"{s.titles[champion]} under noise of {level}"
        for b, family, pair in (("the base", "the base", over_base), ("the same language's others", "others", over_others)):
            claim = s.claim(title, b, f"E5, against {family}", s.users, pair(form))
            if claim.names:
                f.claims.append(claim)
        lost = known(s.difference(Setting(form=form), Setting(), u) for u in s.users)
        of = lambda pair: known(s.difference(*x, u) for u in s.users if (x := pair(form)(u)))
        rows[level] = [margin(np.mean(x)) if x else None for x in (lost, of(over_base), of(over_others))]
    if not f.claims:
        return None
    f.tables["Perplexity of the base, and what own adapters save, by noise"] = rows

    def conclude():
        for against in ("the base", "others"):
            claims = [c for c in f.claims if c.family == f"E5, against {against}"]
            beaten = [x for x, c in zip(levels.values(), claims)]
            first = next((i for i, c in enumerate(claims) if c.answer != "better"), len(claims))
            if claims:
                f.numbers[f"largest noise, against {against}"] = beaten[first - 1] if first else None
        return "measured"
    f.conclude = conclude
    return f


def precision_loss(s, contender, form):
    """(share of the personal gain lost with its interval or None, who is worse than the base, bytes); None: nobody ran."""
    part, whole, harmed, size = [], [], [], 0
    for u in s.users:
        before, after = s.gain(Setting(contender, u), u), s.gain(Setting(contender, u, form=form), u)
        if None in (before, after):
            continue
        size = max(size, s.runs[Setting(contender, u, form=form)]["bytes"])
        harmed += [u] if before > 0 > after else []
        control = s.generic(contender, u)
        generic = (control and s.gain(control, u)) or 0.0
        whole.append(before - generic), part.append(after - generic)
    if not whole:
        return None
    kept = s.kept(part, whole)
    return kept and [1 - kept[0], 1 - kept[2], 1 - kept[1]], harmed, size


def e7(s):
    f, rows = Finding(conclude=lambda: "measured", spoken=[]), {}
    for c in s.judged:
        for form in ("bf16", "int8", "int4"):
            claim = s.claim(f"{s.titles[c]} in {form}", "the same in fp32", "E7", s.users,
                            lambda u: (Setting(c, u, form=form), Setting(c, u)))
            if not claim.names:
                continue
            f.claims.append(claim)
            lost, harmed, size = precision_loss(s, c, form)
            f.numbers[f"lost, {s.titles[c]} in {form}"] = lost and lost[0]
            rows[s.titles[c], form] = [form, size, lost, harmed or ["nobody"]]
    f.tables["What is lost by storing adapters smaller"] = rows
    return f if f.claims else None


def shared_kept(s, form):
    both = [(s.gain(Setting(s.champion, u, form=form), u), s.gain(Setting(s.champion, u), u)) for u in s.users]
    both = [x for x in both if None not in x]
    return s.kept(*np.array(both).T) if both else None


def e8(s):
    f, champion, rows = Finding(conclude=lambda: "measured", spoken=[]), s.champion, {}
    clusters = {}
    for u in s.users:
        run = s.runs.get(Setting(champion, u, form="cluster"))
        if run and run.get("group", 0):
            clusters.setdefault(run["group"], []).append(u)
    forms = {"mean": "everybody's mean", "others": "the mean of all others",
             "cluster": "the mean of the others in the person's cluster", "int4": "the person's own in int4",
             "cluster+int4": "the cluster's mean and what the person's own differs by, in int4"}
    whole = s.bytes(champion) or 0
    for form, words in forms.items():
        claim = s.claim(words, "the person's own", "E8", s.users,
                        lambda u: (Setting(champion, u, form=form), Setting(champion, u)))
        if not claim.names:
            continue
        f.claims.append(claim)
        runs = known(s.runs.get(Setting(champion, u, form=form)) for u in s.users)
        own = max((r["bytes"] for r in runs if r["status"] == "ok"), default=0)
        once = whole * (len(clusters) if form.startswith("cluster") else 1) / len(s.users)
        size = {"int4": own, "cluster+int4": own + once}.get(form, once)
        gains = known(s.gain(Setting(champion, u, form=form), u) for u in s.users)
        kept = shared_kept(s, form)
        f.numbers[f"kept, {form}"] = kept and kept[0]
        rows[words] = [size, kept, margin(np.mean(gains)) if gains else None]
    f.tables["What sharing keeps"] = rows
    f.tables["Who is in which cluster"] = {f"cluster {n}": [len(of), of] for n, of in sorted(clusters.items())}
    return f if f.claims else None


def e9(s):
    sizes = {c: size for c in s.contenders if (size := s.bytes(c)) is not None}
    if not sizes:
        return None
    parameters = {c["name"]: c["parameters"] for c in s.protocol["contenders"]}
    rows = {s.titles[c]: [parameters[c], size, *(size * n for n in FLEETS)] for c, size in sizes.items()}
    return Finding(numbers={f"bytes a user, {s.titles[c]}": size for c, size in sizes.items()},
                   tables={"Bytes as stored": rows}, conclude=lambda: "measured")


def e11(s):
    champion = s.champion
    if not s.ran(champion):
        return None
    questions = [(s.titles[r], lambda u, r=r: (s.own(champion, u), s.own(r, u))) for r in ["", *s.rivals]]
    if s.ran(champion, "generic"):
        questions.append(("generic text", s.over_generic(champion)))
    best = s.over_best_other(champion)
    if any(best(u) for u in s.users):
        questions.append(("the best other person's", best))
    splits = {}
    for title, key in (("By population", "population"), ("By kind", "kind"), ("By language", "language")):
        names = sorted({s.people[u][key] for u in s.users})
        splits[title] = {n or "unknown": [u for u in s.users if s.people[u][key] == n] for n in names}
    by_size, thirds = sorted(s.users, key=lambda u: s.people[u]["tokens"]["train"]), {}
    for i in range(3) if len(by_size) >= 3 else ():
        of = by_size[i * len(by_size) // 3:(i + 1) * len(by_size) // 3]
        ends = [s.people[u]["tokens"]["train"] for u in (of[0], of[-1])]
        thirds[f"{ends[0]:,} to {ends[1]:,} tokens"] = of
    splits["By size of text"] = thirds
    splits = {title: groups for title, groups in splits.items() if len(groups) > 1}
    if not splits:
        return None
    f, cells = Finding(), []
    for title, groups in splits.items():
        f.tables[title] = rows = {}
        for group, people in groups.items():
            rows[group] = [len(people)]
            name = f"{s.titles[champion]}, {'language ' if title == 'By language' else ''}{group}"
            for b, pair in questions:
                claim = s.claim(name, b, "E11", people, pair)
                if len(claim.names) >= LEAST_USERS:
                    f.claims.append(claim)
                    cells.append((claim, between(s, claim.nats)))
                    rows[group].append(cells[-1][1])
                else:
                    rows[group].append([margin(claim.mean), len(claim.names), "no claim"] if claim.names else None)
    f.numbers["claims"] = len(f.claims)

    def conclude():
        for claim, cell in cells:
            cell += [] if s.hangs_on_chance(claim) else [claim.answer]
        return "measured"
    f.conclude = conclude
    return f


def e12(s):
    f, rows = Finding(conclude=lambda: "measured"), {}
    for c in s.judged:
        runs = {(x.budget, x.user): r for x, r in s.runs.items()
                if x == Setting(c, x.user, budget=x.budget) and r["status"] == "ok"}
        budgets = sorted({b for b, _ in runs})
        points = []
        for u in s.users:
            gains = [s.gain(Setting(c, u, budget=b), u, 0) if (b, u) in runs else None for b in budgets]
            if None not in gains:
                points.append([(s.seconds(runs[b, u]), g) for b, g in zip(budgets, gains)])
        if not points or len(budgets) < 2:
            continue
        seconds, gain = np.mean(points, axis=0).T
        wait = None
        if gain[-1] > 0:
            i = int(np.argmax(gain >= 0.9 * gain[-1]))
            wait = seconds[0] if i == 0 else math.exp(np.interp(0.9 * gain[-1], gain[i - 1:i + 1],
                                                                np.log(seconds[i - 1:i + 1])))
        f.numbers[f"seconds to 90%, {s.titles[c]}"] = wait
        pilot, calibration = s.protocol["pilots"].get(c), s.protocol["calibration"].get(c)
        if pilot and calibration:
            tried = sum(len(r["loss"]) for r in pilot["rates"])
            run = calibration["steps"] * calibration["seconds_a_step"]
            f.numbers[f"seconds of pilots, {s.titles[c]}"] = tried * run
        for b, t, g in zip(budgets, seconds, gain):
            rows[s.titles[c], b] = [len(points), b, t, margin(g), g / gain[-1] if gain[-1] > 0 else None]
    f.tables["Margin over the base by budget"] = rows
    return f if rows else None


def e13(s):
    champion = s.champion
    mine = {x for x in s.runs if x.contender == champion and x.tokens}
    sizes, people = sorted({x.tokens for x in mine}), [u for u in s.users if u in {x.user for x in mine}]
    if not sizes:
        return None
    f, rows = Finding(conclude=lambda: "measured"), {}
    for n in [*sizes, 0]:
        for r in s.rivals:
            enough = lambda u: n == 0 or s.people[u]["tokens"]["train"] > n
            pair = lambda u: (Setting(champion, u, tokens=n), Setting(r, u, tokens=n)) if enough(u) else None
            b = f"{s.titles[r]} at {f'{n:,}' if n else 'all'} tokens"
            f.claims.append(s.claim(s.titles[champion], b, "E13", people, pair, 0))
    for c in s.judged:
        gains = [[s.gain(Setting(c, u, tokens=n), u, 0) for n in [*sizes, 0]] for u in people]
        gains = [g for g in gains if None not in g]
        if gains:
            rows[s.titles[c]] = [len(gains), *map(margin, np.mean(gains, axis=0))]
    f.tables["Margin over the base by size of text"] = rows
    return f


EXPERIMENTS = {"E1": e1, "E2": e2, "E3": e3, "E4": e4, "E5": e5, "E6": e6, "E7": e7, "E8": e8, "E9": e9, "E10": e10,
               "E11": e11, "E12": e12, "E13": e13}


def decide(s, found):
    """The admissible are better than generic text by the margin (E3), and than the best other person's by it at the
    interval's low end (E4). Among them the cheapest not shown to be worse than the best by the margin or more. Where
    nobody is admissible though all was asked, the champion if a cluster's mean with the own residual keeps 80%."""
    def holds(experiment, contender, value):
        of = found[experiment].claims if experiment in found else []
        claims = [c for c in of if c.family == personal_family(s, contender)]
        return bool(claims) and claims[0].answer == "better" and value(claims[0]) >= s.share
    admissible = [c for c in s.champion_first if holds("E3", c, lambda x: margin(x.mean)) and
                  holds("E4", c, lambda x: margin(x.interval(s.level)[0]))]
    common = [u for u in s.users if None not in [s.gain(s.own(c, u), u) for c in admissible]]
    of = {c: [g for u in common if (g := s.gain(s.own(c, u), u)) is not None] for c in s.champion_first}
    gains = {c: np.mean(of[c]) for c in of if of[c]}
    rows = {s.titles[c]: ["yes" if c in admissible else "no", s.bytes(c), margin(gains[c]) if c in gains else None]
            for c in s.champion_first}
    if not admissible or not all(c in gains for c in admissible):
        kept = shared_kept(s, "cluster+int4") if not admissible and {"E3", "E4"} <= found.keys() else None
        return s.champion if kept and kept[0] >= 0.8 else "", rows, []
    best = max(admissible, key=lambda c: gains[c])
    claims = {c: s.claim(s.titles[c], s.titles[best], "decision", s.users, lambda u, c=c: (s.own(c, u), s.own(best, u)))
              for c in admissible if c != best}
    s.judge(list(claims.values()))
    eligible = [c for c in admissible if c == best or claims[c].answer in ("better", "equivalent") or claims[c].within]
    eligible = [c for c in eligible if s.bytes(c) is not None]
    chosen = min(eligible, key=lambda c: (s.bytes(c), -gains[c])) if eligible else ""
    return chosen, rows, list(claims.values())


# ---- theirs against ours


def capital(text):
    return text[:1].upper() + text[1:]


def numbers_in(text):
    """(value, half of its last digit) of each number as a report writes it: "−8.7% [−14.5%, −3.3%]", "9.22 kB"."""
    units = {"%": 0.01, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15, "EB": 1e18,
             "s": 1, "min": 60, "h": 3600}
    found = []
    number = r"(×?)([−+]?)(\d[\d,]*(?:\.\d+)?)(e[+-]?\d+)?(?:\s?(%|[kMGTPE]?B|s|min|h)(?!\w))?"
    for times, sign, digits, power, unit in re.findall(number, text):
        digits = digits.replace(",", "")
        decimals = len(digits.partition(".")[2])
        scale = units.get(unit, 1) * float("1" + power if power else 1)
        value = (-1 if sign == "−" else 1) * float(digits) * scale
        half = 0.5 * 10.0**-decimals * scale
        found.append((1 - value, half) if times else (value, half))
    return found


def tables_of(markdown):
    """title -> [[cell]] of a report's tables, without their heads."""
    plain = lambda text: re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)\*\*", "", text)).strip()
    tables, title = {}, None
    for line in markdown.splitlines():
        if line.startswith("**") and line.endswith("**"):
            title = plain(line)
            tables[title] = []
        elif line.startswith("|") and title is not None:
            tables[title].append([plain(x) for x in re.split(r"(?<!\\)\|", line)[1:-1]])
    return {title: rows[2:] for title, rows in tables.items()}


class Comparison:
    """Collects lines of what is theirs and ours, and which differ."""

    def __init__(self):
        self.lines, self.wrong = [], []

    def note(self, what, theirs, ours, equal):
        line = (what, show(theirs), show(ours), "" if equal else "MISMATCH")
        if isinstance(theirs, float) and isinstance(ours, float) and math.isfinite(theirs) and math.isfinite(ours):
            line = (*line[:3], f"{theirs - ours:+.1e}" + ("" if equal else " MISMATCH"))
        self.lines.append(line)
        if not equal:
            self.wrong.append(f"{what}: {line[1]} in the document, {line[2]} recomputed")

    def number(self, what, theirs, ours, error=0.0):
        """JSON has no infinity: null stands for it."""
        ours = None if ours is None or not math.isfinite(ours) else float(ours)
        theirs = None if theirs is None else float(theirs)
        close = theirs == ours
        if None not in (theirs, ours):
            close = abs(theirs - ours) <= max(1e-10, 1e-9 * abs(ours), error)
        self.note(what, theirs, ours, close)

    def same(self, what, theirs, ours):
        self.note(what, theirs, ours, theirs == ours)

    def claim(self, s, place, theirs, c):
        at = f"{place}: {c.a} against {c.b}: "
        low, high = c.interval(s.level)
        self.same(at + "users", theirs["users"], len(c.names))
        self.number(at + "nats", theirs["nats"], c.mean)
        self.number(at + "margin", theirs["estimate"], margin(c.mean))
        self.number(at + "interval, low", theirs["interval"][0], margin(low))
        self.number(at + "interval, high", theirs["interval"][1], margin(high))
        self.number(at + "p", theirs["p"], c.p, drawn_error(c.p, len(c.names)))
        self.number(at + "p adjusted", theirs["p_adjusted"], c.adjusted, c.error)
        self.same(at + "comparisons", theirs["comparisons"], c.comparisons)
        self.same(at + "ahead for", theirs["strict"], int(np.sum(c.nats > 0)))
        self.same(at + "bootstrap there", "bootstrap" in theirs, len(c.names) > 1)
        if "bootstrap" in theirs and len(c.names) > 1:
            for end, said, (least, most) in zip(("low", "high"), theirs["bootstrap"], c.bootstrap(s.level)):
                said = (-math.inf if end == "low" else math.inf) if said is None else said
                bound = [margin(least), margin(most)]
                inside = bound[0] - 1e-9 <= said <= bound[1] + 1e-9
                self.note(at + f"bootstrap, {end}", said, bound, bool(inside))
        if s.hangs_on_chance(c):
            return
        self.same(at + "answer", theirs["answer"], c.answer)
        self.same(at + "within the margin", theirs["within_margin"], c.within)
        said = "void" if theirs["answer"] == "void" and theirs["reason"] else theirs["reason"]
        self.note(at + "reason", said, c.reason, said.startswith(c.reason) and bool(said) == bool(c.reason))
        needed = theirs.get("users_needed")
        self.note(at + "users that would do", needed, c.needed[1], needed == c.needed[1] or needed == c.needed[0] or
                  None not in (needed, *c.needed) and c.needed[0] <= needed <= c.needed[1])

    def table(self, place, theirs, ours):
        """By a report's rows in order; a row's first cell is its name."""
        names = [name[0] if isinstance(name, tuple) else name for name in ours]
        self.same(f"{place}: rows", [r[0] for r in theirs], names)
        for said, (name, cells) in zip(theirs, ours.items()):
            for column, cell in enumerate(cells, 1):
                values = cell if isinstance(cell, list) else [cell]
                text, equal = said[column] if column < len(said) else "", True
                words = [v for v in values if isinstance(v, str)]
                figures = [v for v in values if v is not None and not isinstance(v, str)]
                shown = numbers_in(text) if not words or figures else []
                equal = len(shown) == len(figures) and all(abs(v - x) <= half * 1.001 + 1e-9 * abs(x)
                                                           for (v, half), x in zip(shown, figures))
                for word in words:
                    equal = equal and (word in text if word else not re.search("better|worse", text))
                self.note(f"{place}: {name}, column {column}", text, cell, bool(equal))


def show(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    return "–" if value is None else str(value)


class Judgement:
    """What the cells say: findings, their answers, and the default. Verdicts are not looked at."""

    def __init__(self, document):
        self.study = s = Study(document)
        self.found = {name: f for name, make in EXPERIMENTS.items()
                      if name in s.protocol["experiments"] and (f := make(s))}
        s.judge([c for f in self.found.values() for c in f.claims])
        self.answers = {name: f.conclude() for name, f in self.found.items()}
        self.default, self.candidates, among = decide(s, self.found)
        personal = [c for name in ("E3", "E4") if name in self.found for c in self.found[name].claims]
        self.default_is_sure = not any(map(s.hangs_on_chance, [*among, *personal]))


    def is_admissible(self, contender):
        return self.candidates[self.study.titles[contender]][0] == "yes"

    def storage(self):
        """int8 where that surely loses less than a twentieth of the personal gain and harms nobody."""
        if not self.default:
            return ""
        if not self.is_admissible(self.default):
            return "cluster+int4"
        found = precision_loss(self.study, self.default, "int8")
        return "" if not found else "int8" if found[0] and found[0][2] < 0.05 and not found[1] else "fp32"


def compare(document, report=None, judgement=None):
    """A Comparison of the document's verdicts, and of the report's tables if there is one, with what is found here."""
    j = judgement or Judgement(document)
    s, result, verdicts = j.study, Comparison(), dict(document["verdicts"])
    for fault in s.faults:
        result.note(fault, "", "", False)
    decision = verdicts.pop("decision", {})
    result.same("experiments", sorted(verdicts), sorted(j.found))
    for name, f in j.found.items():
        if name in verdicts:
            compare_finding(s, result, name, verdicts[name], f, j.answers[name])
    if j.default_is_sure and (decision or s.contenders):
        result.same("decision", decision.get("contender"), j.default)
        words = f"Default: {s.titles[j.default]}, " if j.default else "No default: "
        if j.default and not j.is_admissible(j.default):
            words = f"Default: of {s.titles[j.default]} a cluster's mean and the own residual in int4"
        result.same("decision: stored as", decision.get("storage", ""), j.storage())
        said = decision.get("sentence", "")
        result.note("decision: the sentence says", said[:len(words)], words, said.startswith(words))
    if report is not None:
        tables = tables_of(report)
        ours = {title: rows for f in j.found.values() for title, rows in f.tables.items()}
        if j.default_is_sure:
            ours["Who may be the default"] = j.candidates
        for title, rows in ours.items():
            if rows and (": everybody's adapter" not in title or len(s.users) <= 16):  # wider ones are drawn only
                result.table(f"report, {title}", tables.get(title, []), rows)
    return result


def compare_finding(s, result, name, said, f, answer):
    label = lambda c: [c["a"], c["b"], c.get("family", "")]
    result.same(f"{name}: claims", [label(c) for c in said["claims"]], [[c.a, c.b, c.family] for c in f.claims])
    result.same(f"{name}: comparisons", said["comparisons"], len(f.claims))
    for theirs, ours in zip(said["claims"], f.claims):
        result.claim(s, name, theirs, ours)
    sure = not any(map(s.hangs_on_chance, f.claims))
    result.same(f"{name}: numbers", sorted(said["numbers"]), sorted(f.numbers))
    for key in f.numbers:
        if key in said["numbers"] and (sure or "answers" not in key):
            result.number(f"{name}: {key}", said["numbers"][key], f.numbers[key])
    if not sure:
        return
    result.same(f"{name}: answer", said["answer"], answer)
    for c in f.claims if f.spoken is None else f.spoken:
        # What is decided is said; what is said of a claim is its answer.
        words = f"{capital(c.a)} against {c.b}: "
        said_right = words + c.answer in said["sentence"]
        silent = words not in said["sentence"] and c.answer in ("undecided", "void")
        theirs = words + c.answer if said_right else said["sentence"]
        result.note(f"{name}: the sentence says", theirs, words + c.answer, said_right or silent)


def main(arguments):
    wrong = 0
    for path in map(Path, arguments):
        report = path.with_name("report.md")
        result = compare(json.loads(path.read_text(encoding="utf-8")),
                         report.read_text(encoding="utf-8") if report.exists() else None)
        heads = ("claim", "theirs", "ours", "difference")
        widths = [min(90, max(len(line[i]) for line in [heads, *result.lines])) for i in range(3)]
        for line in [heads, *result.lines]:
            print("  ".join(text.ljust(width) for text, width in zip(line, [*widths, 0])).rstrip())
        mismatches = f"{len(result.wrong) or 'no'} mismatch{'' if len(result.wrong) == 1 else 'es'}"
        print(f"{path}: {len(result.lines)} compared, {mismatches}")
        for line in result.wrong:
            print(f"{path}: {line}")
        wrong += len(result.wrong)
    return 1 if wrong or not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
