#include "tern/kernels/bf16.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace tern::kernels;

TEST_CASE("bf16: the upper half of a float, rounded to nearest even") {
  CHECK(to_float(Bf16{0x3f80}) == 1.0f);
  CHECK(to_bf16(1.0f).bits == 0x3f80);
  CHECK(to_bf16(std::bit_cast<float>(0x3f808000u)).bits == 0x3f80);
  CHECK(to_bf16(std::bit_cast<float>(0x3f818000u)).bits == 0x3f82);
  CHECK(to_bf16(std::bit_cast<float>(0x3f808001u)).bits == 0x3f81);
  CHECK(to_bf16(std::numeric_limits<float>::max()).bits == 0x7f80);
  CHECK(std::isnan(to_float(to_bf16(std::bit_cast<float>(0x7f800001u)))));
}
