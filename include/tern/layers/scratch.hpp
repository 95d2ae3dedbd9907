#pragma once
#include <memory>

#include "tern/core/concepts.hpp"

namespace tern {

namespace detail {

/// The working memory of a cache: lent by whoever runs several layers one after another, else its own.
template <class Cache>
auto& scratch_of(Cache& c) {
  using Scratch = typename decltype(c.scratch)::element_type;
  if (!c.scratch) c.scratch = std::make_shared<Scratch>();
  return *c.scratch;
}

/// Lends a part of an owner's scratch to a cache.
template <class Owner, class Scratch, class Cache>
void lend(const std::shared_ptr<Owner>& owner, Scratch& part, Cache& to) {
  if (to.scratch.get() != &part) to.scratch = std::shared_ptr<Scratch>(owner, &part);
}

/// The cache of a linear's storage: its own where backward needs what is in it, else one that all share.
template <class W, class C>
C& storage_cache(C& own, C& shared) {
  return keeps_for_backward<W>() ? own : shared;
}

}  // namespace detail
}  // namespace tern
