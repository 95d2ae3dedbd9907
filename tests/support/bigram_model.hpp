#pragma once
#include <cmath>
#include <span>

#include "tern/core/language_model.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/parameter.hpp"

namespace tern::test {

/// The smallest language model: a table of logits, p(next | token) = softmax(logits[token]).
template <std::floating_point S>
struct BigramModel {
  using Scalar = S;
  struct Cache {};

  explicit BigramModel(Index vocabulary) : logits(Matrix<S>::Zero(vocabulary, vocabulary)) {}

  void nll(const Pass&, std::span<const Token> tokens, std::span<const Token> targets, Cache&,
           std::span<double> out) const {
    for (std::size_t t = 0; t < tokens.size(); ++t)
      out[t] =
          targets[t] == ignored ? 0 : log_sum(tokens[t]) - static_cast<double>(logits.value(tokens[t], targets[t]));
  }

  double gradients(const Pass&, std::span<const Token> tokens, std::span<const Token> targets, S scale, Cache&,
                   Gradients<S>& gradients) const {
    Matrix<S>* const dlogits = gradients.find(logits);
    double sum = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      if (targets[t] == ignored) continue;
      const double normaliser = log_sum(tokens[t]);
      sum += normaliser - static_cast<double>(logits.value(tokens[t], targets[t]));
      if (dlogits == nullptr) continue;
      for (Index v = 0; v < logits.value.cols(); ++v) {
        const double p = std::exp(static_cast<double>(logits.value(tokens[t], v)) - normaliser);
        (*dlogits)(tokens[t], v) += scale * static_cast<S>(p - (v == targets[t] ? 1 : 0));
      }
    }
    return sum;
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("logits", self.logits);
  }

  Parameter<S> logits;

 private:
  double log_sum(Index token) const {
    const double largest = static_cast<double>(logits.value.row(token).maxCoeff());
    double sum = 0;
    for (Index v = 0; v < logits.value.cols(); ++v)
      sum += std::exp(static_cast<double>(logits.value(token, v)) - largest);
    return largest + std::log(sum);
  }
};
static_assert(LanguageModel<BigramModel<double>>);

}  // namespace tern::test
