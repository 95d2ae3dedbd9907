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
  CHECK(weight_format_names().starts_with("f32, f32_tiled, bf16, q8, q4, q4_0, "));
  CHECK(weight_format_names().ends_with(", ternary"));
  CHECK_THROWS_WITH_AS(parse_weight_format("q9"),
                       ("weight format: expected one of " + weight_format_names() + ", got 'q9'").c_str(), ValueError);
}
