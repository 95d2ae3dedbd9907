#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/layers/causal_attention.hpp"

namespace tern {

/// Keys and values of every layer and sequence, for decoding.
template <std::floating_point S>
struct KeyValueStore {
  std::vector<std::vector<KeyValues<S>>> layers;  // [layer][sequence]

  Index sequences() const { return layers.empty() ? 0 : static_cast<Index>(layers.front().size()); }
  /// Positions of each, the fewest where they differ.
  Index capacity() const {
    Index fewest = sequences() == 0 ? 0 : layers.front().front().keys.rows();
    for (const auto& layer : layers)
      for (const auto& sequence : layer) fewest = std::min(fewest, sequence.keys.rows());
    return fewest;
  }
};

/// Room for `capacity` positions of `sequences` texts in `layers` layers, keys and values `width` wide. Throws ValueError
/// on negative numbers.
template <std::floating_point S>
KeyValueStore<S> make_store(std::size_t layers, Index capacity, Index sequences, Index width) {
  if (capacity < 0 || sequences < 0)
    throw ValueError("decoder store: expected 0 or more positions of 0 or more sequences, got " +
                     std::to_string(capacity) + " of " + std::to_string(sequences));
  KeyValueStore<S> store;
  store.layers.resize(layers);
  for (auto& layer : store.layers)
    layer.resize(static_cast<std::size_t>(sequences), KeyValues<S>{Matrix<S>(capacity, width), Matrix<S>(capacity, width)});
  return store;
}

}  // namespace tern
