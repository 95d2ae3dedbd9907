"""Perplexity on WikiText-2's first 20,000 tokens equals what transformers' logits give, by both public conventions.
The windows are cut here anew, so that tern's own way of cutting is tested too."""
import math

import numpy
import pytest

from reference import token_nll


def check(found, nll):
    tokens, total, ppl, error = found
    expected = math.exp(nll.mean())
    print(f"perplexity {ppl:.6f}, expected {expected:.6f}: {abs(ppl / expected - 1):.1e} apart, relatively")
    assert tokens == len(nll)
    assert total == pytest.approx(nll.sum(), rel=1e-4)
    assert ppl == pytest.approx(expected, rel=1e-4)
    assert error == pytest.approx(expected * math.sqrt(nll.var() / (len(nll) - 1)), rel=1e-3)


def test_as_llama_cpp(gguf, model, wikitext, oracle):
    """Chunks of n tokens; scored are those that have more than n/2 others of their chunk before them."""
    n = 512
    chunks = numpy.array(wikitext[: len(wikitext) // n * n]).reshape(-1, n)
    nll = [token_nll(model, chunks[i : i + 4], n // 2 - 1).ravel() for i in range(0, len(chunks), 4)]
    check(oracle.perplexity(gguf, wikitext, "llama.cpp", n), numpy.concatenate(nll))


def test_as_lm_evaluation_harness(gguf, model, wikitext, oracle):
    """Each token is scored once; a window that scores tokens up to `end` sees the `n` entries before `end`."""
    n, bos = 1024, 1
    text = [bos, *wikitext]
    nll = []
    for start in range(0, len(wikitext), n):
        end = min(start + n, len(wikitext))
        window = text[max(0, end - n) : end + 1]
        nll.append(token_nll(model, [window], end - start).ravel())
    check(oracle.perplexity(gguf, wikitext, "rolling", n, bos), numpy.concatenate(nll))
