"""Each family that tern reads, as transformers computes it in float32: tiny random models (tiny_models.py), each in every form of
file. Logits within 1e-3 of their spread, gradients within 1e-3 and perplexity within 1e-4 relatively, and 20 steps of training
as near to float64 as training.py asks."""
import functools

import numpy
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.integrations.bitnet import ActQuant

import reference
import tiny_models
import training

RANK, ALPHA, SEED = 4, 8, 5
STEPS, CONTEXT, RATE = 20, tiny_models.CONTEXT, 1e-3
LENGTHS = {family: [CONTEXT] for family in tiny_models.MODELS} | {"phi3": [48, CONTEXT]}  # phi3: short and long factors
IN_TRANSFORMERS = [family for family in tiny_models.MODELS if family != "bitnet"]  # the GGUFs whose weights it reads


@pytest.fixture(autouse=True)
def uncompiled():
    """transformers compiles its functions of BitNet; plain they compute the same."""
    with torch.compiler.set_stance("force_eager"):
        yield


class Family:
    """A tiny model, its files, and what the reference computes of it: each made once, when it is asked for."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.model = tiny_models.make(name)
        self.text = tiny_models.text(8 * CONTEXT + 1)
        windows = numpy.array(tiny_models.text(5 * (CONTEXT + 1), seed=2)).reshape(5, CONTEXT + 1)
        self.windows = numpy.tile(windows, (STEPS // 5, 1))

    @functools.cache
    def file(self, form):
        return tiny_models.save(self.model, form, self.folder)

    @functools.cached_property
    def twin(self):
        return reference.exact(self.model)

    @functools.cached_property
    def values(self):
        """Of a LoRA, none of them zero."""
        tuned = reference.lora(self.model, RANK, ALPHA)
        values = reference.filled(tuned, SEED)
        tuned.unload()
        return values

    @functools.cache
    def logits(self, tokens):
        return reference.logits(self.model, self.text[:tokens])

    @functools.cache
    def gradients(self, kind, tokens):
        if kind == "norm":
            return reference.gradients(reference.norm_tuning(self.model), self.text[:tokens])[1]
        values = self.values  # made before the model carries another LoRA
        return reference.gradients(reference.lora(self.model, RANK, ALPHA), self.text[:tokens], values)[1]

    @functools.cache
    def training(self, kind):
        if kind == "norm":
            return training.in_both(reference.norm_tuning, self.model, self.twin, self.windows, RATE)
        attach = functools.partial(reference.lora, rank=RANK, alpha=ALPHA)
        return training.in_both(attach, self.model, self.twin, self.windows, RATE, self.values)


@pytest.fixture(scope="module", params=list(tiny_models.MODELS))
def family(request, tmp_path_factory):
    with torch.compiler.set_stance("force_eager"):
        return Family(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(params=tiny_models.FORMS)
def file(request, family):
    return family.file(request.param)


def check_logits(found, expected):
    assert found.shape == expected.shape
    difference = numpy.abs(found - expected).max() / expected.std()
    print(f"largest difference of a logit: {difference:.1e} of their spread")
    assert difference < 1e-3


def check_gradients(found, expected):
    """Each tensor within 1e-3 of its own norm."""
    assert {n: v.shape for n, v in found.items()} == {n: v.shape for n, v in expected.items()}
    apart = {n: numpy.linalg.norm(found[n] - v) / numpy.linalg.norm(v) for n, v in expected.items()}
    worst = max(apart, key=apart.get)
    print(f"worst of {len(apart)} gradients: {apart[worst]:.1e} ({worst})")
    assert apart[worst] < 1e-3, worst


def test_logits(family, file, oracle):
    for tokens in LENGTHS[family.name]:
        check_logits(oracle.logits(file, family.text[:tokens]), family.logits(tokens))


def test_losses(family, file, oracle):
    for tokens in LENGTHS[family.name]:
        ids = family.text[:tokens]
        expected = reference.token_nll(family.model, [ids], tokens - 1)[0]
        found = oracle.nll(file, ids)
        assert found.shape == expected.shape
        assert numpy.abs(found - expected).max() < 1e-3 * family.logits(tokens).std()
        assert found.mean() == pytest.approx(expected.mean(), rel=1e-4)


@pytest.mark.parametrize("context", [48, CONTEXT])
def test_perplexity(context, family, file, oracle):
    bos = family.text[0]
    for convention, nll in [
        ("llama.cpp", reference.nll_as_llama_cpp(family.model, family.text, context, bos)),
        ("rolling", reference.nll_rolling(family.model, family.text[1:], context, bos)),
    ]:
        ids = family.text[1:] if convention == "rolling" else family.text
        tokens, _, ppl, _ = oracle.perplexity(file, ids, convention, context, bos)
        assert tokens == len(nll), convention
        assert ppl == pytest.approx(numpy.exp(nll.mean()), rel=1e-4), convention


def test_gradients_of_gains(family, file, oracle):
    for tokens in LENGTHS[family.name]:
        check_gradients(oracle.gradients_norm(file, family.text[:tokens]), family.gradients("norm", tokens))


def test_gradients_of_lora(family, file, oracle):
    for tokens in LENGTHS[family.name]:
        found = oracle.gradients_lora(file, family.text[:tokens], RANK, ALPHA, family.values)
        check_gradients(found, family.gradients("lora", tokens))


def test_training_of_gains(family, file, oracle):
    losses, values = oracle.train_norm(file, family.windows, RATE, "absolute")
    offset = 1 if family.name == "gemma3" else 0  # PEFT trains Gemma's weight, which is its gain less one
    values = {name: value.astype(numpy.float64) - offset for name, value in values.items()}
    training.check((losses, values), *family.training("norm"), offset)


def test_training_of_lora(family, file, oracle):
    found = oracle.train_lora(file, family.windows, RATE, RANK, ALPHA, family.values)
    training.check(found, *family.training("lora"))


def test_packed_bitnet(oracle, tmp_path):
    """tern rounds activations to int8, as BitNet does: the difference is to be a tenth of what that rounding does."""
    model = tiny_models.make("bitnet")
    ids = tiny_models.text(CONTEXT)
    plain = reference.logits(model, ids)
    for name, module in model.named_modules():
        if name.split(".")[-1] in tiny_models.PROJECTIONS:
            module.register_forward_pre_hook(lambda _, inputs: (ActQuant.apply(inputs[0]),))
    expected = reference.logits(model, ids)
    found = oracle.logits(tiny_models.save_packed(model, tmp_path / "packed"), ids)
    difference, rounding = numpy.abs(found - expected).mean(), numpy.abs(plain - expected).mean()
    print(f"mean difference of a logit: {difference / plain.std():.1e} of their spread; of rounding: {rounding / plain.std():.1e}")
    assert difference < rounding / 10


# The references agree with each other: transformers reads back what tiny_models wrote.


def same_weights(found, expected):
    found, expected = dict(found.named_parameters()), dict(expected.named_parameters())
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        assert torch.equal(found[name].float(), value), name


@pytest.mark.parametrize("form", ["folder", "shards"])
def test_reference_reads_folders(form, family):
    read = AutoModelForCausalLM.from_pretrained(family.file(form), dtype=torch.float32).eval()
    same_weights(read, family.model)
    for tokens in LENGTHS[family.name]:
        check_logits(reference.logits(read, family.text[:tokens]), family.logits(tokens))


@pytest.mark.parametrize("form", ["gguf-f32", "gguf-f16"])
@pytest.mark.parametrize("family", IN_TRANSFORMERS, indirect=True)
def test_reference_reads_ggufs(form, family):
    """With the model's own configuration: transformers does not read all of rope, query scale and windows from a GGUF."""
    path = family.file(form)
    read = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, config=family.model.config, dtype=torch.float32
    ).eval()
    if family.name == "gemma3":  # its reader subtracts in float32 what the writer added
        for name, value in read.named_parameters():
            expected = family.model.get_parameter(name)
            assert torch.allclose(value, expected, rtol=0, atol=2.0**-23), name
    else:
        same_weights(read, family.model)
    check_logits(reference.logits(read, family.text[:CONTEXT]), family.logits(CONTEXT))


def test_reference_packs_bitnet(tmp_path):
    from transformers.integrations.bitnet import unpack_weights

    model = tiny_models.make("bitnet")
    tensors = load_file(tiny_models.save_packed(model, tmp_path / "packed") / "model.safetensors")
    for name, value in model.named_parameters():
        if name + "_scale" in tensors:
            assert torch.equal(unpack_weights(tensors[name], torch.float32) * tensors[name + "_scale"].float(), value), name
        else:
            assert torch.equal(tensors[name].float(), value), name


@pytest.mark.parametrize("kind", ["norm", "lora"])
def test_reference_trains(kind, family):
    """No gradient is zero, the loss falls, and float32 is near enough to float64 for the comparison to say something."""
    assert all(numpy.linalg.norm(g) > 0 for g in family.gradients(kind, CONTEXT).values())
    single, double = family.training(kind)
    assert sum(double.losses[-5:]) < sum(double.losses[:5])
    distances = [d for names in training.distances(single.trained, double).values() for d in names.values()]
    print(f"PyTorch's float32 from float64: {numpy.median(distances):.1e} of the change in the median, {max(distances):.1e} at most")
    assert numpy.median(distances) < 1e-2
