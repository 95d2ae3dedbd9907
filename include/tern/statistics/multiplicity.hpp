#pragma once
/// p values of several tests, adjusted so that each can be held against alpha by itself.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"

namespace tern::statistics {

namespace detail {

/// The places of `p` from the smallest on, equal ones in their order.
inline std::vector<std::size_t> ascending(std::string_view place, std::span<const double> p) {
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!(p[i] >= 0 && p[i] <= 1))
      throw ValueError(std::string(place) + ": expected p " + std::to_string(i) + " in [0, 1], got " +
                       std::to_string(p[i]));
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  return order;
}

}  // namespace detail

/// Holm (1979): the chance of even one false claim stays below alpha, however the tests depend on each other.
///   adjusted(k) = max over j <= k of min(1, (m - j + 1) p(j)),  p(1) <= ... <= p(m).
/// In the order of `p`; none gives none. Throws ValueError on a p outside [0, 1].
inline std::vector<double> holm(std::span<const double> p) {
  const auto order = detail::ascending("holm", p);
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    adjusted[order[k]] = largest;
  }
  return adjusted;
}

/// Benjamini and Hochberg (1995): of the claims made, the expected share of false ones stays below alpha, for tests
/// that are independent or positively dependent.
///   adjusted(k) = min over j >= k of min(1, m p(j) / j),  p(1) <= ... <= p(m).
/// In the order of `p`; none gives none. Throws ValueError on a p outside [0, 1].
inline std::vector<double> benjamini_hochberg(std::span<const double> p) {
  const auto order = detail::ascending("benjamini-hochberg", p);
  std::vector<double> adjusted(p.size());
  double smallest = 1;
  for (std::size_t k = order.size(); k-- > 0;) {
    smallest = std::min(smallest, static_cast<double>(order.size()) * p[order[k]] / static_cast<double>(k + 1));
    adjusted[order[k]] = smallest;
  }
  return adjusted;
}

}  // namespace tern::statistics
