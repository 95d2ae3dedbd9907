#!/usr/bin/env python3
"""Times one step of norm tuning on SmolLM2-135M, 256 tokens, fp32: tern against PyTorch with PEFT's LN tuning.

    benchmarks/step/step.py [--rounds 15] [--threads 2]

The two take turns within one run, so that whatever else the machine does burdens both; compare medians. It wants
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


class Tern:
    """A tern-oracle that takes a step whenever it is told to."""

    def __init__(self, gguf, ids, threads, folder):
        command = [tern.program(), "step", gguf, tern.Oracle(folder).ids(ids), threads]
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def step(self):
        print(file=self.process.stdin, flush=True)
        return map(float, self.process.stdout.readline().split())


class Torch:
    def __init__(self, gguf, ids, threads):
        import torch

        torch.set_num_threads(threads)
        self.model = reference.norm_tuning(reference.model(gguf))
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    gguf = reference.smollm2()
    ids = reference.tokenizer(gguf).encode(Path(__file__).read_text()).ids[: TOKENS + 1]
    with tempfile.TemporaryDirectory() as folder:
        sides = {
            "tern": Tern(gguf, ids, options.threads, folder),
            "PyTorch": Torch(gguf, ids, options.threads),
        }
        seconds = {name: [] for name in sides}
        for round_ in range(options.rounds + 1):
            for name, side in sides.items():
                taken, loss = side.step()
                if round_ == 0:
                    print(f"{name}: first loss {loss:.4f}")
                else:  # the first step allocates
                    seconds[name].append(taken)

    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, taken in seconds.items():
        print(f"{name}: median {medians[name]:.3f} s, best {min(taken):.3f} s, worst {max(taken):.3f} s")
    ratios = [a / b for a, b in zip(seconds["tern"], seconds["PyTorch"])]
    print(f"tern / PyTorch: {medians['tern'] / medians['PyTorch']:.2f} of medians, "
          f"{statistics.median(ratios):.2f} the median of {len(ratios)} rounds' ratios, {TOKENS} tokens, "
          f"{options.threads} threads")


if __name__ == "__main__":
    main()
