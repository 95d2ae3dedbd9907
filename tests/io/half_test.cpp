#include "tern/io/half.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace tern;

TEST_CASE("half: every finite half is the value its bits say, and comes back") {
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31) continue;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    const float value = half_to_float(half);
    REQUIRE(static_cast<double>(value) == (half & 0x8000 ? -magnitude : magnitude));
    REQUIRE(std::signbit(value) == ((half & 0x8000) != 0));
    REQUIRE(float_to_half(value) == half);
  }
}

TEST_CASE("half: rounds to nearest, ties to even") {
  for (std::uint16_t half = 0; half < 0x7bff; ++half) {  // each pair of neighbours
    const double low = half_to_float(half), high = half_to_float(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const std::uint16_t even = half % 2 == 0 ? half : static_cast<std::uint16_t>(half + 1);
    REQUIRE(float_to_half(middle) == even);
    REQUIRE(float_to_half(std::nextafter(middle, 0.0f)) == half);
    REQUIRE(float_to_half(std::nextafter(middle, 1e9f)) == half + 1);
  }
}

TEST_CASE("half: infinity, overflow and NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(half_to_float(0x7c00) == infinity);
  CHECK(half_to_float(0xfc00) == -infinity);
  CHECK(float_to_half(infinity) == 0x7c00);
  CHECK(float_to_half(-65520.0f) == 0xfc00);
  CHECK(float_to_half(65519.0f) == 0x7bff);
  CHECK(std::isnan(half_to_float(0x7e01)));
  CHECK(std::isnan(half_to_float(float_to_half(std::nanf("")))));
  CHECK(float_to_half(1e-10f) == 0);
}

TEST_CASE("bfloat16: the upper half of a float, rounded to nearest even") {
  CHECK(bfloat16_to_float(0x3f80) == 1.0f);
  CHECK(float_to_bfloat16(1.0f) == 0x3f80);
  CHECK(float_to_bfloat16(std::bit_cast<float>(0x3f808000u)) == 0x3f80);
  CHECK(float_to_bfloat16(std::bit_cast<float>(0x3f818000u)) == 0x3f82);
  CHECK(float_to_bfloat16(std::bit_cast<float>(0x3f808001u)) == 0x3f81);
  CHECK(float_to_bfloat16(std::numeric_limits<float>::max()) == 0x7f80);
  CHECK(std::isnan(bfloat16_to_float(float_to_bfloat16(std::bit_cast<float>(0x7f800001u)))));
}
