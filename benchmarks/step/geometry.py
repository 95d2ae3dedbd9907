"""A base of Llama 3.2 1B's geometry with random ternary weights, for a step's speed and memory: what it says means nothing.

The shapes, the tied table in Q8_0, and every linear in TQ2_0 with codes drawn alike from -1, 0, 1 under one scale a tensor, so that
activations keep their size. 0.53 GB, written once into the user's cache. Its ids are drawn too: it has no tokenizer.
"""
import sys
import tempfile
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "interop"))
import bases  # noqa: E402

NAME = "llama-3.2-1b-geometry"
LAYERS, HIDDEN, FFN, HEADS, KV_HEADS, HEAD_DIM, VOCABULARY = 16, 2048, 8192, 32, 8, 64, 128256
LINEARS = {
    "attn_q": (HEADS * HEAD_DIM, HIDDEN),
    "attn_k": (KV_HEADS * HEAD_DIM, HIDDEN),
    "attn_v": (KV_HEADS * HEAD_DIM, HIDDEN),
    "attn_output": (HIDDEN, HEADS * HEAD_DIM),
    "ffn_gate": (FFN, HIDDEN),
    "ffn_up": (FFN, HIDDEN),
    "ffn_down": (HIDDEN, FFN),
}


def tq2_0_blocks(random, rows, columns):
    """Blocks of 256 weights: 64 bytes of four codes each, then the scale in fp16; their standard deviation is columns^-1/2."""
    blocks = numpy.empty((rows, columns // 256, 66), numpy.uint8)
    codes = random.integers(0, 3, (rows, columns // 256, 64, 4), dtype=numpy.uint8)
    blocks[..., :64] = (codes << numpy.array([0, 2, 4, 6], numpy.uint8)).sum(-1, dtype=numpy.uint8)
    blocks[..., 64:] = numpy.array([(1.5 / columns) ** 0.5], numpy.float16).view(numpy.uint8)
    return blocks.reshape(rows, -1)


def q8_0_blocks(random, rows, columns, deviation):
    """Blocks of 32 weights: the scale in fp16, then codes from -127 to 127."""
    blocks = numpy.empty((rows, columns // 32, 34), numpy.uint8)
    blocks[..., :2] = numpy.array([deviation / 73.3], numpy.float16).view(numpy.uint8)  # 73.3: deviation of the codes
    blocks[..., 2:] = random.integers(-127, 128, (rows, columns // 32, 32), dtype=numpy.int8).view(numpy.uint8)
    return blocks.reshape(rows, -1)


def fetch():
    """The base's file; it takes its name once it is whole."""
    path = bases.CACHE / NAME / f"{NAME}.gguf"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            write(Path(folder) / path.name)
            (Path(folder) / path.name).rename(path)
    return path


def write(path):
    from gguf import GGMLQuantizationType, GGUFWriter

    random = numpy.random.default_rng(1)
    out = GGUFWriter(path, "llama")
    out.add_block_count(LAYERS)
    out.add_context_length(8192)
    out.add_embedding_length(HIDDEN)
    out.add_feed_forward_length(FFN)
    out.add_head_count(HEADS)
    out.add_head_count_kv(KV_HEADS)
    out.add_rope_dimension_count(HEAD_DIM)
    out.add_rope_freq_base(500000.0)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_vocab_size(VOCABULARY)
    table = q8_0_blocks(random, VOCABULARY, HIDDEN, 0.02)
    out.add_tensor("token_embd.weight", table, raw_dtype=GGMLQuantizationType.Q8_0)
    ones = numpy.ones(HIDDEN, numpy.float32)
    out.add_tensor("output_norm.weight", ones)
    for layer in range(LAYERS):
        for norm in ["attn_norm", "ffn_norm"]:
            out.add_tensor(f"blk.{layer}.{norm}.weight", ones)
        for name, shape in LINEARS.items():
            weights = tq2_0_blocks(random, *shape)
            out.add_tensor(f"blk.{layer}.{name}.weight", weights, raw_dtype=GGMLQuantizationType.TQ2_0)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def token_ids(count):
    return numpy.random.default_rng(2).integers(0, VOCABULARY, count).tolist()
