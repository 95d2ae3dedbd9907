"""The reference implementations: SmolLM2-135M-Instruct by transformers in fp32, its tokenizer by tokenizers.

Transformers' own conversion of a GGUF's tokenizer forgets that SmolLM2 cuts every digit off by itself, so the oracle
of token ids is built here, from the file's vocabulary and merges."""
import contextlib
import copy

import numpy
import torch

import bases

torch.set_num_threads(min(2, torch.get_num_threads()))  # others may be at work on the machine


def smollm2():
    """The path of the GGUF in the user's cache."""
    return bases.fetch("smollm2-135m")


def tokenizer(gguf):
    from gguf import GGUFReader
    from tokenizers import Tokenizer, models, pre_tokenizers

    fields = GGUFReader(gguf).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = fields["tokenizer.ggml.merges"].contents()
    oracle = Tokenizer(
        models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[tuple(m.split(" ")) for m in merges])
    )
    oracle.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    return oracle


def model(gguf):
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32).eval()


class Exact(torch.overrides.TorchFunctionMode):
    """Inside it, whatever asks PyTorch for float32 gets float64: transformers casts to float32 in norms, rope, softmax. So do
    products with matrices in float32."""

    def __torch_function__(self, function, types, arguments=(), named=None):
        def wider(value):
            if value is torch.float32:
                return torch.float64
            return value.double() if function is torch.nn.functional.linear and isinstance(value, torch.Tensor) else value

        if function is torch.Tensor.float:
            function = torch.Tensor.double
        result = function(*map(wider, arguments), **{name: wider(value) for name, value in (named or {}).items()})
        return result.double() if function is torch.nn.functional.embedding else result


def exact(model):
    """A copy of a float32 model that computes in float64; run it inside Exact(). Its weights are the same numbers."""
    return widen(copy.deepcopy(model).double())


def widen(model):
    """Makes a float32 model compute in float64 inside Exact(). Its matrices stay as they are, so that it needs no more memory."""
    for parameter in model.parameters():
        if parameter.dim() < 2:
            parameter.data = parameter.data.double()
    with Exact():
        for name, module in list(model.named_modules()):
            if name.endswith("rotary_emb"):
                model.set_submodule(name, type(module)(model.config))
            if hasattr(module, "scalar_embed_scale"):
                module.embed_scale = torch.tensor(module.scalar_embed_scale, dtype=torch.float64)
    return model


def recompute(model):
    """Keeps between forward and backward no more than each block's input, of a model that widen() made."""
    model.gradient_checkpointing_enable({"use_reentrant": False, "context_fn": lambda: (contextlib.nullcontext(), Exact())})
    model.train()


def logits(model, ids):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).logits[0].numpy()


def token_nll(model, windows, scored):
    """-log p of each target in `windows` [batch x inputs + 1], of its last `scored` targets: a float64 array
    [batch x scored]."""
    windows = torch.as_tensor(windows, dtype=torch.long)
    with torch.inference_mode():
        logits = model(input_ids=windows[:, :-1], logits_to_keep=scored).logits
        nll = torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, -scored:].flatten(), reduction="none")
    return nll.double().numpy().reshape(len(windows), scored)


def train(model, windows, rate):
    """One step of Adam for each row of `windows` [steps x context + 1] on what is trainable; returns the losses."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.Adam(parameters, lr=rate)
    losses = []
    for window in torch.as_tensor(windows, dtype=torch.long):
        logits = model(input_ids=window[None, :-1]).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, window[1:])
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


NORMS = [
    "input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm",
    "q_norm", "k_norm", "attn_sub_norm", "ffn_sub_norm", "norm",
]


def norm_tuning(model):
    """PEFT's LN tuning of every norm, the final one included. It changes `model`: unload() it afterwards."""
    from peft import LNTuningConfig, get_peft_model

    present = {name.split(".")[-1] for name, _ in model.named_modules()}
    return get_peft_model(model, LNTuningConfig(target_modules=[n for n in NORMS if n in present]))


def lora(model, rank, alpha):
    """PEFT's LoRA on every linear of the blocks. It changes `model`: unload() it afterwards."""
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear"))


def state(tuned):
    """An adapter's values by PEFT's names."""
    from peft import get_peft_model_state_dict

    return {name: value.detach().clone().numpy() for name, value in get_peft_model_state_dict(tuned).items()}


def fill(shapes, seed):
    """Values for a LoRA of these shapes by PEFT's names: none is zero, so that no gradient is, the same on every machine."""
    random = numpy.random.RandomState(seed)
    size = {"lora_A": 0.1, "lora_B": 0.02}
    return {
        name: (size[name.split(".")[-2]] * random.standard_normal(shape)).astype(numpy.float32)
        for name, shape in sorted(shapes.items())
    }


def filled(tuned, seed):
    return fill({name: value.shape for name, value in state(tuned).items()}, seed)


def set_state(tuned, values):
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(tuned, {name: torch.tensor(value) for name, value in values.items()})


def gradients(tuned, ids, values=None):
    """The mean loss of all ids but the first, and its gradient by the adapter's parameters, at `values` if given: by PEFT's
    names. It takes the adapter off again."""
    from peft import get_peft_model_state_dict

    try:
        if values is not None:
            set_state(tuned, values)
        ids = torch.as_tensor(ids, dtype=torch.long)
        logits = tuned(input_ids=ids[None, :-1]).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, ids[1:])
        trainable = {p.data_ptr(): p for p in tuned.parameters() if p.requires_grad}
        loss.backward()
        named = get_peft_model_state_dict(tuned)
        return loss.item(), {name: trainable[value.data_ptr()].grad.clone().numpy() for name, value in named.items()}
    finally:
        tuned.unload()


def nll_as_llama_cpp(model, ids, n, prefix=None):
    """Chunks of n tokens, `prefix` in place of the first; scored are those with more than n/2 others before them."""
    chunks = numpy.array(ids[: len(ids) // n * n]).reshape(-1, n)
    if prefix is not None:
        chunks[:, 0] = prefix
    nll = [token_nll(model, chunks[i : i + 4], n // 2 - 1).ravel() for i in range(0, len(chunks), 4)]
    return numpy.concatenate(nll)


def nll_rolling(model, ids, n, prefix):
    """Each token is scored once; a window that scores tokens up to `end` sees the `n` entries before `end`."""
    text = [prefix, *ids]
    nll = []
    for start in range(0, len(ids), n):
        end = min(start + n, len(ids))
        window = text[max(0, end - n) : end + 1]
        nll.append(token_nll(model, [window], end - start).ravel())
    return numpy.concatenate(nll)
