/// Ternary weights cannot train: they have no accumulate, which dense ones have.
#include "tern/weights/dense.hpp"
#include "tern/weights/ternary.hpp"

#ifdef TERN_BAD
using Storage = tern::Ternary<float>;
#else
using Storage = tern::Dense<float>;
#endif

void train(Storage& weights, const tern::Pass& pass, tern::In<float> x, Storage::Cache& cache, tern::In<float> dy,
           tern::Gradients<float>& gradients) {
  weights.accumulate(pass, x, cache, dy, gradients);
}
