"""Makes stored/<base>.json anew: what transformers computes for a base too large to be run in each test.

    python tests/interop/make_oracles.py WIKITEXT BASE...       # scripts/oracles.sh calls it

A file holds, computed in float32, the ids of a short text, the loss of each, perplexities by both conventions, and some logits. Of
the gradients of the mean loss of its beginning it holds samples and norms, computed in float64, and how far from those
float32 ends up: by gains, and by LoRA on every linear at the values that `reference.fill` makes."""
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
import torch

import bases
import reference

TOKENS = 512
DIFFERENTIATED = 128  # of them; longer texts take float64 an hour
CHUNK, WINDOW = 128, 256  # the contexts of llama.cpp's perplexity and of the rolling one
POSITIONS, COLUMNS = (0, 100, 510), 32
RANK, ALPHA, SEED = 4, 8, 5
SAMPLES = 256
STORED = Path(__file__).parent / "stored"

# What replaces the first token of a chunk and precedes the first window: BOS where the model wants one, else what ends a text.
PREFIX = {"gemma-3-270m": 2, "qwen2.5-coder-0.5b-instruct": 151643, "qwen2.5-coder-1.5b-instruct": 151643}
ADDS_BOS = {"gemma-3-270m"}


def sample(double, single):
    """Of one gradient: at most SAMPLES of its values, evenly spread, the norm of all, and how far from it float32's is, relatively."""
    flat = numpy.asarray(double, dtype=numpy.float64).ravel()
    step = -(-flat.size // SAMPLES)
    norm = numpy.linalg.norm(flat)
    return {"shape": list(numpy.shape(double)), "norm": numbers(norm), "float32": numbers(numpy.linalg.norm(flat - single.ravel()) / norm),
            "step": step, "values": numbers(flat[::step])}


def numbers(values):
    """To nine digits, which tell any two floats apart."""
    if numpy.ndim(values) == 0:
        return float(f"{float(values):.9g}")
    return [numbers(v) for v in values]


def logits(model, ids):
    with torch.inference_mode():
        found = model(input_ids=torch.tensor([ids])).logits[0]
    columns = [int(c) for c in numpy.random.RandomState(SEED).choice(found.shape[1], COLUMNS, replace=False)]
    return {"positions": POSITIONS, "columns": columns, "spread": numbers(found.std()),
            "values": numbers(found[list(POSITIONS)][:, columns].numpy())}


def some_layers(names, modules):
    """The names that have one of the modules in the first or last layer, or in no layer."""
    layers = [int(n.split("layers.")[1].split(".")[0]) for n in names if ".layers." in n]
    kept = [f".layers.{i}." for i in (min(layers), max(layers))]
    return [n for n in names if any(f".{m}." in n for m in modules) and (".layers." not in n or any(k in n for k in kept))]


def gradients(model, ids):
    """Those in float64 come last: the model computes in float64 ever after."""
    modules = [n for n in reference.NORMS if n not in ("attn_sub_norm", "ffn_sub_norm")]

    def both():
        _, gains = reference.gradients(reference.norm_tuning(model), ids[:DIFFERENTIATED])
        tuned = reference.lora(model, RANK, ALPHA)
        values = reference.filled(tuned, SEED)
        _, lora = reference.gradients(tuned, ids[:DIFFERENTIATED], values)
        return gains, lora, {n: v.shape for n, v in values.items()}

    single = both()
    reference.recompute(reference.widen(model))
    with reference.Exact():
        double = both()
    gains, lora = ({n: sample(d[n], s[n]) for n in some_layers(d, m)}
                   for d, s, m in zip(double, single, (modules, ["q_proj", "v_proj"])))
    return {"differentiated": DIFFERENTIATED, "gains": gains,
            "lora": {"rank": RANK, "alpha": ALPHA, "seed": SEED, "shapes": double[2], "gradients": lora}}


def make(name, text):
    from transformers import AutoTokenizer

    gguf = bases.fetch(name)
    text_ids = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)(text, add_special_tokens=False).input_ids
    text_ids = text_ids[:TOKENS]
    ids = ([PREFIX[name]] if name in ADDS_BOS else []) + text_ids
    model = reference.model(gguf)
    result = {
        "base": name,
        "sha256": bases.BASES[name].sha256,
        "command": f"./scripts/oracles.sh {name}",
        "versions": {p: version(p) for p in ("torch", "transformers", "peft", "gguf")} | {"python": platform.python_version()},
        "text": "WikiText-2's test set, its first tokens",
        "ids": ids,
        "nll": numbers(reference.token_nll(model, [ids], len(ids) - 1)[0]),
        "perplexity": [
            {"convention": "llama.cpp", "ids": "those after BOS", "context": CHUNK, "prefix": PREFIX[name],
             **perplexity(reference.nll_as_llama_cpp(model, text_ids, CHUNK, PREFIX[name]))},
            {"convention": "rolling", "ids": "those after BOS", "context": WINDOW, "prefix": PREFIX[name],
             **perplexity(reference.nll_rolling(model, text_ids, WINDOW, PREFIX[name]))},
        ],
        "logits": logits(model, ids),
    }
    result |= gradients(model, ids)
    STORED.mkdir(exist_ok=True)
    path = STORED / f"{name}.json"
    path.write_text(json.dumps(result, indent=1).replace("\n    ", "").replace("\n   ", "") + "\n")
    print(f"{path}: {path.stat().st_size:,} bytes, perplexity {[p['perplexity'] for p in result['perplexity']]}")


def beginning(path):
    """More characters of the text than TOKENS tokens have."""
    return path.read_bytes().decode()[: 8 * TOKENS]


def perplexity(nll):
    return {"tokens": len(nll), "nll": numbers(nll.sum()), "perplexity": numbers(numpy.exp(nll.mean()))}


if __name__ == "__main__":
    for base in sys.argv[2:]:
        make(base, beginning(Path(sys.argv[1])))
