#pragma once
#include <doctest/doctest.h>

namespace tern::test {

/// How often memory was taken from the heap since the program began: on any thread, by new, malloc or Eigen.
/// Counted by no_allocation.cpp, which replaces malloc in test programs.
long allocation_count();

/// Whether this build counts: not under sanitizers, which bring their own malloc, nor without glibc.
bool counts_allocations();

/// Checks that nothing is allocated while it lives. Keep doctest's macros out of its scope: they allocate.
///   { const NoAllocation guard; layer.forward(pass, x, cache, y); }
class NoAllocation {
 public:
  NoAllocation() = default;
  ~NoAllocation() {
    const long allocations = allocation_count() - before_;
    CHECK(allocations == 0);
  }
  NoAllocation(const NoAllocation&) = delete;
  NoAllocation& operator=(const NoAllocation&) = delete;

 private:
  long before_ = allocation_count();
};

}  // namespace tern::test
