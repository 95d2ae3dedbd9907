/// What every consumer builds: a user's program of a few lines.
#include <tern/tern.hpp>

int main() {
  tern::RmsNorm<float> norm(8);
  tern::RmsNorm<float>::Cache cache;
  const tern::Matrix<float> x = tern::Matrix<float>::Ones(2, 8);
  tern::Matrix<float> y(2, 8);
  norm.forward({}, x, cache, y);
  return std::abs(y(1, 7) - 1.0f) < 1e-3f ? 0 : 1;
}
