"""stories260K, a real checkpoint in llama2.c's format, against logits and losses computed in float64."""
import json

import numpy
import pytest


@pytest.fixture(scope="module")
def expected(data):
    return json.loads((data / "verify" / "stories260K_oracle.json").read_text())


@pytest.fixture(scope="module")
def checkpoint(data):
    return data / "checkpoints" / "stories260K" / "stories260K.bin"


def test_logits(expected, checkpoint, oracle):
    found = oracle.logits(checkpoint, expected["ids"])[-1]
    assert found == pytest.approx(numpy.array(expected["logits_after_last_token"]), abs=1e-4)


def test_nll(expected, checkpoint, oracle):
    found = oracle.nll(checkpoint, expected["ids"])
    assert found == pytest.approx(numpy.array(expected["nll_per_position"]), abs=1e-4)
    assert found.mean() == pytest.approx(expected["mean_nll"], abs=1e-5)
