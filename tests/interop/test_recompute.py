"""The published results say what their own adapters and cells say, by a computation that shares no code with tern."""
import copy
import json
from pathlib import Path

import pytest

import recompute

RESULTS = sorted((Path(__file__).parents[2] / "docs" / "results").glob("*/results.json"))


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_results():
    assert RESULTS, "no docs/results/*/results.json"


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.parent.name)
def test_verdicts_follow_from_adapters_and_cells(path):
    assert recompute.differences(load(path)) == []


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.parent.name)
def test_a_changed_verdict_is_noticed(path):
    document = load(path)
    for name in document["verdicts"]:
        changed = copy.deepcopy(document)
        verdict = changed["verdicts"][name]
        verdict["holds"] = {True: False, False: None, None: True}[verdict["holds"]]
        assert any(line.startswith(f"{name}.holds:") for line in recompute.differences(changed))


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.parent.name)
def test_a_changed_number_is_noticed(path):
    document = load(path)
    for name, (_, numbers, _, _) in recompute.answers(document).items():
        for place in leaves(document["verdicts"][name]["numbers"]):
            if place[-1] in ("low", "high"):
                continue
            changed = copy.deepcopy(document["verdicts"][name]["numbers"])
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = changed_value(inner[place[-1]])
            found = recompute.Differences()
            found.compare(name, changed, numbers)
            assert found, (name, *place)


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.parent.name)
def test_a_changed_cell_is_noticed(path):
    document = load(path)
    document["cells"][-1]["nll"] *= 1.01
    assert recompute.differences(document)


def leaves(tree, place=()):
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if children is None:
        yield place
    else:
        for key, child in children:
            yield from leaves(child, (*place, key))


def changed_value(value):
    if isinstance(value, bool) or value is None:
        return not value
    return value + "x" if isinstance(value, str) else value * 1.001 + 0.001
