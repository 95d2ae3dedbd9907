"""The larger real bases against stored/*.json, which make_oracles.py writes from what transformers computes in float32: ids, losses,
perplexity by both conventions, some logits, and samples of gradients of gains and LoRA."""
import json
import os

import numpy
import pytest

import bases
import make_oracles
import reference
from conftest import missing

LARGEST = "qwen2.5-coder-1.5b-instruct"  # takes 20 minutes and 1.1 GB of packages: only where TERN_LARGEST is set
STORED = sorted(p for p in make_oracles.STORED.glob("*.json") if p.stem != LARGEST or "TERN_LARGEST" in os.environ)


def test_there_are_stored_values():
    assert {path.stem for path in STORED} >= {"gemma-3-270m", "qwen2.5-coder-0.5b-instruct"}


@pytest.fixture(scope="module", params=STORED, ids=lambda path: path.stem)
def stored(request):
    return json.loads(request.param.read_text())


@pytest.fixture(scope="module")
def base(stored):
    assert stored["sha256"] == bases.BASES[stored["base"]].sha256
    try:
        return bases.fetch(stored["base"])
    except Exception as error:
        missing(f"{stored['base']} cannot be had: {error}")


def text_ids(stored):
    return stored["ids"][-make_oracles.TOKENS :]


def test_tokens(stored, base, data, oracle, tmp_path):
    path = tmp_path / "text"
    path.write_bytes(make_oracles.beginning(data / "eval" / "wikitext-2-raw" / "wiki.test.canonical.raw").encode())
    (found,) = oracle.tokens(base, [path])
    assert found[: make_oracles.TOKENS].tolist() == text_ids(stored)


def test_losses(stored, base, oracle):
    expected = numpy.array(stored["nll"])
    found = oracle.nll(base, stored["ids"])
    assert numpy.abs(found - expected).max() < 1e-3 * stored["logits"]["spread"]
    assert found.mean() == pytest.approx(expected.mean(), rel=1e-4)


def test_logits(stored, base, oracle):
    expected = stored["logits"]
    found = oracle.logits(base, stored["ids"])[expected["positions"]][:, expected["columns"]]
    assert numpy.abs(found - expected["values"]).max() < 1e-3 * expected["spread"]


def test_perplexity(stored, base, oracle):
    for expected in stored["perplexity"]:
        how = expected["convention"], expected["context"], expected["prefix"]
        tokens, nll, ppl, _ = oracle.perplexity(base, text_ids(stored), *how)
        assert tokens == expected["tokens"], how
        assert nll == pytest.approx(expected["nll"], rel=1e-4), how
        assert ppl == pytest.approx(expected["perplexity"], rel=1e-4), how


def check_gradients(found, expected):
    """The sample within 1e-3 of its own norm, and so the norm of all."""
    for name, sample in expected.items():
        assert list(found[name].shape) == sample["shape"], name
        values, flat = numpy.array(sample["values"]), found[name].ravel()
        assert numpy.linalg.norm(flat[:: sample["step"]] - values) < 1e-3 * numpy.linalg.norm(values), name
        assert numpy.linalg.norm(flat.astype(float)) == pytest.approx(sample["norm"], rel=1e-3), name


def test_gradients_of_gains(stored, base, oracle):
    check_gradients(oracle.gradients_norm(base, stored["ids"]), stored["gains"])


def test_gradients_of_lora(stored, base, oracle):
    lora = stored["lora"]
    shapes = {name: tuple(shape) for name, shape in lora["shapes"].items()}
    found = oracle.gradients_lora(base, stored["ids"], lora["rank"], lora["alpha"], reference.fill(shapes, lora["seed"]))
    check_gradients(found, lora["gradients"])
