#include "tern/models/hidden_noise.hpp"

#include <doctest/doctest.h>

#include <span>
#include <vector>


using namespace tern;

namespace {

Matrix<double> filled(Index rows, Index columns) {
  Random random(3);
  Matrix<double> m(rows, columns);
  fill_normal(m, random, 2);
  return m;
}

}  // namespace

TEST_CASE("hidden noise: has the row's RMS times what is said, mean 0, and depends on text, layer and seed alone") {
  const std::vector<std::int32_t> tokens = {5, 6, 7}, others = {5, 6, 8};
  const auto noisy = [&](HiddenNoise noise, Index layer, const std::vector<std::int32_t>& text) {
    Matrix<double> h = filled(3, 4096);
    h.row(2) *= 10;
    const Matrix<double> before = h;
    detail::add_noise(noise, layer, std::span(text), h);
    return Matrix<double>(h - before);
  };
  const Matrix<double> n = noisy({0.1, 1}, 0, tokens);
  Matrix<double> h = filled(3, 4096);
  h.row(2) *= 10;
  for (Index r = 0; r < 3; ++r) {
    const double rms = std::sqrt(h.row(r).squaredNorm() / 4096), deviation = std::sqrt(n.row(r).squaredNorm() / 4096);
    CHECK(deviation / rms == doctest::Approx(0.1).epsilon(5 / std::sqrt(2.0 * 4096)));  // five standard errors
    CHECK(std::abs(n.row(r).mean()) < 5 * deviation / std::sqrt(4096.0));
  }
  CHECK(noisy({0.1, 1}, 0, tokens) == n);
  CHECK(noisy({0.1, 2}, 0, tokens) != n);
  CHECK(noisy({0.1, 1}, 1, tokens) != n);
  CHECK(noisy({0.1, 1}, 0, others) != n);
}
