#!/usr/bin/env python3
"""Times one step of training on 256 tokens: tern in its precisions and weight formats against PyTorch with PEFT.

    benchmarks/step/step.py [--kind norm|lora] [--base MODEL.gguf] [--weights FORMAT...] [--rounds 15] [--threads 2]

The base is SmolLM2-135M, or any GGUF that transformers reads. Ternary weights with int8 gradients are there for their
time: such a base was not trained to be ternary, and its loss shows it.
All take turns within one run, so that whatever else the machine does burdens them equally; compare medians. It wants
tests/interop/requirements.txt installed, and tern-oracle built by the release preset (or $TERN_BIN to name its folder).
"""
import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "interop"))
import oracle as tern  # noqa: E402
import reference  # noqa: E402

TOKENS = 256
WEIGHTS = ["f32", "stored", "bf16", "q8", "q4", "q4_0", "ternary"]


class Tern:
    """A tern-oracle that takes a step whenever it is told to."""

    def __init__(self, kind, mixed, weights, gguf, ids, threads):
        command = [tern.program(), *["--mixed"][: mixed], "step", gguf, ids, threads, kind, weights]
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def step(self):
        print(file=self.process.stdin, flush=True)
        return map(float, self.process.stdout.readline().split())


class Torch:
    def __init__(self, kind, dtype, gguf, ids):
        import torch

        model = reference.model(gguf).to(getattr(torch, dtype))
        self.model = reference.norm_tuning(model) if kind == "norm" else reference.lora(model, rank=4, alpha=8)
        self.adam = torch.optim.Adam([p for p in self.model.parameters() if p.requires_grad], lr=1e-3)
        self.ids = torch.tensor(ids)
        self.loss = torch.nn.functional.cross_entropy

    def step(self):
        start = time.perf_counter()
        self.adam.zero_grad()
        loss = self.loss(self.model(input_ids=self.ids[None, :-1]).logits[0], self.ids[1:])
        loss.backward()
        self.adam.step()
        return time.perf_counter() - start, loss.item()


def token_ids(gguf, text, known):
    if known:
        return reference.tokenizer(gguf).encode(text).ids
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)(text).input_ids


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=["norm", "lora"], default="norm")
    parser.add_argument("--base", type=Path, help="a .gguf; default: SmolLM2-135M")
    parser.add_argument("--weights", nargs="+", choices=WEIGHTS, default=WEIGHTS, help="of tern's side in mixed precision")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    import torch

    torch.set_num_threads(options.threads)
    gguf = options.base or reference.smollm2()
    ids = token_ids(gguf, Path(reference.__file__).read_text(), known=options.base is None)[: TOKENS + 1]
    with tempfile.TemporaryDirectory() as folder:
        file = tern.Oracle(folder).ids(ids)
        sides = {
            "tern, full": Tern(options.kind, False, "f32", gguf, file, options.threads),
            **{
                "tern, mixed" if w == "f32" else f"tern, {w}": Tern(options.kind, True, w, gguf, file, options.threads)
                for w in options.weights
            },
            "PyTorch, fp32": Torch(options.kind, "float32", gguf, ids),
            "PyTorch, bf16": Torch(options.kind, "bfloat16", gguf, ids),
        }
        seconds, losses = {name: [] for name in sides}, {}
        for round_ in range(options.rounds + 1):
            for name, side in sides.items():
                taken, loss = side.step()
                if round_ == 0:
                    losses[name] = loss  # this first step also allocates: it is not counted
                else:
                    seconds[name].append(taken)

    def ratio(a, b):
        return statistics.median(x / y for x, y in zip(seconds[a], seconds[b]))

    print(f"{options.kind}, {TOKENS} tokens, {options.threads} threads, {options.rounds} rounds, PyTorch {torch.__version__}")
    print("| | first loss | median s | best s | worst s | to PyTorch fp32 | to PyTorch bf16 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, taken in seconds.items():
        print(f"| {name} | {losses[name]:.4f} | {statistics.median(taken):.3f} | {min(taken):.3f} | {max(taken):.3f} | "
              f"{ratio(name, 'PyTorch, fp32'):.2f} | {ratio(name, 'PyTorch, bf16'):.2f} |")


if __name__ == "__main__":
    main()
