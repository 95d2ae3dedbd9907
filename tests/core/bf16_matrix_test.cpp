#include "tern/core/bf16_matrix.hpp"

#include <doctest/doctest.h>

#include <fstream>
#if defined(__linux__)
#include <unistd.h>
#endif

using namespace tern;

TEST_CASE("bf16 matrix: zeros of the shape asked for, row after row") {
  Bf16Matrix m(2, 3);
  CHECK(m.rows() == 2);
  CHECK(m.cols() == 3);
  CHECK(m.size() == 6);
  CHECK(all_zero(6, m.data()));
  m(1, 2) = 0x3f80;
  CHECK(m.data()[5] == 0x3f80);
  CHECK(!all_zero(6, m.data()));
  CHECK(all_zero(5, m.data()));
  CHECK(all_zero(0, nullptr));
  const std::uint16_t negative = 0x8000;
  CHECK(!all_zero(1, &negative));
  CHECK(Bf16Matrix().size() == 0);
  CHECK(Bf16Matrix(0, 7).data() == nullptr);
  CHECK_THROWS_AS(Bf16Matrix(PTRDIFF_MAX / 2, 3), std::bad_alloc);
}

TEST_CASE("bf16 matrix: copied, moved, compared, cleared in part and resized") {
  Bf16Matrix m(3, 1000);
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<std::uint16_t>(i + 1);
  Bf16Matrix copy = m;
  CHECK(copy == m);
  copy.set_zero(1024, 2100);
  Index wrong = 0;
  for (Index i = 0; i < m.size(); ++i) wrong += copy.data()[i] != (i >= 1024 && i < 2100 ? 0 : m.data()[i]);
  CHECK(wrong == 0);
  CHECK(!(copy == m));
  CHECK(!(Bf16Matrix(2, 3) == Bf16Matrix(3, 2)));
  copy.resize(3, 1000);
  CHECK(copy(0, 1) == 2);
  const Bf16Matrix moved = std::move(copy);
  CHECK(moved(0, 1) == 2);
  copy = m;
  CHECK(copy == m);
  copy.set_zero();
  CHECK(copy == Bf16Matrix(3, 1000));
  copy.resize(1000, 3);
  CHECK(copy == Bf16Matrix(1000, 3));
}

#if defined(__linux__)
TEST_CASE("bf16 matrix: what nobody wrote takes no memory") {
  const auto resident = [] {
    Index all = 0, here = 0;
    std::ifstream("/proc/self/statm") >> all >> here;
    return here * static_cast<Index>(sysconf(_SC_PAGESIZE));
  };
  const Index before = resident(), megabyte = Index{1} << 20;
  Bf16Matrix m(1 << 17, 1024);  // 256 MB
  m(70000, 3) = 1;
  const Bf16Matrix copy = m;
  CHECK(copy == m);
  m.set_zero();
  CHECK(all_zero(m.size(), m.data()));
  CHECK(resident() - before < 32 * megabyte);
}
#endif
