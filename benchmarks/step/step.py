#!/usr/bin/env python3
"""Times steps of training: tern on bases as stored against PyTorch with transformers and PEFT, a row for each base and method.

    benchmarks/step/step.py [BASE...] [--method norm lora full full-bf16] [--tokens 128 256 512] [--weights FORMAT]
                            [--gradients float] [--types fp32 bf16] [--apart] [--rounds 7] [--threads 2]

BASE is a packaged base (tests/interop/bases.py), llama-3.2-1b-geometry (geometry.py: random ternary weights) or a GGUF that
transformers reads; SmolLM2-135M unless told. LoRA has rank 4 on every linear of the blocks, full trains every weight in f32, full-bf16 with
tern's gradients and moments in bf16. The sides take turns within one run, each in a process of its own whose
peak memory is its own; compare medians. PyTorch runs in fp32 and, where the processor multiplies bf16, in bf16; the better counts. The
first loss of each side stands beside, because equal work must give equal numbers. --types leaves out one of PyTorch's; --apart is for
sides that do not fit into memory together: each starts, takes its rounds and ends, two times over, one after another.

Share of the limit: the step's least time over tern's, where each product takes its operations over the peak of the unit that it
could run on (docs/benchmarks.md). The peaks are tern-bench's, measured before the rounds and after, the higher counts.

It wants tests/interop/requirements.txt installed, and tern-oracle and tern-bench built (in $TERN_BIN, or by the release preset).
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "interop"))
import bases  # noqa: E402
import geometry  # noqa: E402
import oracle as tern  # noqa: E402
import reference  # noqa: E402

RANK, ALPHA = 4, 8


def load(gguf, dtype):
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    kind = getattr(torch, dtype)
    return AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=kind).to(kind)


def serve(method, dtype, gguf, ids, threads):
    """PyTorch's side: for each line on stdin a step; prints seconds and loss."""
    import numpy
    import torch

    torch.set_num_threads(threads)
    model = load(gguf, dtype)
    if method == "norm":
        model = reference.norm_tuning(model)
    elif method == "lora":
        model = reference.lora(model, rank=RANK, alpha=ALPHA)
    adam = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-5 if method.startswith("full") else 1e-3)
    ids = torch.from_numpy(numpy.fromfile(ids, dtype="<i4").astype("int64"))
    for _ in sys.stdin:
        start = time.perf_counter()
        adam.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(input_ids=ids[None, :-1]).logits[0].float(), ids[1:])
        loss.backward()
        adam.step()
        print(time.perf_counter() - start, loss.item(), flush=True)


class Side:
    """A process that takes a step whenever it is told to."""

    def __init__(self, name, command):
        self.name, self.command, self.seconds, self.loss, self.most, self.process = name, command, [], None, 0, None

    def median(self):
        return statistics.median(self.seconds)

    def step(self):
        first = self.process is None
        if first:
            self.process = subprocess.Popen(
                list(map(str, self.command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
            )
        print(file=self.process.stdin, flush=True)
        seconds, loss = map(float, self.process.stdout.readline().split())
        if first:
            self.loss = loss  # the first step also allocates: it is not counted
        else:
            self.seconds.append(seconds)

    def peak(self):
        """The most memory that it had at once, in GB."""
        if self.process is not None:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            self.most = max(self.most, int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9)
        return self.most

    def close(self):
        """Ends the process, if there is one; the next step starts another."""
        if self.process is None:
            return
        self.peak()
        self.process.stdin.close()
        self.process.wait()
        self.process = None


def has_bf16():
    flags = Path("/proc/cpuinfo").read_text().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def peaks(threads):
    """Operations a second, by unit."""
    run = [tern.program().parent / "tern-bench", "run", "--shape", "1024x1024", "--tokens", "128", "--threads", threads, "--json"]
    found = {}
    for form in ["ternary2", "bf16", "f32"]:
        rows = json.loads(subprocess.run([*map(str, run), "--format", form], capture_output=True, check=True, text=True).stdout)
        for row in rows:
            found[row["limit"]] = max(found.get(row["limit"], 0), row["GOPS"] / row["share"] * 1e9)
    return found


class Work:
    """The products of a step on a base, in operations."""

    def __init__(self, gguf):
        from gguf import GGUFReader

        reader = GGUFReader(gguf)
        architecture = reader.fields["general.architecture"].contents()
        field = lambda key: reader.fields[f"{architecture}.{key}"].contents()  # noqa: E731
        heads, hidden = field("attention.head_count"), field("embedding_length")
        width = field("attention.key_length") if f"{architecture}.attention.key_length" in reader.fields else hidden // heads
        matrices = {t.name: (t.shape.tolist(), t.tensor_type.name) for t in reader.tensors if len(t.shape) == 2 and t.shape[1] > 1}
        self.linears = [(s, kind) for n, (s, kind) in matrices.items() if n.startswith("blk.")]
        self.head = matrices.get("output.weight") or matrices["token_embd.weight"]
        self.attention = 2 * heads * width * field("block_count")  # times tokens squared, forward: two causal products

    def seconds(self, method, tokens, peak):
        """The least that a step takes. Weights of 8 bits and fewer could meet int8 both ways, the rest bf16, or fp32."""
        real = max(peak.get("bf16", 0), peak["fp32"])
        unit = lambda kind: real if method.startswith("full") or kind in ("F32", "F16", "BF16") else peak["int8"]  # noqa: E731
        total = 3 * self.attention * tokens**2 / real
        for (columns, rows), kind in [*self.linears, self.head]:
            total += 2 * 2 * tokens * columns * rows / unit(kind)
            if method.startswith("full"):
                total += 2 * tokens * columns * rows / real
        if method == "lora":
            total += sum(3 * 2 * tokens * RANK * (columns + rows) / real for (columns, rows), _ in self.linears)
        return total


def token_ids(gguf, text, smollm2):
    if smollm2:
        return reference.tokenizer(gguf).encode(text).ids
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)(text).input_ids


def ids_for(name, gguf, count):
    if name == geometry.NAME:
        return geometry.token_ids(count)
    text = "".join(path.read_text() for path in sorted(Path(reference.__file__).parent.glob("*.py")))
    return token_ids(gguf, text, name == "smollm2-135m")[:count]


def measure(name, gguf, method, tokens, options, folder):
    ids = tern.Oracle(folder).ids(ids_for(name, gguf, tokens + 1))
    before = peaks(options.threads)
    ours = [tern.program(), "--mixed", "step", gguf, ids, options.threads, method, options.weights, options.gradients]
    theirs = lambda dtype: [sys.executable, __file__, "--serve", method, dtype, gguf, ids, options.threads]  # noqa: E731
    sides = [Side("tern", ours)]
    if "fp32" in options.types:
        sides.append(Side("fp32", theirs("float32")))
    if "bf16" in options.types and has_bf16():
        sides.append(Side("bf16", theirs("bfloat16")))
    if len(sides) == 1:
        sys.exit("step.py: expected a type of PyTorch's that this processor has, got --types " + " ".join(options.types))
    if options.apart:
        for side in sides * 2:
            for _ in range(options.rounds + 1):
                side.step()
            side.close()
    else:
        for _ in range(options.rounds + 1):
            for side in sides:
                side.step()
    after = peaks(options.threads)
    best = min(sides[1:], key=Side.median)
    faster = statistics.median(b / a for a, b in zip(sides[0].seconds, best.seconds))
    share = Work(gguf).seconds(method, tokens, {k: max(before[k], after[k]) for k in before}) / sides[0].median()
    medians = {side.name: f"{side.median():.3f}" for side in sides}
    seconds = [medians.get(side, "–") for side in ["tern", "fp32", "bf16"]]
    print(f"| {name} | {method} | {tokens} | {' | '.join(seconds)} | {faster:.2f} ({best.name}) | {share:.2f} | "
          f"{sides[0].peak():.2f} | {best.peak():.2f} | {' / '.join(f'{side.loss:.4f}' for side in sides)} |", flush=True)  # fmt: skip
    for side in sides:
        side.close()


def find(base):
    if base == geometry.NAME:
        return geometry.fetch()
    return bases.fetch(base) if base in bases.BASES else Path(base)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bases", nargs="*", default=["smollm2-135m"], metavar="BASE")
    parser.add_argument("--method", nargs="+", choices=["norm", "lora", "full", "full-bf16"], default=["norm", "lora"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[256])
    parser.add_argument("--weights", default="stored", help="of tern's side: stored, or a weight format")
    parser.add_argument("--gradients", choices=["float", "int8"], default="int8", help="of tern's side, back through packed weights")
    parser.add_argument("--types", nargs="+", choices=["fp32", "bf16"], default=["fp32", "bf16"], help="of PyTorch's side")
    parser.add_argument("--apart", action="store_true", help="no two sides at once: for those that do not fit into memory together")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print("| base | method | tokens | tern, s | PyTorch fp32, s | bf16, s | times faster than the better | share of the limit | tern's peak, GB | "
          "PyTorch's | first losses |\n|" + " --- |" * 11, flush=True)  # fmt: skip
    for base in options.bases:
        gguf = find(base)
        for method in options.method:
            for tokens in options.tokens:
                with tempfile.TemporaryDirectory() as folder:
                    measure(base if gguf != Path(base) else gguf.name, gguf, method, tokens, options, folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:4], *map(Path, sys.argv[4:6]), int(sys.argv[6]))
    else:
        main()
