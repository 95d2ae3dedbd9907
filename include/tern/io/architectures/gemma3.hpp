#pragma once
#include "tern/io/architecture.hpp"

namespace tern {

/// Gemma 3: norms around each branch and of each head, five layers of six that look back over a window with a rope of
/// their own, an embedding scaled by sqrt(hidden). Hugging Face stores gains less 1.
inline const Architecture& gemma3_architecture() {
  static const Architecture family = {
      .name = "gemma3",
      .gguf = {"gemma3"},
      .hugging_face = {"gemma3_text"},
      .configure =
          [](const Hyperparameters& h, ModelConfig& c) {
            for (const char* cap : {"attn_logit_softcapping", "final_logit_softcapping"})
              if (h.number({"", cap})) h.fail({"", cap}, "expected none: logits of this family are not capped");
            c.embedding_scale = std::sqrt(static_cast<double>(c.hidden));
            const bool sections = h.text({"", "rope_parameters/full_attention/rope_type"}).has_value();
            const RopeConfig global = read_rope(h, c, sections ? "full_attention/" : "");
            RopeConfig local = sections ? read_rope(h, c, "sliding_attention/") : RopeConfig{};
            if (!sections) local.theta = h.number({"rope.freq_base_swa", "rope_local_base_freq"}, 10000);
            const Index every = h.integer({"attention.sliding_window_pattern", "sliding_window_pattern"},
                                          h.integer({"", "_sliding_window_pattern"}, 6));
            const Index window = h.integer({"attention.sliding_window", "sliding_window"});
            const auto scalar = h.number({"", "query_pre_attn_scalar"});
            for (std::size_t i = 0; i < c.layers.size(); ++i) {
              LayerConfig& layer = c.layers[i];
              const auto type = h.text({"", "layer_types/" + std::to_string(i)});
              const bool slides = type ? *type == "sliding_attention"
                                       : every > 0 && (static_cast<Index>(i) + 1) % every != 0;
              layer.window = slides ? window : 0;
              layer.rope = slides ? local : global;
              layer.gate = kernels::Gate::gelu_tanh;
              layer.query_scale = scalar ? 1 / std::sqrt(*scalar) : h.number({"attention.scale", ""}, 0);
              layer.norms = {Site::attention_norm, Site::query_norm,  Site::key_norm,
                             Site::attention_post_norm, Site::mlp_norm, Site::mlp_post_norm};
            }
          },
      .adjust =
          [](const ModelConfig&, Naming naming, SiteId id, TensorPlace& place) {
            if (naming != Naming::hugging_face) return;
            if (is_norm(id.site)) place.offset = 1;
            if (id.site == Site::mlp_norm)
              place.name = "model.layers." + std::to_string(id.layer) + ".pre_feedforward_layernorm";
          },
  };
  return family;
}

}  // namespace tern
