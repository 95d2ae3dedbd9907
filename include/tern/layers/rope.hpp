#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "tern/core/pass.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Llama 3's stretching of slow rotations: wavelengths beyond original_context/low_factor are divided by `factor`,
/// those below original_context/high_factor stay, and between the two the frequency is blended.
struct Llama3RopeScaling {
  double factor = 32;
  double low_factor = 1;
  double high_factor = 4;
  double original_context = 8192;
};

/// That scaling as one divisor for each of the head_dim/2 frequencies, the form in which GGUF files carry it.
inline std::vector<double> rope_divisors(const Llama3RopeScaling& s, Index head_dim, double theta) {
  std::vector<double> divisors;
  for (Index i = 0; i < head_dim / 2; ++i) {
    const double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    const double wavelength = 2.0 * std::numbers::pi / frequency;
    const double smooth = (s.original_context / wavelength - s.low_factor) / (s.high_factor - s.low_factor);
    const double kept = std::clamp(smooth, 0.0, 1.0);  // 1: fast, unchanged; 0: slow, divided by factor
    divisors.push_back(1.0 / ((1.0 - kept) / s.factor + kept));
  }
  return divisors;
}

/// Rotary position embedding (Su et al., arXiv 2104.09864), pairing channel i with i + head_dim/2 of each head.
///   angle(p, i) = p * theta^(-2i/head_dim) / divisor[i]
/// Angles are formed in double, whatever S is.
template <std::floating_point S>
class Rope {
 public:
  /// cos and sin of every row's angles, kept while the rows' positions stay the same.
  struct Table {
    Matrix<S> cos, sin;  // [tokens x head_dim/2]
    std::vector<Sequence> sequences;
    bool matches(std::span<const Sequence> s, Index rows) const {
      if (cos.rows() != rows || sequences.size() != s.size()) return false;
      for (std::size_t i = 0; i < s.size(); ++i)
        if (s[i].rows != sequences[i].rows || s[i].start != sequences[i].start) return false;
      return true;
    }
  };

  Rope() = default;
  /// divisors: head_dim/2 of them, or none for the plain embedding.
  Rope(Index head_dim, double theta, std::span<const double> divisors = {}) : head_dim_(head_dim) {
    for (Index i = 0; i < head_dim / 2; ++i) {
      const double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
      frequencies_.push_back(divisors.empty() ? frequency : frequency / divisors[static_cast<std::size_t>(i)]);
    }
  }

  Index head_dim() const { return head_dim_; }

  /// Fills the table for rows laid out as `sequences` (one run of all rows from 0 if empty).
  void fill(std::span<const Sequence> sequences, Index rows, Table& table) const {
    if (table.matches(sequences, rows)) return;
    const Index half = head_dim_ / 2;
    reshape(table.cos, rows, half);
    reshape(table.sin, rows, half);
    table.sequences.assign(sequences.begin(), sequences.end());
    const Sequence whole{rows, 0};
    Index row = 0;
    for (const Sequence& s : sequences.empty() ? std::span<const Sequence>(&whole, 1) : sequences)
      for (Index r = 0; r < s.rows; ++r, ++row)
        for (Index i = 0; i < half; ++i) {
          const double angle = static_cast<double>(s.start + r) * frequencies_[static_cast<std::size_t>(i)];
          table.cos(row, i) = static_cast<S>(std::cos(angle));
          table.sin(row, i) = static_cast<S>(std::sin(angle));
        }
  }

  /// Rotates every head of every row of x [tokens x heads*head_dim] in place; direction -1 rotates back, which is the
  /// backward pass.
  void apply(const Pass& pass, const Table& table, S direction, Out<S> x) const {
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(x.rows(), 16, [&](Index begin, Index end) {
      for (Index t = begin; t < end; ++t)
        ops.rope(x.cols() / head_dim_, head_dim_, table.cos.row(t).data(), table.sin.row(t).data(), direction,
                 x.row(t).data());
    });
  }

 private:
  Index head_dim_ = 0;
  std::vector<double> frequencies_;
};

}  // namespace tern
