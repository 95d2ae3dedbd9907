"""Logits equal those of transformers in fp32."""
import numpy
import torch


def test_logits_of_512_tokens_agree_within_a_thousandth(gguf, model, wikitext, oracle):
    ids = wikitext[:512]
    with torch.inference_mode():
        expected = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    found = oracle.logits(gguf, ids)
    assert found.shape == expected.shape
    difference = numpy.abs(found - expected).max()
    print(f"largest difference of a logit: {difference:.2e}, logits up to {numpy.abs(expected).max():.1f}")
    assert difference < 1e-3
