#include "tern/kernels/formats/ternary2.hpp"

#include <vector>

#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE("ternary2: sizes") {
  CHECK(ternary_packed_bytes(16, 16) == 64);
  CHECK(ternary_packed_bytes(17, 16) == 128);
  CHECK(ternary_packed_bytes(1, 1) == 64);
  CHECK(ternary_packed_bytes(0, 8) == 0);
  CHECK(ternary_packed_bytes(4096, 4096) == 4096 * 4096 / 4);
  CHECK(ternary_scales(5, 129, TernaryScale::tensor) == 1);
  CHECK(ternary_scales(5, 129, TernaryScale::row) == 5);
  CHECK(ternary_scales(5, 129, TernaryScale::group) == 10);
  CHECK(ternary_scales(5, 129, TernaryScale::group64) == 15);
  for (const auto granularity : {TernaryScale::group, TernaryScale::group64})
    CHECK(ternary_scales(5, 0, granularity) == 0);
}

TEST_CASE("ternary2: the bytes are where the format says") {
  // Row 2 of column 6 is +1, row 17 of column 16 is -1; all else is 0, code 1.
  const Index rows = 18, columns = 20;
  std::vector<std::int8_t> weights(rows * columns);
  weights[2 * columns + 6] = 1;
  weights[17 * columns + 16] = -1;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(ternary_packed_bytes(rows, columns)));
  pack_ternary(rows, columns, weights.data(), codes.data());
  REQUIRE(codes.size() == 256);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    CAPTURE(i);
    // Column 6 = 4*1 + 2: byte 2, field 1. Row 17, column 16: block 3, lane 1, byte 0, field 0.
    const int expected = i == 4 * 2 + 2 ? 0b01011001 : i == 3 * 64 + 4 ? 0b01010100 : 0b01010101;
    CHECK(codes[i] == expected);
  }
}

TEST_CASE("ternary2: unpacking undoes packing") {
  for (const Index rows : {0, 1, 15, 16, 17, 40})
    for (const Index columns : {0, 1, 15, 16, 17, 130}) {
      const auto weights = random_ternary(rows * columns, 3);
      GuardedBuffer<std::uint8_t> codes(ternary_packed_bytes(rows, columns));
      pack_ternary(rows, columns, weights.data(), codes.data());
      std::vector<std::int8_t> back(weights.size());
      unpack_ternary(rows, columns, codes.data(), back.data());
      CHECK(back == weights);
    }
}
