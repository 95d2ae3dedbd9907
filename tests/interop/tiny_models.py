"""Tiny random models of each family that tern reads, by transformers in float32, and their files: Hugging Face folders, and GGUFs
as llama.cpp's converter names and orders things (bitnet: as bitnet.cpp's).

Every weight is a number that float32, float16 and bfloat16 hold alike, so all files of a model hold the same model. Gains are
random and not 1, biases not 0, key heads fewer than query heads; each model says what else it is there for."""
import copy
import json

import numpy
import torch
from gguf import GGUFWriter, TokenType
from transformers import (
    BitNetConfig,
    BitNetForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.integrations.bitnet import pack_weights

VOCABULARY = 288
CONTEXT = 96  # of the texts; sliding windows are shorter
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

GENERAL = {"vocab_size": VOCABULARY, "bos_token_id": 259, "eos_token_id": 260, "pad_token_id": 261}


def rising(first, last, count):
    return [round(float(f), 4) for f in numpy.geomspace(first, last, count)]


MODELS = {
    # Widths that K-quants take; the head apart from the embedding.
    "llama": (LlamaForCausalLM, LlamaConfig(
        **GENERAL, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, tie_word_embeddings=False, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
    )),
    # Rope scaled as in Llama 3: of the 16 frequencies some are kept, some blended, some divided.
    "llama3": (LlamaForCausalLM, LlamaConfig(
        **GENERAL, hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=1,
        max_position_embeddings=256, tie_word_embeddings=True, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "llama3", "rope_theta": 10_000.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    )),
    # Biases on q, k and v.
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(
        **GENERAL, hidden_size=128, intermediate_size=224, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, tie_word_embeddings=True, rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
    )),
    # Norms of q and k; heads wider than hidden / heads.
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(
        **GENERAL, hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        head_dim=128, max_position_embeddings=256, tie_word_embeddings=False, rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
    )),
    # Four norms, local layers with another rope and a window shorter than the texts, the sixth global; its own query scale.
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig(
        **GENERAL, hidden_size=128, intermediate_size=192, num_hidden_layers=7, num_attention_heads=4, num_key_value_heads=2,
        head_dim=64, query_pre_attn_scalar=48, sliding_window=16, max_position_embeddings=256, rms_norm_eps=1e-6,
        rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 1_000_000.0},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0}},
    )),
    # Fused projections; longrope, whose factors are short for texts up to 64 tokens and long beyond.
    "phi3": (Phi3ForCausalLM, Phi3Config(
        **GENERAL, hidden_size=192, intermediate_size=256, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2,
        max_position_embeddings=256, original_max_position_embeddings=64, tie_word_embeddings=False, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "longrope", "rope_theta": 10_000.0, "original_max_position_embeddings": 64,
                         "partial_rotary_factor": 1.0,
                         "short_factor": rising(1.0, 1.5, 16), "long_factor": rising(1.0, 16.0, 16)},
    )),
    # Norms after attention and gate, relu squared, ternary projections.
    "bitnet": (BitNetForCausalLM, BitNetConfig(
        **GENERAL, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, tie_word_embeddings=True, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
    )),
}


def representable(values):
    """The nearest numbers that float16 and bfloat16 both hold."""
    return values.half().bfloat16().float()


def make(family, seed=7):
    kind, config = MODELS[family]
    random = numpy.random.RandomState(seed)

    def normal(shape, size):
        return torch.from_numpy(size * random.standard_normal(tuple(shape)))

    model = kind(config).float().eval()
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if name.endswith("bias"):
                p.copy_(normal(p.shape, 0.3))
            elif p.ndim == 1:
                p.copy_(torch.from_numpy(random.uniform(-0.5, 0.5, p.shape[0])) + (0 if family == "gemma3" else 1))
            elif name.split(".")[-2] in PROJECTIONS and family == "bitnet":
                scale = representable(torch.tensor(float(random.uniform(0.5, 2.0)) / p.shape[1] ** 0.5))
                p.copy_(torch.from_numpy(random.randint(-1, 2, tuple(p.shape))) * scale)
            else:  # the embedding, which norms follow, is smaller: it is the head as well, whose logits it makes moderate
                p.copy_(normal(p.shape, 0.15 if p.shape[0] == VOCABULARY else p.shape[1] ** -0.5))
            p.copy_(representable(p))
    return model


def text(tokens, seed=1):
    """Random ids with frequencies as words have them, so that there is something to learn; BOS first."""
    weights = 1 / numpy.arange(1, 257)
    ids = numpy.random.RandomState(seed).choice(256, tokens - 1, p=weights / weights.sum())
    return [GENERAL["bos_token_id"], *(int(i) for i in ids)]


def save_folder(model, folder):
    """As transformers saves it, in one file."""
    model.save_pretrained(folder)
    return folder


def save_shards(model, folder):
    """In bfloat16, in several files, with the configuration as transformers 4 wrote it."""
    copy.deepcopy(model).bfloat16().save_pretrained(folder, max_shard_size="200KB")
    assert len(list(folder.glob("*.safetensors"))) > 1 and (folder / "model.safetensors.index.json").exists()
    path = folder / "config.json"
    path.write_text(json.dumps(older(json.loads(path.read_text())), indent=2))
    return folder


def older(config):
    """The configuration in the words of transformers 4: rope in rope_theta and rope_scaling, torch_dtype, window pattern."""
    config = dict(config)
    rope = config.pop("rope_parameters")
    config["torch_dtype"] = config.pop("dtype")
    config.pop("transformers_version")
    if config["model_type"] == "gemma3_text":
        config["rope_theta"] = rope["full_attention"]["rope_theta"]
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        config["rope_scaling"] = None
        del config["layer_types"]
        config["sliding_window_pattern"] = 6
        return config
    config["rope_theta"] = rope.pop("rope_theta")
    if config["model_type"] == "phi3":
        rope = {"type": rope["rope_type"], "short_factor": rope["short_factor"], "long_factor": rope["long_factor"]}
    config["rope_scaling"] = None if rope.get("rope_type") == "default" else rope
    return config


def save_packed(model, folder):
    """A BitNet whose projections are packed as transformers packs them, one scale a projection, which multiplies (2B4T)."""
    from safetensors.torch import save_file

    tensors = {}
    for name, p in model.named_parameters():
        if name.split(".")[-2] in PROJECTIONS:
            scale = p.abs().max()
            tensors[name] = pack_weights((p.detach() / scale).round())
            tensors[name + "_scale"] = scale.detach().reshape(1).bfloat16()
        else:
            tensors[name] = p.detach().bfloat16()
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = model.config.to_dict() | {
        "architectures": ["BitNetForCausalLM"],
        "dtype": "bfloat16",
        "quantization_config": {"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline"},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    return folder


NAMES = {
    "embed_tokens": "token_embd",
    "norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "attn_sub_norm": "attn_sub_norm",
    "ffn_sub_norm": "ffn_sub_norm",
    "q_norm": "attn_q_norm",
    "k_norm": "attn_k_norm",
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "qkv_proj": "attn_qkv",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "gate_up_proj": "ffn_up",
    "down_proj": "ffn_down",
}
GEMMA_NAMES = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
ARCHITECTURES = {"gemma3_text": "gemma3", "bitnet": "bitnet-b1.58"}


def interleaved(weights, heads):
    """Rows of q or k, of each head the two halves in turns: what llama.cpp's rope of llama models pairs are neighbours."""
    return weights.reshape(heads, 2, len(weights) // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def llama3_divisors(config):
    """What llama.cpp divides each of rope's frequencies by."""
    rope = config.rope_parameters
    original, low, high = (rope[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    half = config.head_dim // 2
    waves = 2 * numpy.pi * rope["rope_theta"] ** (numpy.arange(half) / half)
    blend = numpy.clip((original / waves - low) / (high - low), 0, 1)
    return (1 / ((1 - blend) / rope["factor"] + blend)).astype(numpy.float32)


def add_tokenizer(out):
    """A token for each byte, as GPT-2 spells it, two merges, and control tokens for the rest."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    spelled = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    tokens = [spelled[b] for b in range(256)] + ["he", "the", "<unk>", "<s>", "</s>", "<pad>"]
    assert tokens[GENERAL["bos_token_id"]] == "<s>" and tokens[GENERAL["eos_token_id"]] == "</s>"
    tokens += [f"<|reserved_{i}|>" for i in range(len(tokens), VOCABULARY)]
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(tokens)
    out.add_token_types([TokenType.NORMAL] * 258 + [TokenType.CONTROL] * (VOCABULARY - 258))
    out.add_token_merges(["h e", "t he"])
    out.add_bos_token_id(GENERAL["bos_token_id"])
    out.add_eos_token_id(GENERAL["eos_token_id"])
    out.add_pad_token_id(GENERAL["pad_token_id"])


def add_configuration(out, c, head_dim):
    out.add_vocab_size(c.vocab_size)
    out.add_context_length(c.max_position_embeddings)
    out.add_embedding_length(c.hidden_size)
    out.add_block_count(c.num_hidden_layers)
    out.add_feed_forward_length(c.intermediate_size)
    out.add_head_count(c.num_attention_heads)
    out.add_head_count_kv(c.num_key_value_heads)
    out.add_layer_norm_rms_eps(c.rms_norm_eps)
    if c.model_type in ("llama", "phi3", "bitnet"):
        out.add_rope_dimension_count(head_dim)
    if c.model_type in ("qwen3", "gemma3_text"):
        out.add_key_length(head_dim)
        out.add_value_length(head_dim)
    if c.model_type == "gemma3_text":
        out.add_rope_freq_base(c.rope_parameters["full_attention"]["rope_theta"])
        out.add_rope_freq_base_swa(c.rope_parameters["sliding_attention"]["rope_theta"])
        out.add_sliding_window(c.sliding_window)
        out.add_attention_scale(c.query_pre_attn_scalar**-0.5)
    else:
        out.add_rope_freq_base(c.rope_parameters["rope_theta"])
    if c.model_type == "phi3":
        rope = c.rope_parameters
        original = rope["original_max_position_embeddings"]
        stretched = c.max_position_embeddings / original
        out.add_rope_scaling_orig_ctx_len(original)
        out.add_rope_scaling_attn_factors(float(numpy.sqrt(1 + numpy.log(stretched) / numpy.log(original))))
        out.add_tensor("rope_factors_long.weight", numpy.array(rope["long_factor"], numpy.float32))
        out.add_tensor("rope_factors_short.weight", numpy.array(rope["short_factor"], numpy.float32))
    if c.model_type == "llama" and c.rope_parameters["rope_type"] == "llama3":
        out.add_tensor("rope_freqs.weight", llama3_divisors(c))


def save_gguf(model, path, dtype=numpy.float32):
    """Matrices in `dtype`, vectors in float32."""
    c = model.config
    head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    names = NAMES | (GEMMA_NAMES if c.model_type == "gemma3_text" else {})
    heads = {"q_proj": c.num_attention_heads, "k_proj": c.num_key_value_heads}
    out = GGUFWriter(path, ARCHITECTURES.get(c.model_type, c.model_type))
    add_configuration(out, c, head_dim)
    add_tokenizer(out)
    for name, p in model.named_parameters():
        parts = name.split(".")
        module, kind = parts[-2:]
        value = p.detach().numpy()
        if c.model_type == "llama" and module in heads:
            value = interleaved(value, heads[module])
        if c.model_type == "gemma3_text" and p.ndim == 1:
            value = value + numpy.float32(1)
        layer = f"blk.{parts[2]}." if "layers" in parts else ""
        out.add_tensor(f"{layer}{names[module]}.{kind}", value.astype(dtype if p.ndim == 2 else numpy.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


def save(model, form, folder):
    """In one of FORMS, below `folder`; returns what tern is given."""
    if form == "folder":
        return save_folder(model, folder / "folder")
    if form == "shards":
        return save_shards(model, folder / "shards")
    return save_gguf(model, folder / f"{form}.gguf", {"gguf-f32": numpy.float32, "gguf-f16": numpy.float16}[form])


FORMS = ["folder", "shards", "gguf-f32", "gguf-f16"]
