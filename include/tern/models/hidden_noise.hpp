#pragma once
#include <cmath>
#include <span>

#include "tern/core/pass.hpp"
#include "tern/core/random.hpp"

namespace tern::detail {

/// What HiddenNoise says, on the rows that come out of block `layer`. Costs a normal number an element: for experiments.
template <std::floating_point S, class Token>
void add_noise(const HiddenNoise& noise, Index layer, std::span<const Token> tokens, Matrix<S>& hidden) {
  std::uint64_t text = noise.seed;
  for (const Token t : tokens) text = (text ^ static_cast<std::uint64_t>(t)) * 0x100000001b3u;
  Random random(text + static_cast<std::uint64_t>(layer) * 0x9e3779b97f4a7c15u);
  for (Index r = 0; r < hidden.rows(); ++r) {
    double squares = 0;
    for (Index c = 0; c < hidden.cols(); ++c) squares += static_cast<double>(hidden(r, c)) * static_cast<double>(hidden(r, c));
    const double deviation = noise.relative * std::sqrt(squares / static_cast<double>(hidden.cols()));
    for (Index c = 0; c < hidden.cols(); ++c) hidden(r, c) += static_cast<S>(deviation * random.normal());
  }
}

}  // namespace tern::detail
