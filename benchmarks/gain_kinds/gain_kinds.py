#!/usr/bin/env python3
"""Compares the two ways of writing a user's gain down: it replaces the base's (absolute) or multiplies it (relative).

    benchmarks/gain_kinds/gain_kinds.py [--steps 20] [USER...]

Trains SmolLM2-135M's norms on each user's text with Adam at several rates, and prints the loss on text held out of it,
in nats a token. It wants what step/step.py wants, and the shared data.
"""
import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "interop"))
import oracle as tern  # noqa: E402
import reference  # noqa: E402

CONTEXT, HELD_OUT = 256, 2048
RATES = [1e-3, 3e-3, 1e-2, 3e-2]


def texts(data, user):
    """The user's files one after another, without the note on their source."""
    paths = sorted(path for path in (data / "users" / user).rglob("*") if path.is_file() and path.name != "SOURCE.md")
    return "\n\n".join(path.read_bytes().decode() for path in paths)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("users", nargs="*", default=["technotes-en", "meeting-transcript-en", "novelist-austen-en"])
    options = parser.parse_args()

    data = Path(os.environ.get("TERN_TEST_DATA") or tern.SOURCE.parent / "shared" / "data")
    gguf = reference.smollm2()
    tokenizer = reference.tokenizer(gguf)
    print("| user | rate | untrained | absolute | relative |\n| --- | --- | --- | --- | --- |")
    for user in options.users:
        ids = tokenizer.encode(texts(data, user)).ids
        held_out = ids[-HELD_OUT:]
        stride = (len(ids) - HELD_OUT) // options.steps  # windows from all over the rest
        windows = [ids[i * stride : i * stride + CONTEXT + 1] for i in range(options.steps)]
        for rate in RATES:
            after = {}
            for kind in ["absolute", "relative"]:
                with tempfile.TemporaryDirectory() as folder:
                    losses, _ = tern.Oracle(folder).train_norm(gguf, windows, rate, kind, held_out)
                before, after[kind] = losses[0], losses[-1]
            print(f"| {user} | {rate} | {before:.4f} | {after['absolute']:.4f} | {after['relative']:.4f} |", flush=True)


if __name__ == "__main__":
    main()
