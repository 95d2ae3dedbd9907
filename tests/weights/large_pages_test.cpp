#include "tern/weights/large_pages.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace tern;

TEST_CASE("large pages: arrays of any size begin at a cache line, those of a page and more at a page") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, LargePages<char>::page - 1, LargePages<char>::page,
                                 2 * LargePages<char>::page + 5}) {
    CAPTURE(size);
    LargeVector<char> v(size, 7);
    CHECK(reinterpret_cast<std::uintptr_t>(v.data()) % (size >= LargePages<char>::page ? LargePages<char>::page : 64) ==
          0);
    v.resize(size + 1, 8);
    const LargeVector<char> copy = v;
    CHECK(copy == v);
    CHECK(copy[size - 1] == 7);
    CHECK(copy[size] == 8);
  }
}

TEST_CASE("large pages: more than an address space is refused") {
  CHECK_THROWS_AS(LargePages<double>().allocate(std::size_t{1} << 61), std::bad_alloc);
}
