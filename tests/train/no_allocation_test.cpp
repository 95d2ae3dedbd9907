#include "support/no_allocation.hpp"

#include <Eigen/Core>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

using namespace tern::test;

namespace {
void* volatile sink;  // keeps the compiler from eliding an allocation

template <class F>
long counted(F&& f) {
  const long before = allocation_count();
  f();
  return allocation_count() - before;
}
}  // namespace

TEST_CASE("no_allocation: every way to take memory counts, and nothing else does") {
  if (!counts_allocations()) return;
  CHECK(counted([] {
          const auto one = std::make_unique<int>(1);
          sink = one.get();
        }) == 1);
  CHECK(counted([] {
          struct alignas(64) Wide {
            char bytes[64];
          };
          const std::vector<Wide> wide(2);
          sink = const_cast<Wide*>(wide.data());
        }) == 1);
  CHECK(counted([] {
          const Eigen::MatrixXf m = Eigen::MatrixXf::Zero(3, 3);
          sink = const_cast<float*>(m.data());
        }) == 1);
  CHECK(counted([] {
          sink = std::calloc(3, 3);
          sink = std::realloc(sink, 4096);
          std::free(sink);
        }) == 2);
  CHECK(counted([] {
          std::thread([] { sink = std::malloc(8); }).join();
          std::free(sink);
        }) >= 1);
  CHECK(counted([] { sink = nullptr; }) == 0);
}
