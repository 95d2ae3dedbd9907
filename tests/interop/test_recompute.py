"""What tern-shootout says follows from the cells, by a computation that shares no code with it."""
import copy
import functools
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import oracle as tern
import recompute
from conftest import missing

RESULTS = [p for p in sorted((Path(__file__).parents[2] / "docs" / "results").glob("*/results.json"))
           if json.loads(p.read_text(encoding="utf-8"))["protocol"].get("version") == 2]


class Study:
    """A small shootout with planted truth: `gains` are nats per token over the base, as a mean over people; people
    differ by `spread`, seeds, documents and chunks by less."""

    def __init__(self, users, gains, spread=0.04, seeds=2, seed=1, languages=("en", "ml"), skewed=False):
        self.random = np.random.default_rng(seed)
        self.names = [f"u{i}" for i in range(users)]
        self.gains, self.seeds, self.champion = gains, seeds, next(iter(gains))
        self.spread = {(c, u): spread * (self.random.exponential() - 1 if skewed else self.random.normal())
                       for c in gains for u in self.names}
        kinds, pilots = ("prose", "chat", "code"), self.names[:3]
        losses = {1e-3: [3.0, 3.1, 3.2], 3e-3: [2.9, 2.8, 3.0], 9e-3: [3.3, 2.9, None]}
        tuned = {"users": pilots, "rates": [{"rate": rate, "loss": loss} for rate, loss in losses.items()],
                 "chosen": 3e-3, "for_pilot": [3e-3] * 3, "interior": True, "candidate": "", "candidates": {}}
        self.document = {
            "tern": {"version": "1", "commit": "c", "compiler": "g", "isa": "i", "cpu": "x", "threads": 1},
            "base": {"name": "Planted", "fingerprint": "f", "architecture": "llama", "parameters": 30_000_000,
                     "types": {"f32": 1.0}, "bytes": 120_000_000, "gains": 2304, "gain_vectors": 9,
                     "ternary_twin": True},
            "protocol": {
                "version": 2, "hash": "0123456789abcdef", "kind": "standard",
                "roles": {"champion": self.champion, "rivals": list(gains)[1:], "fallback": list(gains)[-1]},
                "contenders": [{"name": c, "title": f"{c} adapters", "trains_base": False, "parameters": 1000 * (i + 1),
                                "sites": "all"} for i, c in enumerate(gains)],
                "margins": {"equivalence": 0.05, "alpha": 0.05}, "context": 64, "eval_tokens": 1024, "seeds": seeds,
                "split": "by time", "budget": {"seconds": 60.0}, "experiments": list(recompute.EXPERIMENTS),
                "weights": "stored", "precision": "full", "gradients": "float",
                "generic": {u: f"{languages[i % len(languages)]}-prose" for i, u in enumerate(self.names)},
                "refused": {},
                "calibration": {c: {"seconds_a_step": 0.5 + 0.1 * i, "steps": 120, "cpu": "x"}
                                for i, c in enumerate(gains)},
                "pilots": {c: copy.deepcopy(tuned) for c in gains}},
            "populations": [{"name": "people", "users": self.names}],
            "users": [{"name": u, "population": "people", "kind": kinds[i % len(kinds)],
                       "language": languages[i % len(languages)], "owners": [], "guessed_owner": False, "documents": 9,
                       "bytes": 90_000, "tokens": {"train": 9000 + 1500 * i, "validation": 2000, "held_out": 4000},
                       "split": "by time", "one_work": False, "split_hash": f"h{i}", "duplicates_removed": 0,
                       "replaced": 0, "scrubbed": {}, "skipped": {}, "files": []} for i, u in enumerate(self.names)],
            "left_out": [], "verdicts": {}, "adapters": [], "cells": []}
        # Each user's chunks: 4 to 6 documents of 2 to 4 chunks.
        self.shape = {u: [(d, int(self.random.integers(40, 64))) for d in range(self.random.integers(4, 7))
                          for _ in range(self.random.integers(2, 5))] for u in self.names}
        self.level = {u: 3 + 0.4 * self.random.normal(size=len(self.shape[u])) for u in self.names}
        for weights, worse in (("stored", 0.0), ("ternary", 0.25)):
            for u in self.names:
                self.cell(None, weights, u, -worse)
        for c in gains:
            for u in self.names:
                for n in range(seeds):
                    self.run(c, u, self.truth(c, u), texts=self.names if n == 0 else [u], seed=n)
                self.run(c, u, 0.4 * self.truth(c, u), data="generic:" + self.document["protocol"]["generic"][u])
                for budget, share in ((0.2, 0.6), (0.5, 0.85), (3.0, 1.05)):
                    self.run(c, u, share * self.truth(c, u), budget=budget)
                for size, share in ((4096, 0.5), (16384, 0.8)):
                    if self.document["users"][self.names.index(u)]["tokens"]["train"] > size:
                        self.run(c, u, share * self.truth(c, u), train_tokens=size)
        for u in self.names:
            for data, share in (("uniform", -0.1), ("shuffled", 0.3), ("others", 0.5)):
                self.run(self.champion, u, share * self.truth(self.champion, u), data=data)
            self.run(self.champion, u, 0.8 * self.truth(self.champion, u) - 0.1, weights="ternary")
        for name in sorted(set(self.document["protocol"]["generic"].values())):
            self.run(self.champion, "", -0.1, texts=self.names, data="generic:" + name, weights="ternary")
        self.forms()

    def forms(self):
        """E5, E7, E8 and E10: adapters under noise, stored smaller, shared, and on a 4-bit base."""
        for level, (lost, share) in {"0.0001": (0, 1), "0.001": (0, 1), "0.01": (0.02, 0.9), "0.1": (0.3, 0.3), "1": (4, -1)}.items():
            for u in self.names:
                self.cell(None, "stored", u, -lost, form="noise:" + level)
                own = self.truth(self.champion, u)
                self.run(self.champion, u, share * own - lost, form="noise:" + level)
                self.run(self.champion, u, 0.4 * share * own - lost, data="others", form="noise:" + level)
        for c in self.gains:
            for form, share in (("bf16", 1), ("int8", 0.99), ("int4", 0.7)):
                for u in self.names:
                    self.run(c, u, share * self.truth(c, u), form=form)
        for form, share in (("mean", 0.4), ("others", 0.35), ("cluster", 0.5), ("cluster+int4", 0.9)):
            for i, u in enumerate(self.names):
                self.run(self.champion, u, share * self.truth(self.champion, u), form=form)
                self.document["adapters"][-1]["group"] = i % 2 + 1
        for u in self.names:
            self.cell(None, "q4", u, -0.1)
            self.run(self.champion, u, 0.9 * self.truth(self.champion, u) - 0.05, weights="q4")

    def truth(self, contender, user):
        return self.gains[contender] + self.spread[contender, user]

    def run(self, contender, user, gain, texts=None, seed=0, data="real", weights="stored", budget=1.0, train_tokens=0,
            form=""):
        name = f"a{len(self.document['adapters'])}"
        size = 1000 * (1 + list(self.gains).index(contender))
        self.document["adapters"].append({
            "id": name, "contender": contender, "user": user, "seed": seed, "data": data, "weights": weights,
            "budget": budget, "train_tokens": train_tokens, "parameters": size, "bytes": 4 * size + len(user),
            "learning_rate": 3e-3, "steps": round(120 * budget), "seconds": 60 * budget, "status": "ok", "reason": "",
            "curve": [{"step": 0, "seconds": 0.0, "validation_ppl": 20.0}], "form": form})
        for text in texts or [user]:
            mine = text == user or not user
            self.cell(name, weights, text, gain if mine else 0.3 * gain + 0.01 * self.random.normal())

    def cell(self, adapter, weights, user, gain, form=""):
        by_document = 0.02 * self.random.normal(size=9)
        noise = 0.01 * self.random.normal(size=len(self.shape[user]))
        chunks = [[d, float((level - gain + (by_document[d] + wiggle if adapter else 0)) * tokens), tokens]
                  for (d, tokens), level, wiggle in zip(self.shape[user], self.level[user], noise)]
        tokens = sum(c[2] for c in chunks)
        nll = sum(c[1] for c in chunks)
        self.document["cells"].append({"adapter": adapter, "weights": weights, "user": user, "nll": nll,
                                       "tokens": tokens, "bytes": 4 * tokens, "chunks": chunks, "form": form})

    def fail(self, contender, user):
        for a in self.document["adapters"]:
            if a["contender"] == contender and a["user"] == user:
                a["status"], a["reason"] = "failed", "diverged"
                self.document["cells"] = [c for c in self.document["cells"] if c["adapter"] != a["id"]]
        return self

    def untuned(self, contender):
        pilot = self.document["protocol"]["pilots"][contender]
        for rate, loss in zip(pilot["rates"], (3.0, 2.8, 2.7)):
            rate["loss"] = [loss] * 3
        pilot.update(chosen=9e-3, for_pilot=[9e-3] * 3, interior=False)
        for a in self.document["adapters"]:
            if a["contender"] == contender:
                a["learning_rate"] = 9e-3
        return self


STUDIES = {
    "a clear win": lambda: Study(12, {"norm": 0.30, "lora-r4": 0.15, "full": 0.02}),
    "a null result": lambda: Study(14, {"norm": 0.20, "lora-r4": 0.20, "full": 0.21}, spread=0.02),
    "a loss": lambda: Study(12, {"norm": 0.05, "lora-r4": 0.30, "full": 0.08}, spread=0.01, languages=("en",)),
    "nothing certain": lambda: Study(8, {"norm": 0.10, "lora-r4": 0.08, "full": 0.13}, spread=0.12, seed=3),
    "few users": lambda: Study(5, {"norm": 0.30, "lora-r4": 0.15}),
    "others write other languages": lambda: Study(7, {"norm": 0.30, "lora-r4": 0.1}, languages=tuple("abcdefg")),
    "drawn flips": lambda: Study(24, {"norm": 0.16, "lora-r4": 0.12}, spread=0.08, seeds=1, seed=5),
    "skewed": lambda: Study(13, {"norm": 0.16, "lora-r4": 0.13, "full": 0.12}, spread=0.07, skewed=True, seed=8),
    "one run failed": lambda: Study(12, {"norm": 0.30, "lora-r4": 0.15}).fail("lora-r4", "u4"),
    "many runs failed": lambda: Study(12, {"norm": 0.30, "lora-r4": 0.15}).fail("lora-r4", "u1").fail("lora-r4", "u4"),
    "not tuned": lambda: Study(12, {"norm": 0.30, "lora-r4": 0.15, "full": 0.1}).untuned("lora-r4"),
}


@functools.cache
def document_of(name):
    return STUDIES[name]().document


@functools.cache
def judgement(name):
    return recompute.Judgement(document_of(name))


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Has a study judged by the program: the document with its verdicts, and the report."""
    program, done = tern.program().with_name("tern-shootout"), {}
    if not program.exists():
        missing(f"{program} is not built: cmake --build --preset release --target tern-shootout")

    def judge(name):
        if name not in done:
            out = tmp_path_factory.mktemp("study")
            (out / "results.json").write_text(json.dumps(document_of(name)), encoding="utf-8")
            finished = subprocess.run([program, "report", "--out", out], capture_output=True, text=True)
            assert finished.returncode == 0, finished.stderr
            done[name] = out
        return done[name]
    return judge


def read(folder):
    return (json.loads((folder / "results.json").read_text(encoding="utf-8")),
            (folder / "report.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", STUDIES)
def test_the_program_judges_a_planted_study_as_we_do(judged, name):
    document, report = read(judged(name))
    assert set(document["verdicts"]) >= {"E1", "E3", "E4", "E5", "E7", "E8", "E9", "E10", "E12", "E13", "decision"}
    assert recompute.compare(document, report, judgement(name)).wrong == []


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.parent.name)
def test_published_verdicts_follow_from_the_cells(path):
    document, report = read(path.parent)
    assert recompute.compare(document, report).wrong == []


def test_each_answer_was_planted():
    """Else the comparisons above would prove little."""
    answers, reasons = set(), set()
    for name in STUDIES:
        for finding in judgement(name).found.values():
            answers |= {(c.answer, c.within) for c in finding.claims}
            reasons |= {c.reason for c in finding.claims}
    assert answers >= {("better", False), ("better", True), ("worse", False), ("worse", True), ("equivalent", True),
                       ("undecided", False), ("void", False)}
    assert reasons == {"", "too few users", "not tuned", "runs failed", "void"}


# ---- faults that must be seen


def exit_code(folder, document, report):
    (folder / "results.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "report.md").write_text(report, encoding="utf-8")
    return recompute.main([str(folder / "results.json")])


def test_exits_with_0_where_all_agree(judged, tmp_path):
    assert exit_code(tmp_path, *read(judged("a clear win"))) == 0


def test_an_altered_cell_is_noticed(judged, tmp_path, capsys):
    document, report = read(judged("a clear win"))
    cell = next(c for c in document["cells"] if c["adapter"])
    cell["chunks"][0][1] *= 1.01  # and the sum with it: only the verdicts betray it
    cell["nll"] = sum(c[1] for c in cell["chunks"])
    assert exit_code(tmp_path, document, report) == 1
    assert "E1: norm adapters against lora-r4 adapters: nats" in capsys.readouterr().out
    document, _ = read(judged("a clear win"))
    document["cells"][0]["nll"] *= 1.001
    assert exit_code(tmp_path, document, report) == 1


def places(tree, place=()):
    """Of every number, word and switch in a verdict, but for prose and what has no second source."""
    if isinstance(tree, (dict, list)):
        for key, child in tree.items() if isinstance(tree, dict) else enumerate(tree):
            if key not in ("sentence", "notes", "storage", "reason"):
                yield from places(child, (*place, key))
    else:
        yield place


def altered(value, key):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, str):
        return "better" if key == "answer" and value != "better" else value + "x"
    return value + 1 if isinstance(value, int) else value + max(1e-6, 1e-6 * abs(value))


def test_every_altered_finding_is_noticed(judged):
    document, _ = read(judged("few users"))
    assert recompute.compare(document, None, judgement("few users")).wrong == []
    for place in places(document["verdicts"]):
        if "bootstrap" in place:
            continue  # random: the next test
        changed = copy.deepcopy(document)
        inner = changed["verdicts"]
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = altered(inner[place[-1]], place[-1])
        assert recompute.compare(changed, None, judgement("few users")).wrong, place


def test_an_altered_answer_bootstrap_reason_or_sentence_is_noticed(judged):
    document, report = read(judged("a clear win"))
    claim = document["verdicts"]["E1"]["claims"][0]
    width = claim["bootstrap"][1] - claim["bootstrap"][0]

    def faulty(change):
        changed = copy.deepcopy(document)
        change(changed["verdicts"])
        return len(recompute.compare(changed, report, judgement("a clear win")).wrong) > 0
    assert faulty(lambda v: v["E1"].update(answer="equivalent"))
    assert faulty(lambda v: v["E1"]["claims"][0].update(answer="equivalent", within_margin=True))
    assert faulty(lambda v: v["E1"]["claims"][0]["bootstrap"].__setitem__(0, claim["bootstrap"][0] - width))
    assert faulty(lambda v: v["E1"]["claims"][0].update(reason="too few users: 12"))
    assert faulty(lambda v: v["E1"].update(sentence="All is well."))
    assert faulty(lambda v: v["decision"].update(contender="full"))
    assert faulty(lambda v: v.pop("E6"))
    assert not faulty(lambda v: None)


def test_an_altered_report_is_noticed(judged):
    document, report = read(judged("a clear win"))
    for title in ("Norm adapters, user by user", "Bytes as stored", "An adapter on other people's text",
                  "Where the spread of differences comes from, nats per token"):
        at = report.index(f"**{title}**")
        lines = report[at:].split("\n")
        digit = next(i for i, ch in reversed(list(enumerate(lines[4]))) if ch.isdigit())
        lines[4] = lines[4][:digit] + str((int(lines[4][digit]) + 5) % 10) + lines[4][digit + 1:]
        changed = report[:at] + "\n".join(lines)
        assert recompute.compare(document, changed, judgement("a clear win")).wrong, title


# ---- the statistics themselves, where there is a second way


def test_sign_flips_count_all_flips():
    values = np.random.default_rng(1).normal(0.3, 1, size=11)
    signs = np.array(np.meshgrid(*[[1, -1]] * 11)).reshape(11, -1)
    assert recompute.sign_flip(values) == np.mean(np.abs(values @ signs) >= abs(values.sum()) - 1e-12)
    assert recompute.sign_flip(np.full(6, 0.1)) == 2 / 64


def test_tests_and_power_are_those_of_scipy_and_of_simulation():
    random = np.random.default_rng(2)
    values = random.normal(0.01, 0.05, size=12)
    ends = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert recompute.t_interval(values, 0.95) == pytest.approx(tuple(ends), rel=1e-12)
    upper = stats.ttest_1samp(values, 0.0488, alternative="less").pvalue
    lower = stats.ttest_1samp(values, -0.0488, alternative="greater").pvalue
    assert recompute.equivalence_p(values, 0.0488) == pytest.approx(max(upper, lower), rel=1e-12)
    t = stats.t.ppf(1 - 25 / 512 / 2, 9)  # 10 users: the largest level of sign flips below 0.05
    power = stats.nct.sf(t, 9, 3) + stats.nct.cdf(-t, 9, 3)
    assert recompute.power_of_difference(10, 3 * 0.1 / np.sqrt(10), 0.1, 0.05) == pytest.approx(power, abs=1e-9)
    draws = random.normal(0, 0.08, size=(40_000, 20))
    reach = stats.t.ppf(0.95, 19) * draws.std(axis=1, ddof=1) / np.sqrt(20)
    share = np.mean(np.abs(draws.mean(axis=1)) + reach < 0.0488)
    assert recompute.power_of_equivalence(20, 0.0488, 0.08, 0.05) == pytest.approx(share, abs=5 * 0.5 / 200)


def test_variance_components_find_what_was_planted():
    random = np.random.default_rng(3)
    users = [0.3 * random.normal() + 0.2 * random.normal(size=(a, 1)) + 0.1 * random.normal(size=(1, b)) +
             0.05 * random.normal(size=(a, b)) for a, b in random.integers(2, 5, size=(4000, 2))]
    assert np.sqrt(recompute.variance_components(users)) == pytest.approx([0.3, 0.2, 0.1, 0.05], rel=0.05)
