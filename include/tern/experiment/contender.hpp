#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tern/adapters/attach.hpp"
#include "tern/layers/rms_norm.hpp"
#include "tern/models/config.hpp"

namespace tern {

/// What a contender may know of the base: its sites and its norms, whatever its weights are stored in.
class ModelView {
 public:
  template <class Model>
  explicit ModelView(const Model& model)
      : sites_(model.sites()), gains_(tern::gains(model.config)), norm_([&model](SiteId id) -> const RmsNorm<float>& {
          return model.norm(id);
        }) {}

  const std::vector<SiteShape>& sites() const { return sites_; }
  const RmsNorm<float>& norm(SiteId id) const { return norm_(id); }
  /// How many gains its norms hold.
  Index gains() const { return gains_; }

 private:
  std::vector<SiteShape> sites_;
  Index gains_;
  std::function<const RmsNorm<float>&(SiteId)> norm_;
};

/// A format in the comparison: what hangs at the base for one user, and what trains.
struct Contender {
  std::string name;         ///< as --formats and the results call it
  std::string title;        ///< as the report calls it
  std::vector<double> rates;  ///< Adam's learning rates that the search starts from
  bool trains_base = false;   ///< the base's own weights train (a copy of them, one user at a time)
  /// Attaches the adapters, freshly initialised; all of them train.
  std::function<void(const ModelView&, AdapterSet<float>&, Random&)> attach;
};

/// The contenders. A new one is a new row.
inline const std::vector<Contender>& contenders() {
  static const std::vector<Contender> table = {
      {"norm", "norm-only gains", {1e-3, 3e-3, 1e-2}, false,
       [](const ModelView& model, AdapterSet<float>& set, Random&) { attach_user_gains(model, set); }},
      {"lora-r4", "LoRA rank 4, every linear", {3e-4, 1e-3, 3e-3}, false,
       [](const ModelView& model, AdapterSet<float>& set, Random& random) {
         attach_lora(model, set, 4, 8.f, random, is_block_linear);
       }},
      {"lora-matched", "LoRA of norm-only's size", {3e-4, 1e-3, 3e-3}, false,
       [](const ModelView& model, AdapterSet<float>& set, Random& random) {
         attach_matched(model, set, size_matched(model.sites(), model.gains()).front(), random, {});
       }},
      {"full", "full fine-tuning", {1e-5, 3e-5, 1e-4}, true, [](const ModelView&, AdapterSet<float>&, Random&) {}},
  };
  return table;
}

/// The row of that name in `table`; throws ValueError naming those there are.
inline const Contender& find_contender(const std::vector<Contender>& table, const std::string& name) {
  std::string known;
  for (const Contender& c : table) {
    if (c.name == name) return c;
    known += (known.empty() ? "" : ", ") + c.name;
  }
  throw ValueError("format '" + name + "': expected one of " + known);
}

}  // namespace tern
