"""Perplexity on WikiText-2's first 20,000 tokens equals what transformers' logits give, by both public conventions.
The windows are cut by reference.py, so that tern's own way of cutting is tested too."""
import math

import pytest

from conftest import print_row
from reference import nll_as_llama_cpp, nll_rolling


def check(found, nll, *how):
    tokens, total, ppl, error = found
    expected = math.exp(nll.mean())
    print_row("smollm2-135m", *how, tokens, expected, ppl)
    assert tokens == len(nll)
    assert total == pytest.approx(nll.sum(), rel=1e-4)
    assert ppl == pytest.approx(expected, rel=1e-4)
    assert error == pytest.approx(expected * math.sqrt(nll.var() / (len(nll) - 1)), rel=1e-3)


def test_as_llama_cpp(gguf, model, wikitext, oracle):
    n = 512
    check(oracle.perplexity(gguf, wikitext, "llama.cpp", n), nll_as_llama_cpp(model, wikitext, n), "llama.cpp", n)


def test_as_lm_evaluation_harness(gguf, model, wikitext, oracle):
    n, bos = 1024, 1
    check(oracle.perplexity(gguf, wikitext, "rolling", n, bos), nll_rolling(model, wikitext, n, bos), "rolling", n)
