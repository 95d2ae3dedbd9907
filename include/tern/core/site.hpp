#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tern/core/matrix.hpp"

namespace tern {

/// The places of a decoder where an adapter may attach: the output of each norm and each linear, in the order of the
/// forward pass. A model has those that its configuration calls for.
enum class Site {
  attention_norm,       ///< before attention (HF input_layernorm, GGUF attn_norm)
  query,
  key,
  value,
  query_norm,           ///< of each query head, before rotation (qwen3, gemma3): its rows are tokens x heads
  key_norm,             ///< of each key head
  attention_sub_norm,   ///< before the output projection (bitnet)
  attention_output,     ///< the output projection (HF o_proj)
  attention_post_norm,  ///< after the output projection (gemma3)
  mlp_norm,             ///< before the MLP (HF post_attention_layernorm, GGUF ffn_norm)
  gate,
  up,
  mlp_sub_norm,         ///< before the down projection (bitnet)
  down,
  mlp_post_norm,        ///< after the down projection (gemma3)
  final_norm,           ///< before the head; its layer is -1
  head,                 ///< the vocabulary projection; its layer is -1
};

inline constexpr std::array<std::string_view, 17> site_names = {
    "attention_norm",      "query",    "key",  "value", "query_norm",   "key_norm", "attention_sub_norm",
    "attention_output",    "attention_post_norm", "mlp_norm", "gate", "up", "mlp_sub_norm", "down",
    "mlp_post_norm",       "final_norm", "head"};

constexpr std::string_view name(Site site) { return site_names[static_cast<std::size_t>(site)]; }

constexpr bool is_norm(Site site) {
  switch (site) {
    case Site::attention_norm:
    case Site::query_norm:
    case Site::key_norm:
    case Site::attention_sub_norm:
    case Site::attention_post_norm:
    case Site::mlp_norm:
    case Site::mlp_sub_norm:
    case Site::mlp_post_norm:
    case Site::final_norm:
      return true;
    default:
      return false;
  }
}

inline constexpr std::array<Site, 17> all_sites = [] {
  std::array<Site, 17> sites{};
  for (std::size_t i = 0; i < sites.size(); ++i) sites[i] = static_cast<Site>(i);
  return sites;
}();

/// Some of the sites.
class SiteSet {
 public:
  constexpr SiteSet() = default;
  constexpr SiteSet(std::initializer_list<Site> sites) {
    for (const Site s : sites) add(s);
  }
  constexpr void add(Site s) { bits_ |= std::uint32_t{1} << static_cast<unsigned>(s); }
  constexpr bool contains(Site s) const { return (bits_ >> static_cast<unsigned>(s) & 1u) != 0; }
  friend constexpr bool operator==(const SiteSet&, const SiteSet&) = default;

 private:
  std::uint32_t bits_ = 0;
};

/// A site of one layer; layer -1 is outside the blocks.
struct SiteId {
  Index layer = -1;
  Site site = Site::final_norm;
  friend auto operator<=>(const SiteId&, const SiteId&) = default;
};

/// "blocks.3.query", "final_norm".
inline std::string to_string(SiteId id) {
  return id.layer < 0 ? std::string(name(id.site)) : "blocks." + std::to_string(id.layer) + "." + std::string(name(id.site));
}

/// What a model says of one of its sites: enough to build an adapter for it.
struct SiteShape {
  SiteId id;
  Index in = 0;    ///< width of the site's input
  Index out = 0;   ///< width of its output; a norm's channels
};

}  // namespace tern
