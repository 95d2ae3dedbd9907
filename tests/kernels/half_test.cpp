#include "tern/kernels/half.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace tern::kernels;

TEST_CASE("half: every finite half is the value its bits say, and comes back") {
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    const Half half{static_cast<std::uint16_t>(h)};
    const int exponent = half.bits >> 10 & 31, fraction = half.bits & 1023;
    if (exponent == 31) continue;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    const float value = to_float(half);
    REQUIRE(static_cast<double>(value) == (half.bits & 0x8000 ? -magnitude : magnitude));
    REQUIRE(std::signbit(value) == ((half.bits & 0x8000) != 0));
    REQUIRE(to_half(value).bits == half.bits);
  }
}

TEST_CASE("half: rounds to nearest, ties to even") {
  for (std::uint16_t half = 0; half < 0x7bff; ++half) {  // each pair of neighbours
    const double low = to_float(Half{half}), high = to_float(Half{static_cast<std::uint16_t>(half + 1)});
    const auto middle = static_cast<float>((low + high) / 2);
    const std::uint16_t even = half % 2 == 0 ? half : static_cast<std::uint16_t>(half + 1);
    REQUIRE(to_half(middle).bits == even);
    REQUIRE(to_half(std::nextafter(middle, 0.0f)).bits == half);
    REQUIRE(to_half(std::nextafter(middle, 1e9f)).bits == half + 1);
  }
}

TEST_CASE("half: infinity, overflow and NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(to_float(Half{0x7c00}) == infinity);
  CHECK(to_float(Half{0xfc00}) == -infinity);
  CHECK(to_half(infinity).bits == 0x7c00);
  CHECK(to_half(-65520.0f).bits == 0xfc00);
  CHECK(to_half(65519.0f).bits == 0x7bff);
  CHECK(std::isnan(to_float(Half{0x7e01})));
  CHECK(std::isnan(to_float(to_half(std::nanf("")))));
  CHECK(to_half(1e-10f).bits == 0);
}
