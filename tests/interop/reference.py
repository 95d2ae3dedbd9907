"""The reference implementations: SmolLM2-135M-Instruct by transformers in fp32, its tokenizer by tokenizers.

Transformers' own conversion of a GGUF's tokenizer forgets that SmolLM2 cuts every digit off by itself, so the oracle
of token ids is built here, from the file's vocabulary and merges."""
import copy

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
    """Inside it, whatever asks PyTorch for float32 gets float64: transformers casts to float32 in norms, rope, softmax."""

    def __torch_function__(self, function, types, arguments=(), named=None):
        def wider(value):
            return torch.float64 if value is torch.float32 else value

        if function is torch.Tensor.float:
            function = torch.Tensor.double
        return function(*map(wider, arguments), **{name: wider(value) for name, value in (named or {}).items()})


def exact(model):
    """A copy of a float32 model that computes in float64; run it inside Exact(). Its weights are the same numbers."""
    twin = copy.deepcopy(model).double()
    with Exact():
        for name, module in list(twin.named_modules()):
            if name.endswith("rotary_emb"):
                twin.set_submodule(name, type(module)(twin.config))
    return twin


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


def norm_tuning(model):
    """PEFT's LN tuning of every norm, the final one included. It changes `model`: unload() it afterwards."""
    from peft import LNTuningConfig, get_peft_model

    return get_peft_model(model, LNTuningConfig(target_modules=["input_layernorm", "post_attention_layernorm", "norm"]))


def lora(model, rank, alpha):
    """PEFT's LoRA on every linear of the blocks. It changes `model`: unload() it afterwards."""
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear"))
