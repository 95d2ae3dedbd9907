#include "tern/weights/large_array.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace tern;

TEST_CASE("large array: it begins at a cache line, or at a page where it fills one") {
  constexpr std::size_t page = LargeArray<char>::page;
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, page - 1, page, 2 * page + 5}) {
    CAPTURE(size);
    const LargeArray<char> a(size, 7);
    CHECK(a.size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % (size < page ? 64 : page) == 0);
    CHECK(std::count(a.data(), a.data() + size, 7) == static_cast<std::ptrdiff_t>(size));
  }
}

TEST_CASE("large array: copies are apart, what was moved from is empty") {
  LargeArray<int> a(5, 1), copy = a;
  copy.data()[4] = 2;
  CHECK(a.data()[4] == 1);
  LargeArray<int> moved = std::move(copy);
  CHECK(moved.data()[4] == 2);
  CHECK(copy.size() == 0);
  a = moved;
  CHECK(a.data()[4] == 2);
  CHECK(moved.size() == 5);
  a = LargeArray<int>();
  CHECK(a.size() == 0);
}

TEST_CASE("large array: more than an address space is refused") {
  CHECK_THROWS_AS(LargeArray<double>(std::size_t{1} << 61), std::bad_alloc);
}
