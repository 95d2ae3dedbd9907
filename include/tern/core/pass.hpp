#pragma once
#include <cstdint>
#include <span>

#include "tern/core/matrix.hpp"
#include "tern/core/parallel.hpp"

namespace tern {

namespace kernels {
struct Table;
}

/// One run of consecutive rows that belong to one text.
struct Sequence {
  Index rows = 0;   ///< how many rows of the batch
  Index start = 0;  ///< position of the first: tokens that the key/value store already holds
  /// Tokens of the whole text, where more are known than up to these rows: longrope turns all of a text by it.
  Index length = 0;
};

/// How activations meet weights.
///   full   Forward as they are, in float throughout: packed weights are decoded on the way.
///   mixed  Rounded: with plain weights, and in attention, both factors to bf16 and sums in float, where the machine has
///          such products (mixed precision, arXiv 1710.03740, about twice as fast; double is exact); with packed weights
///          of 8 and 4 bits, and ternary ones in groups, activations to int8 (which moves perplexity by a percent or so:
///          docs/file_formats.md).
/// In both, ternary weights with one scale a tensor or a row take int8, as BitLinear defines, bf16 weights what
/// weights/bf16.hpp says, and gradients go back through packed weights in bf16 where the machine has its products, unless
/// Pass says int8.
enum class Precision { full, mixed };

/// How gradients go back through packed weights: in float (or bf16, where products of that are fast), or rounded to
/// int8, to nearest or at random so that none is lost on average. int8 takes about half the time where bytes have dot
/// products. Through ternary weights there is a scale a token (docs/decisions/0010); through weights of 8 and 4 bits one for
/// every 128 of their rows (0022), and the weights are rounded too, to 7 bits under one scale a row
/// (kernels/grouped_matmul/turned_weight.hpp). A decoder's head takes no part.
enum class GradientRounding { none, nearest, stochastic };

/// Gaussian noise on the hidden state after every block of a forward pass, for asking what a gain is worth where numbers
/// are coarse: h += relative * RMS(h) * N(0, 1), row by row. Drawn from seed, tokens, layer and place alone, so that it is
/// the same at any number of threads. A backward pass takes it for a constant.
struct HiddenNoise {
  double relative = 0;  ///< 0: none
  std::uint64_t seed = 0;
};

/// What a forward or backward call is told about its rows, and what it may use. Borrows everything; costs nothing to
/// copy.
struct Pass {
  const kernels::Table* kernels = nullptr;              ///< which kernels to run; null: the best that this machine has
  Parallel parallel{};                                  ///< who runs them; serial by default
  Precision precision = Precision::full;                ///< of products with weights
  GradientRounding gradients = GradientRounding::none;  ///< on the way back through packed weights of 8 bits and fewer
  std::span<const Index> user{};                        ///< user of each row; empty: user 0 everywhere
  HiddenNoise noise{};                                  ///< of decoders; layers take no notice of it
  std::span<const Sequence> sequences{};  ///< how rows fall into texts; empty: all rows are one text from position 0
};

}  // namespace tern
