"""Twenty steps of training equal PEFT's, from the same initial values, batches and settings of Adam.

Losses agree within a thousandth of themselves, trained values within 1e-2. For gains the difference to PEFT's is within a
hundredth of the change that training made, too, as norms over each tensor: the strict reading, since gains that had hardly
moved would meet the absolute one. LoRA's down matrices cannot be held to that: their first gradient is exactly zero, and
Adam divides what rounding leaves of the next ones by its own size (measured: 0.03 of the change for the worst of 420)."""
import numpy
import pytest

import reference

STEPS, CONTEXT, RATE = 20, 256, 1e-3


@pytest.fixture(scope="module")
def windows(data, tokenizer):
    text = (data / "users" / "meeting-transcript-en" / "Bmr005.txt").read_bytes().decode()
    ids = tokenizer.encode(text).ids
    return numpy.array(ids[: STEPS * (CONTEXT + 1)]).reshape(STEPS, CONTEXT + 1)


def state(peft_model):
    from peft import get_peft_model_state_dict

    return {name: value.detach().clone().numpy() for name, value in get_peft_model_state_dict(peft_model).items()}


def check(found, expected, initial, share=None):
    losses, values = found
    expected_losses, expected_values = expected
    assert expected_losses[-1] < expected_losses[0]
    apart = numpy.abs(numpy.array(losses) / expected_losses - 1).max()
    assert sorted(values) == sorted(expected_values)
    shares = {}
    for name, value in expected_values.items():
        assert values[name].shape == value.shape, name
        change = numpy.linalg.norm(value - initial[name])
        assert change > 0, name
        shares[name] = numpy.linalg.norm(values[name] - value) / change
    worst = max(shares, key=shares.get)
    absolute = max(numpy.abs(values[name] - value).max() for name, value in expected_values.items())
    print(f"losses {expected_losses[0]:.4f} to {expected_losses[-1]:.4f}, {apart:.1e} apart, relatively; values at most "
          f"{shares[worst]:.1e} of their change apart ({worst}), {absolute:.1e} absolutely")
    assert losses == pytest.approx(expected_losses, rel=1e-3)
    assert absolute < 1e-2
    if share is not None:
        assert shares[worst] < share, worst


def test_norm_tuning(gguf, model, windows, oracle):
    tuned = reference.norm_tuning(model)
    try:
        initial = state(tuned)
        expected = reference.train(tuned, windows, RATE), state(tuned)
    finally:
        tuned.unload()
    assert len(initial) == 61
    check(oracle.train_norm(gguf, windows, RATE, "absolute"), expected, initial, share=1e-2)


def test_lora(gguf, model, windows, oracle):
    import torch

    torch.manual_seed(5)
    tuned = reference.lora(model, rank=4, alpha=8)
    try:
        initial = state(tuned)
        expected = reference.train(tuned, windows, RATE), state(tuned)
    finally:
        tuned.unload()
    assert len(initial) == 2 * 7 * 30
    check(oracle.train_lora(gguf, windows, RATE, 4, 8, initial), expected, initial)
