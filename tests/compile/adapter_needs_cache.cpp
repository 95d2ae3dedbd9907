/// A set of adapters cannot be passed without the cache of what they compute.
#include "tern/adapters/adapter_set.hpp"
#include "tern/models/decoder.hpp"

using Set = tern::AdapterSet<float>;

void run(const tern::Decoder<float>& model, tern::Decoder<float>::Cache& cache, const Set& set, Set::Cache& of_set,
         std::span<const tern::Token> tokens, std::span<double> nll) {
#ifdef TERN_BAD
  (void)of_set;
  model.nll({}, tokens, tokens, cache, nll, set);
#else
  model.nll({}, tokens, tokens, cache, nll, tern::Attached(set, of_set));
#endif
}
