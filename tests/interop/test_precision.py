"""Perplexity on weights as a file stores them, under full precision, is within 0.2% of that on the same weights dequantised to float32:
of each type that pack_rows keeps packed, in files of SmolLM2 made here.

    python -m pytest tests/interop/test_precision.py -s       # prints the table of docs/file_formats.md

Rows of 576 weights are no multiple of 256: in types with blocks of so many only ffn_down is stored, all else is F32."""
import math

import numpy
import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize

CONTEXT, PREFIX, TOKENS = 256, 1, 2048
Q2_0 = 42


def k_groups(weights, size, levels):
    """Blocks of 256 in groups of `size` that have a minimum: d, dmin, 6-bit scales and minima, codes below `levels`."""
    groups = weights.reshape(-1, 256 // size, size)
    low = numpy.maximum(0, -groups.min(-1))
    step = (groups.max(-1) + low) / (levels - 1)
    d, dmin = (numpy.maximum(1e-8, v.max(-1) / 63).astype(numpy.float16) for v in (step, low))
    scale, minimum = (numpy.clip(numpy.rint(v / by[:, None].astype(numpy.float32)), 0, 63) for v, by in ((step, d), (low, dmin)))
    by = numpy.maximum(1e-12, d[:, None].astype(numpy.float32) * scale)[..., None]
    codes = numpy.rint((groups + (dmin[:, None].astype(numpy.float32) * minimum)[..., None]) / by)
    return d, dmin, scale.astype(numpy.uint8), minimum.astype(numpy.uint8), numpy.clip(codes, 0, levels - 1).astype(numpy.uint8)


def k_scales(scale, minimum):
    """The twelve bytes of eight 6-bit scales and minima."""
    low = numpy.concatenate([scale[:, :4], minimum[:, :4]], 1) | numpy.concatenate([scale[:, 4:], minimum[:, 4:]], 1) >> 4 << 6
    return numpy.concatenate([low, scale[:, 4:] & 15 | (minimum[:, 4:] & 15) << 4], 1)


def halves(numbers):
    return numbers.astype(numpy.float16)[:, None].view(numpy.uint8)


def q4_k(weights):
    d, dmin, scale, minimum, codes = k_groups(weights, 32, 16)
    nibbles = codes[:, 0::2] | codes[:, 1::2] << 4
    return numpy.concatenate([halves(d), halves(dmin), k_scales(scale, minimum), nibbles.reshape(-1, 128)], 1)


def q5_k(weights):
    d, dmin, scale, minimum, codes = k_groups(weights, 32, 32)
    fifth = (codes >> 4 << numpy.arange(8, dtype=numpy.uint8)[:, None]).sum(1, dtype=numpy.uint8)
    nibbles = codes[:, 0::2] & 15 | (codes[:, 1::2] & 15) << 4
    return numpy.concatenate([halves(d), halves(dmin), k_scales(scale, minimum), fifth, nibbles.reshape(-1, 128)], 1)


def q6_k(weights):
    groups = weights.reshape(-1, 16, 16)
    step = numpy.abs(groups).max(-1) / 31
    d = numpy.maximum(1e-8, step.max(-1) / 127).astype(numpy.float16)
    scale = numpy.rint(step / d[:, None].astype(numpy.float32)).astype(numpy.int8)
    by = numpy.maximum(1e-12, d[:, None].astype(numpy.float32) * scale)[..., None]
    codes = (numpy.clip(numpy.rint(groups / by), -32, 31) + 32).astype(numpy.uint8).reshape(-1, 2, 4, 32)
    low = numpy.concatenate([codes[:, :, :2] & 15 | (codes[:, :, 2:] & 15) << 4], 1).reshape(-1, 128)
    high = (codes >> 4 << 2 * numpy.arange(4, dtype=numpy.uint8)[:, None]).sum(2, dtype=numpy.uint8).reshape(-1, 64)
    return numpy.concatenate([low, high, scale.view(numpy.uint8), halves(d)], 1)


def q2_0(weights):
    """Codes 0, 1, 2, as quantize makes TQ2_0, but 64 weights a scale."""
    groups = weights.reshape(-1, 64)
    d = numpy.maximum(1e-8, numpy.abs(groups).max(-1)).astype(numpy.float16)
    codes = (numpy.rint(groups / d[:, None].astype(numpy.float32)) + 1).astype(numpy.uint8).reshape(-1, 16, 4)
    return numpy.concatenate([halves(d), (codes << 2 * numpy.arange(4, dtype=numpy.uint8)).sum(-1, dtype=numpy.uint8)], 1)


OWN = {Type.Q4_K: (q4_k, 144), Type.Q5_K: (q5_k, 176), Type.Q6_K: (q6_k, 210), Q2_0: (q2_0, 18)}
TERNARY = {Type.TQ1_0, Type.TQ2_0, Q2_0}  # rounded to these, the model is none any more: what int8 does to it tells nothing
WIDE = {Type.Q4_K, Type.Q5_K, Type.Q6_K, Type.TQ1_0, Type.TQ2_0}  # blocks of 256 weights
TYPES = [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1,
         Type.Q4_K, Type.Q5_K, Type.Q6_K, Type.TQ1_0, Type.TQ2_0, Q2_0]


def name(kind):
    return "Q2_0" if kind == Q2_0 else kind.name


def write(source, path, kind):
    """The file `source` with its matrices in that type, where their rows can have it, else in F32."""
    reader = GGUFReader(source)
    out = GGUFWriter(path, "llama")
    for key, field in reader.fields.items():
        if key.startswith("llama."):
            out.add_key_value(key, field.contents(), field.types[0])
    for tensor in reader.tensors:
        weights = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        fits = "ffn_down" in tensor.name if kind in WIDE or kind == Q2_0 else weights.ndim == 2
        if not fits or kind == Type.F32:
            out.add_tensor(tensor.name, weights)
        elif kind in OWN:
            own, _ = OWN[kind]
            data = own(weights).reshape(len(weights), -1)
            if kind == Q2_0:  # which the package does not know, so that it takes the bytes for what the shape says
                out.add_tensor(tensor.name, data.view(numpy.int8), raw_shape=weights.shape, raw_dtype=Q2_0)
            else:
                out.add_tensor(tensor.name, data, raw_dtype=kind)
        elif kind == Type.F16:
            out.add_tensor(tensor.name, weights.astype(numpy.float16))
        else:
            out.add_tensor(tensor.name, quantize(weights, kind), raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


@pytest.mark.parametrize("kind", TYPES, ids=name)
def test_as_stored(kind, gguf, wikitext, oracle, tmp_path):
    path = write(gguf, tmp_path / "m.gguf", kind)
    ids = wikitext[:TOKENS]
    dequantised = oracle.perplexity(path, ids, "rolling", CONTEXT, PREFIX)[2]
    full, mixed = (oracle.stored_perplexity(path, ids, CONTEXT, PREFIX, mixed) for mixed in (False, True))
    print(f"\n| {name(kind)} | {dequantised:.4f} | {full / dequantised - 1:+.3%} | {mixed / dequantised - 1:+.2%} |")
    assert math.isfinite(dequantised)
    # q8 rounds Q5_1 anew; errors of that size with signs drawn at random move this perplexity by up to 0.6%.
    assert full == pytest.approx(dequantised, rel=1e-2 if kind == Type.Q5_1 else 2e-3)
    assert kind in TERNARY or mixed == pytest.approx(dequantised, rel=5e-2)
