#pragma once
#include <utility>

#include "tern/core/language_model.hpp"
#include "tern/models/decoder.hpp"

namespace tern {

/// A decoder together with what is attached to it: the LanguageModel that training and evaluation see.
/// Borrows both; either may be frozen.
template <class D, class Adapters>
class Adapted {
 public:
  using Scalar = typename D::Scalar;
  struct Cache {
    typename D::Cache decoder;
    typename Adapters::Cache adapters;
  };

  Adapted(D& d, Adapters& a) : decoder(&d), adapters(&a) {}

  void nll(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, Cache& cache,
           std::span<double> nll) const {
    decoder->nll(pass, tokens, targets, cache.decoder, nll, std::as_const(*adapters), &cache.adapters);
  }
  double gradients(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, Scalar scale,
                   Cache& cache) {
    return decoder->gradients(pass, tokens, targets, scale, cache.decoder, *adapters, &cache.adapters);
  }

  D* decoder;
  Adapters* adapters;
};
static_assert(LanguageModel<Adapted<Decoder<float>, NoAdapters>>);

}  // namespace tern
