#pragma once
/// Where the spread of a difference comes from: users, seeds or documents.
#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/statistics/moments.hpp"

namespace tern::statistics {

/// Variances of y[user, seed, document] = mean + U[user] + S[user, seed] + D[user, document] + E[user, seed, document].
/// Seeds and documents are a user's own: each seed trains an adapter of that user alone. Estimates are unbiased before
/// they are cut off at 0. Absent: what the design cannot tell, and its share is in the next one down.
struct VarianceComponents {
  double user = 0;
  std::optional<double> seed;      ///< needs two seeds of some user
  std::optional<double> document;  ///< needs two documents of some user
  std::optional<double> residual;  ///< needs two seeds and two documents of some user

  /// The variance of a mean over users with so many seeds and documents each: what more of which would buy.
  double of_mean(Index users, Index seeds, Index documents) const {
    const double n = static_cast<double>(users), a = static_cast<double>(seeds), b = static_cast<double>(documents);
    return (user + seed.value_or(0) / a + document.value_or(0) / b + residual.value_or(0) / (a * b)) / n;
  }
};

/// One matrix a user, [seeds x documents], every seed on every document. Users may differ in both numbers, documents
/// count alike whatever their length. By the method of moments: with a seeds and b documents of a user, sums over
/// users,
///   residual = sum SS_residual / sum (a-1)(b-1)
///   seed     = (sum b |seed means - mean|^2 - residual sum (a-1)) / sum b (a-1)
///   document = (sum a |document means - mean|^2 - residual sum (b-1)) / sum a (b-1)
///   user     = variance of the users' means - mean over users of (seed/a + document/b + residual/(ab)).
/// Residual is taken as 0 where no user has two of both. Throws ValueError on fewer than two users, an empty matrix or
/// a value that is not finite.
inline VarianceComponents variance_components(std::span<const Matrix<double>> users) {
  if (users.size() < 2)
    throw ValueError("variance components: expected at least 2 users, got " + std::to_string(users.size()));
  struct {
    double squares = 0, freedom = 0;
  } residual;
  struct {
    double squares = 0, freedom = 0, weight = 0;
    /// Not yet cut off at 0.
    double estimate(double left) const { return (squares - left * freedom) / weight; }
  } seed, document;
  std::vector<double> means;
  means.reserve(users.size());
  for (std::size_t u = 0; u < users.size(); ++u) {
    const Matrix<double>& y = users[u];
    if (y.size() == 0 || !y.allFinite())
      throw ValueError("variance components: user " + std::to_string(u) +
                       ": expected [seeds x documents] finite values, got [" + std::to_string(y.rows()) + " x " +
                       std::to_string(y.cols()) + (y.size() == 0 ? "]" : "] with one that is not"));
    const double a = static_cast<double>(y.rows()), b = static_cast<double>(y.cols()), mean = y.mean();
    const auto of_seeds = (y.rowwise().mean().array() - mean).eval();
    const auto of_documents = (y.colwise().mean().array() - mean).eval();
    double left = 0;
    for (Index i = 0; i < y.rows(); ++i)
      for (Index j = 0; j < y.cols(); ++j) left += std::pow(y(i, j) - mean - of_seeds(i) - of_documents(j), 2);
    residual.squares += left;
    residual.freedom += (a - 1) * (b - 1);
    seed.squares += b * of_seeds.square().sum();
    seed.freedom += a - 1;
    seed.weight += b * (a - 1);
    document.squares += a * of_documents.square().sum();
    document.freedom += b - 1;
    document.weight += a * (b - 1);
    means.push_back(mean);
  }

  VarianceComponents found;
  const double left = residual.freedom > 0 ? residual.squares / residual.freedom : 0;
  const double of_seed = seed.freedom > 0 ? seed.estimate(left) : 0;
  const double of_document = document.freedom > 0 ? document.estimate(left) : 0;
  double within = 0;
  for (const Matrix<double>& y : users) {
    const double a = static_cast<double>(y.rows()), b = static_cast<double>(y.cols());
    within += of_seed / a + of_document / b + left / (a * b);
  }
  const double spread = moments(means).deviation;
  found.user = std::max(0.0, spread * spread - within / static_cast<double>(users.size()));
  if (seed.freedom > 0) found.seed = std::max(0.0, of_seed);
  if (document.freedom > 0) found.document = std::max(0.0, of_document);
  if (residual.freedom > 0) found.residual = left;
  return found;
}

}  // namespace tern::statistics
