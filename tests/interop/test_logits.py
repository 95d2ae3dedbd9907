"""Logits equal those of transformers in fp32."""
import numpy

import reference


def test_logits_of_512_tokens_agree_within_a_thousandth_of_their_spread(gguf, model, wikitext, oracle):
    ids = wikitext[:512]
    expected = reference.logits(model, ids)
    found = oracle.logits(gguf, ids)
    assert found.shape == expected.shape
    difference = numpy.abs(found - expected).max() / expected.std()
    print(f"largest difference of a logit: {difference:.2e} of their spread of {expected.std():.2f}")
    assert difference < 1e-3
