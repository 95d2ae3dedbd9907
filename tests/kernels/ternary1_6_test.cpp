#include "tern/kernels/formats/ternary1_6.hpp"

#include <vector>

#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

constexpr auto five = TernaryFormat::five_a_byte;

}  // namespace

TEST_CASE("ternary1_6: sizes") {
  CHECK(ternary_packed_bytes(16, 20, five) == 64);
  CHECK(ternary_packed_bytes(17, 20, five) == 128);
  CHECK(ternary_packed_bytes(16, 21, five) == 128);
  CHECK(ternary_packed_bytes(1, 1, five) == 64);
  CHECK(ternary_packed_bytes(0, 8, five) == 0);
  CHECK(ternary_packed_bytes(16, 0, five) == 0);
  CHECK(ternary_packed_bytes(4096, 2560, five) == 4096 * 2560 / 5);
}

TEST_CASE("ternary1_6: the bytes are where the format says") {
  // One strip of 80 columns and one of 20, of 18 rows; all is 0, code 1, but five weights.
  const Index rows = 18, columns = 100;
  std::vector<std::int8_t> weights(rows * columns);
  weights[2 * columns + 22] = 1;    // low digit: c = 22 < 64, block 1, digit (22%16)/4 = 1, byte 2
  weights[2 * columns + 70] = -1;   // high digit: block (70-64)/4 = 1, byte 2: the same byte
  weights[17 * columns + 79] = 1;   // high digit, block 3, byte 3, lane 1 of the next 16 rows
  weights[17 * columns + 95] = -1;  // last strip, n = 1: c = 15 < 16, block 0, digit 3, byte 3
  weights[17 * columns + 99] = -1;  // c = 19: high digit, block 0, byte 3: the same byte
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(ternary_packed_bytes(rows, columns, five)));
  pack_ternary(rows, columns, weights.data(), codes.data(), five);
  REQUIRE(codes.size() == 2 * 5 * 64);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    CAPTURE(i);
    const int zeros = 1 + 3 + 9 + 27 + 81;
    const int expected = i == 64 + 4 * 2 + 2             ? zeros + 3 - 81
                         : i == 320 + 3 * 64 + 4 * 1 + 3 ? zeros + 81
                         : i == 320 + 4 * 64 + 4 * 1 + 3 ? zeros - 27 - 81
                                                         : zeros;
    CHECK(codes[i] == expected);
  }
}

TEST_CASE("ternary1_6: unpacking undoes packing") {
  for (const Index rows : {0, 1, 15, 16, 17, 40})
    for (const Index columns : {0, 1, 19, 20, 21, 60, 79, 80, 81, 130, 200}) {
      const auto weights = random_ternary(rows * columns, 3);
      GuardedBuffer<std::uint8_t> codes(ternary_packed_bytes(rows, columns, five));
      pack_ternary(rows, columns, weights.data(), codes.data(), five);
      std::vector<std::int8_t> back(weights.size());
      unpack_ternary(rows, columns, codes.data(), back.data(), five);
      CHECK(back == weights);
    }
}

TEST_CASE("ternary1_6: decoded strips are the blocks of 2 bits") {
  for (const Index columns : {20, 40, 60, 80}) {
    const auto weights = random_ternary(16 * columns, 4);
    GuardedBuffer<std::uint8_t> codes(ternary_packed_bytes(16, columns, five)), decoded(320);
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(ternary_packed_bytes(16, columns)));
    pack_ternary(16, columns, weights.data(), codes.data(), five);
    pack_ternary(16, columns, weights.data(), expected.data());
    decode_strip(codes.data(), columns / 20, decoded.data());
    for (Index k = 0; k < columns; ++k)
      for (Index row = 0; row < 16; ++row) {
        const TernaryPlace p = Ternary2Layout::place(columns, row, k);
        REQUIRE(decoded[p.byte] / p.unit % 4 == expected[static_cast<std::size_t>(p.byte)] / p.unit % 4);
      }
  }
}
