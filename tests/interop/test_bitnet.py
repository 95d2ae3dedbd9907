"""BitNet's files: what transformers packs, and a model in I2_S as bitnet.cpp converts it, against transformers' own."""
import numpy
import pytest
import torch
from gguf import GGUFWriter
from safetensors.torch import save_file
from transformers import BitNetConfig, BitNetForCausalLM
from transformers.integrations.bitnet import ActQuant, pack_weights, unpack_weights

import reference
import training

I2_S = 36
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
NAMES = {
    "embed_tokens": "token_embd",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "attn_sub_norm": "attn_sub_norm",
    "ffn_sub_norm": "ffn_sub_norm",
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
    "norm": "output_norm",
}


@pytest.fixture(autouse=True)
def uncompiled():
    """transformers compiles its functions of BitNet; plain they compute the same."""
    with torch.compiler.set_stance("force_eager"):
        yield


@pytest.mark.parametrize("rule", ["multiplies", "divides"])
@pytest.mark.parametrize("shape", [(4, 1), (12, 5), (64, 129), (640, 2560)])
def test_packed_weights(shape, rule, oracle, tmp_path):
    ternary = torch.randint(-1, 2, shape, generator=torch.Generator().manual_seed(1))
    packed = pack_weights(ternary.clone())
    scale = torch.tensor([1.21875], dtype=torch.bfloat16)
    save_file({"p.weight": packed, "p.weight_scale": scale}, tmp_path / "m.safetensors")
    weights = unpack_weights(packed, torch.float32)
    assert torch.equal(weights, ternary.float())
    expected = weights * scale.float() if rule == "multiplies" else weights / scale.float()
    found = oracle.bitnet(tmp_path / "m.safetensors", "p", rule).reshape(shape)
    assert numpy.array_equal(found, expected.numpy())


def random_model():
    """A small BitNet whose projections are ternary, its gains anything."""
    config = BitNetConfig(
        vocab_size=96, hidden_size=128, intermediate_size=384, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
    )
    torch.manual_seed(7)
    model = BitNetForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.split(".")[-2] in PROJECTIONS:
                p.copy_(torch.randint(-1, 2, p.shape) * torch.rand(()) * 0.2)
            elif p.ndim == 1:
                p.copy_(0.5 + torch.rand(p.shape))
            else:
                p.copy_(torch.randn(p.shape))
    return model


def i2_s(weights, layout):
    """The bytes of bitnet.cpp."""
    scale = numpy.abs(weights).max()
    codes = (numpy.sign(weights) + 1).astype(numpy.uint8)
    stride = {"groups_of_128": 32, "groups_of_64": 16, "four_rows": weights.shape[1]}[layout]
    parts = codes.reshape(-1, 4, stride)
    packed = parts[:, 0] << 6 | parts[:, 1] << 4 | parts[:, 2] << 2 | parts[:, 3]
    return numpy.frombuffer(packed.tobytes() + numpy.float32(scale).tobytes() + bytes(28), numpy.int8)


def write_gguf(model, path, layout=None):
    """As bitnet.cpp's converter names things; projections in I2_S of that layout, or F32."""
    c = model.config
    out = GGUFWriter(path, "bitnet-b1.58")
    out.add_embedding_length(c.hidden_size)
    out.add_block_count(c.num_hidden_layers)
    out.add_feed_forward_length(c.intermediate_size)
    out.add_head_count(c.num_attention_heads)
    out.add_head_count_kv(c.num_key_value_heads)
    out.add_context_length(c.max_position_embeddings)
    out.add_layer_norm_rms_eps(c.rms_norm_eps)
    out.add_rope_freq_base(c.rope_parameters["rope_theta"])
    out.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    for name, p in model.named_parameters():
        parts = name.split(".")
        layer = f"blk.{parts[2]}." if "layers" in parts else ""
        value = p.detach().numpy()
        target = f"{layer}{NAMES[parts[-2]]}.weight"
        if layout and parts[-2] in PROJECTIONS:
            out.add_tensor(target, i2_s(value, layout), raw_shape=value.shape, raw_dtype=I2_S)
        else:
            out.add_tensor(target, value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


IDS = list(range(1, 60))


def reference_logits(model):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([IDS])).logits[0].numpy()


def test_logits_in_fp32(oracle, tmp_path):
    """As near to float64 as transformers is in float32."""
    model = random_model()
    with reference.Exact():
        exact = reference_logits(reference.exact(model))
    found = oracle.logits(write_gguf(model, tmp_path / "m.gguf"), IDS)
    ours, theirs = (numpy.sqrt(((run - exact) ** 2).mean()) / exact.std() for run in (found, reference_logits(model)))
    print(f"distance of logits from float64, relative to their spread: {ours:.2e}; transformers': {theirs:.2e}")
    assert ours <= training.MULTIPLE * theirs


@pytest.mark.parametrize("layout", ["groups_of_128", "groups_of_64", "four_rows"])
def test_logits_in_i2_s(layout, oracle, tmp_path):
    model = random_model()
    plain = reference_logits(model)
    for name, module in model.named_modules():
        if name.split(".")[-1] in PROJECTIONS:
            module.register_forward_pre_hook(lambda _, inputs: (ActQuant.apply(inputs[0]),))
    expected = reference_logits(model)
    found = oracle.logits(write_gguf(model, tmp_path / "m.gguf", layout), IDS, layout)
    largest = numpy.abs(expected).max()
    difference, rounding = numpy.abs(found - expected).mean() / largest, numpy.abs(plain - expected).mean() / largest
    print(f"mean difference of a logit, relative to the largest: {difference:.2e}; of int8 activations: {rounding:.2e}")
    assert difference < rounding / 10
