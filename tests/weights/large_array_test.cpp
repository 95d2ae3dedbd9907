#include "tern/weights/large_array.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <unistd.h>
#endif

using namespace tern;
using Pages = detail::WeightPages;

TEST_CASE("large array: it begins at a cache line, or at a page where it shares none") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, Pages::least_shared - 1, Pages::least_shared,
                                 Pages::page, 2 * Pages::page + 5, Pages::most_shared, Pages::most_shared + 1}) {
    CAPTURE(size);
    const LargeArray<char> a(size, 7);
    CHECK(a.size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % (size <= Pages::most_shared ? 64 : Pages::page) == 0);
    CHECK(std::count(a.data(), a.data() + size, 7) == static_cast<std::ptrdiff_t>(size));
  }
}

TEST_CASE("large array: those that share pages keep apart, whichever are freed, and wherever") {
  struct Marked {
    LargeArray<std::uint32_t> numbers;
    std::uint32_t mark;
  };
  std::vector<Marked> kept;
  const auto whole = [&] {
    return std::all_of(kept.begin(), kept.end(), [](const Marked& m) {
      return std::count(m.numbers.data(), m.numbers.data() + m.numbers.size(), m.mark) ==
             static_cast<std::ptrdiff_t>(m.numbers.size());
    });
  };
  // Three stretches' worth, in sizes that end inside a cache line and a small page.
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; bytes < 3 * Pages::stretch; ++i) {
    const std::size_t size = Pages::least_shared / 4 + (std::size_t{i} * 1234567) % (2 * Pages::page / 4) + i % 7;
    kept.push_back({LargeArray<std::uint32_t>(size, i), i});
    bytes += 4 * size;
  }
  CHECK(whole());
  std::vector<Marked> freed;
  for (std::size_t i = 0; i < kept.size(); i += 2) freed.push_back(std::move(kept[i]));
  std::erase_if(kept, [](const Marked& m) { return m.numbers.size() == 0; });
  std::thread([&] { freed.clear(); }).join();
  CHECK(whole());
  for (std::uint32_t i = 0; i < 20; ++i) kept.push_back({LargeArray<std::uint32_t>(Pages::page / 8 + i, ~i), ~i});
  CHECK(whole());
}

TEST_CASE("large array: arrays of one thread lie side by side, those of two do not") {
  const auto numbers = [](const LargeArray<char>& a) { return reinterpret_cast<std::uintptr_t>(a.data()); };
  constexpr std::size_t size = Pages::least_shared + 1, taken = Pages::least_shared + 64;
  const LargeArray<char> first(size), second(size);
  LargeArray<char> other;
  std::thread([&] { other = LargeArray<char>(size); }).join();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  CHECK((numbers(second) == numbers(first) + taken) == !Pages::watched);
#endif
  CHECK(numbers(other) != numbers(second) + taken);
}

#if defined(__linux__) && defined(MADV_HUGEPAGE)
TEST_CASE("large array: what one leaves goes back to the system while others of its pages live" *
          doctest::skip(Pages::watched)) {
  constexpr std::size_t small = Pages::small_page, size = 3 * Pages::page, pages = size / small - 1;
  const LargeArray<char> before(size, 1);
  std::uintptr_t begin = 0;
  {
    const LargeArray<char> left(size, 2);
    begin = (reinterpret_cast<std::uintptr_t>(left.data()) + small - 1) / small * small;
  }
  const LargeArray<char> after(size, 3);
  std::vector<unsigned char> resident(pages * small / static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  REQUIRE(mincore(reinterpret_cast<void*>(begin), pages * small, resident.data()) == 0);
  CHECK(std::count_if(resident.begin(), resident.end(), [](unsigned char page) { return page % 2 == 1; }) == 0);
  CHECK(std::count(before.data(), before.data() + size, 1) == static_cast<std::ptrdiff_t>(size));
}
#endif

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
