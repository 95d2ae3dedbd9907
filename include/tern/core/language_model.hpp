#pragma once
#include <concepts>
#include <span>

#include "tern/core/gradients.hpp"
#include "tern/core/pass.hpp"
#include "tern/core/token.hpp"

namespace tern {

/// What training and evaluation ask of a model, adapters included.
///   nll:        nll[t] = -log p(targets[t] | tokens of the same sequence up to t); 0 where the target is `ignored`.
///   gradients:  returns the sum of nll, and adds scale * d(sum nll)/dp to the gradient of each parameter that has one.
/// tokens, targets and nll have one entry a row; pass.sequences says how rows fall into texts.
template <class M>
concept LanguageModel = requires(const M m, const Pass& p, std::span<const Token> tokens, typename M::Cache& cache,
                                 std::span<double> nll, typename M::Scalar scale,
                                 Gradients<typename M::Scalar>& gradients) {
  m.nll(p, tokens, tokens, cache, nll);
  { m.gradients(p, tokens, tokens, scale, cache, gradients) } -> std::same_as<double>;
};

}  // namespace tern
