#include "tern/kernels/bf16.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE("bf16: the upper half of a float, rounded to nearest even") {
  CHECK(to_float(Bf16{0x3f80}) == 1.0f);
  CHECK(to_bf16(1.0f).bits == 0x3f80);
  CHECK(to_bf16(std::bit_cast<float>(0x3f808000u)).bits == 0x3f80);
  CHECK(to_bf16(std::bit_cast<float>(0x3f818000u)).bits == 0x3f82);
  CHECK(to_bf16(std::bit_cast<float>(0x3f808001u)).bits == 0x3f81);
  CHECK(to_bf16(std::numeric_limits<float>::max()).bits == 0x7f80);
  CHECK(std::isnan(to_float(to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

TEST_CASE_TEMPLATE("narrow_bf16 and widen_bf16: to_bf16 and to_float of every number, on every ISA", S, float, double) {
  const float edges[] = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::quiet_NaN(), 0x1.01p0f, 0x1.03p0f,
                         -0x1.010001p0f, std::numeric_limits<float>::max(), 1e-41f, -0.f, std::bit_cast<float>(0x7fffffffu)};
  for (const Index n : awkward_lengths) {
    CAPTURE(n);
    auto x = random_buffer<S>(n, 3);
    for (Index i = 0; i < n; i += 2) x[i] = static_cast<S>(edges[i / 2 % std::size(edges)]);
    on_every_isa<S>([&](const Operations<S>& ops) {
      GuardedBuffer<std::uint16_t> narrow(n);
      GuardedBuffer<S> wide(n);
      ops.narrow_bf16(n, x.data(), narrow.data());
      ops.widen_bf16(n, narrow.data(), wide.data());
      for (Index i = 0; i < n; ++i) {
        REQUIRE(narrow[i] == to_bf16(static_cast<float>(x[i])).bits);
        const float value = to_float(Bf16{narrow[i]});
        REQUIRE((static_cast<float>(wide[i]) == value || std::isnan(value)));
        REQUIRE(std::isnan(wide[i]) == std::isnan(value));
      }
    });
  }
}
