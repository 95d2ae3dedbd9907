#pragma once
#include "tern/models/decoder.hpp"
#include "tern/weights/packed.hpp"

namespace tern {

/// A decoder whose weights are of formats that its tensors call for: one type to the compiler, whatever the base.
template <std::floating_point S>
using PackedDecoder = Decoder<S, Packed<S>, Packed<S>>;

/// The same weights in another format, rounded where they must be; a copy where they are in it already.
template <std::floating_point S>
Packed<S> converted(const Packed<S>& w, WeightFormat format) {
  if (w.format() == format) return w;
  Matrix<S> plain(w.rows(), w.columns());
  for (Index r = 0; r < w.rows(); ++r) w.row(r, plain.row(r).data());
  return format == WeightFormat::f32 ? Packed<S>(std::move(plain)) : Packed<S>::quantize(plain, format);
}

/// The same model with its linears in `linears`, and its tables in `tables`: in f32 everything trains.
template <std::floating_point S>
PackedDecoder<S> converted(const PackedDecoder<S>& model, WeightFormat linears, WeightFormat tables) {
  PackedDecoder<S> to(model.config, unfilled);
  to.embedding.table = converted(model.embedding.table, tables);
  if (model.head) to.head = converted(*model.head, tables);
  std::vector<Packed<S>*> weights;
  std::vector<std::optional<Parameter<S>>*> biases;
  std::vector<Parameter<S>*> gains;
  PackedDecoder<S>::each_part(to, [&](SiteId, auto& part) {
    if constexpr (requires { part.gain; }) {
      gains.push_back(&part.gain);
    } else {
      weights.push_back(&part.weight);
      biases.push_back(&part.bias);
    }
  });
  std::size_t linear = 0, norm = 0;
  PackedDecoder<S>::each_part(model, [&](SiteId, const auto& part) {
    if constexpr (requires { part.gain; }) {
      *gains[norm++] = part.gain;
    } else {
      *weights[linear] = converted(part.weight, linears);
      *biases[linear++] = part.bias;
    }
  });
  return to;
}

}  // namespace tern
