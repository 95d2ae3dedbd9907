#include "tern/weights/weight_format.hpp"

#include <doctest/doctest.h>

using namespace tern;

TEST_CASE("weight format: every one is in its place, and its name leads back to it") {
  for (std::size_t i = 0; i < weight_formats.size(); ++i) {
    CHECK(weight_formats[i].format.row() == i);
    CHECK(parse_weight_format(name(weight_formats[i].format)) == weight_formats[i].format);
  }
  CHECK(name(WeightFormat::q4_0) == "q4_0");
}

TEST_CASE("weight format: another name is refused with those there are") {
  CHECK_THROWS_WITH_AS(parse_weight_format("q5"),
                       "weight format: expected one of f32, bf16, q8, q4, q4_0, ternary, got 'q5'", ValueError);
}
