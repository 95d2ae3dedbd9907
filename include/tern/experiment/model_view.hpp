#pragma once
#include <functional>
#include <vector>

#include "tern/layers/rms_norm.hpp"
#include "tern/models/config.hpp"

namespace tern {

/// What a contender may know of the base: its sites and its norms, whatever its weights are stored in. Borrows the model.
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

}  // namespace tern
