#pragma once
/// An adapter's numbers: rounded, averaged over people, put into clusters.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tern/adapters/adapter_set.hpp"
#include "tern/core/random.hpp"

namespace tern {

/// The matrices of a set, in its order.
using AdapterValues = std::vector<Matrix<float>>;

inline AdapterValues values_of(const AdapterSet<float>& set) {
  AdapterValues values;
  for_each_parameter(set, [&](std::string_view, const Parameter<float>& p) { values.push_back(p.value); });
  return values;
}
/// Into a set of the same shape.
inline void put_values(const AdapterValues& values, AdapterSet<float>& set) {
  std::size_t i = 0;
  for_each_parameter(set, [&](std::string_view, Parameter<float>& p) { p.value = values[i++]; });
}

/// values += factor * more
inline void add(AdapterValues& values, const AdapterValues& more, float factor) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i].noalias() += factor * more[i];
}
inline AdapterValues average(const std::vector<const AdapterValues*>& all) {
  AdapterValues mean = *all.front();
  for (std::size_t i = 1; i < all.size(); ++i) add(mean, *all[i], 1);
  for (auto& m : mean) m /= static_cast<float>(all.size());
  return mean;
}

/// Each row, which is a vector of gains or a row of a low-rank factor, as whole numbers of so many bits times a scale: the
/// largest magnitude becomes the largest number, halves go away from zero.
inline void round_to_integers(AdapterValues& values, int bits) {
  const float most = static_cast<float>((1 << (bits - 1)) - 1);
  for (auto& m : values)
    for (Index r = 0; r < m.rows(); ++r) {
      const float scale = m.cols() == 0 ? 0 : m.row(r).cwiseAbs().maxCoeff() / most;
      if (!(scale > 0)) continue;
      for (Index c = 0; c < m.cols(); ++c) m(r, c) = scale * std::clamp(std::round(m(r, c) / scale), -most, most);
    }
}
/// To the nearest bf16, of two the even one.
inline void round_to_bf16(AdapterValues& values) {
  for (auto& m : values)
    for (Index i = 0; i < m.size(); ++i) {
      std::uint32_t bits = std::bit_cast<std::uint32_t>(m.data()[i]);
      bits += 0x7fffu + ((bits >> 16) & 1u);
      m.data()[i] = std::bit_cast<float>(bits & 0xffff0000u);
    }
}

/// "bf16", "int8" or "int4"; nothing changes where `stored` is empty.
inline void store_as(AdapterValues& values, const std::string& stored) {
  if (stored == "bf16") round_to_bf16(values);
  if (stored == "int8") round_to_integers(values, 8);
  if (stored == "int4") round_to_integers(values, 4);
}
/// Bytes of the numbers, with a float32 scale a row where they are whole.
inline std::uint64_t bytes_as(const AdapterValues& values, const std::string& stored) {
  std::uint64_t bytes = 0;
  for (const auto& m : values) {
    const auto rows = static_cast<std::uint64_t>(m.rows()), columns = static_cast<std::uint64_t>(m.cols());
    bytes += stored == "int8"   ? rows * (columns + 4)
             : stored == "int4" ? rows * ((columns + 1) / 2 + 4)
             : stored == "bf16" ? 2 * rows * columns
                                : 4 * rows * columns;
  }
  return bytes;
}

/// How many clusters so many people fall into: the square root of half of them, two at least.
inline std::size_t cluster_count(std::size_t people) {
  return std::max<std::size_t>(2, static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(people) / 2))));
}

/// Lloyd's k-means on all numbers of an adapter, from k-means++ (Arthur and Vassilvitskii 2007), the best of eight starts
/// drawn by a fixed seed: a function of the values alone. The cluster of each, from 0; numbered by their first member.
inline std::vector<std::size_t> clusters_of(const std::vector<const AdapterValues*>& all, std::size_t k) {
  const std::size_t n = all.size();
  k = std::min(k, n);
  const auto distance = [](const AdapterValues& a, const AdapterValues& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>((a[i] - b[i]).squaredNorm());
    return sum;
  };
  std::vector<std::size_t> best(n, 0);
  double lowest = std::numeric_limits<double>::infinity();
  Random random(0x7465726eu);
  for (int start = 0; start < 8; ++start) {
    std::vector<AdapterValues> centres = {*all[static_cast<std::size_t>(random.below(static_cast<Index>(n)))]};
    std::vector<double> nearest(n, std::numeric_limits<double>::infinity());
    while (centres.size() < k) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += nearest[i] = std::min(nearest[i], distance(*all[i], centres.back()));
      double drawn = random.uniform() * sum;
      std::size_t next = 0;
      while (next + 1 < n && (drawn -= nearest[next]) >= 0) ++next;
      centres.push_back(*all[next]);
    }
    std::vector<std::size_t> of(n, k);
    double total = 0;
    for (int round = 0; round < 50; ++round) {
      bool moved = false;
      total = 0;
      for (std::size_t i = 0; i < n; ++i) {
        std::size_t at = 0;
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < k; ++c)
          if (const double d = distance(*all[i], centres[c]); d < least) at = c, least = d;
        moved = moved || at != of[i];
        of[i] = at, total += least;
      }
      if (!moved) break;
      for (std::size_t c = 0; c < k; ++c) {
        std::vector<const AdapterValues*> members;
        for (std::size_t i = 0; i < n; ++i)
          if (of[i] == c) members.push_back(all[i]);
        if (!members.empty()) centres[c] = average(members);
      }
    }
    if (total < lowest) lowest = total, best = of;
  }
  std::vector<std::size_t> numbers(k, k);
  std::size_t next = 0;
  for (std::size_t& c : best) {
    if (numbers[c] == k) numbers[c] = next++;
    c = numbers[c];
  }
  return best;
}

}  // namespace tern
