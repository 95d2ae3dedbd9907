#include "tern/io/i2_s.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "io/gguf_bytes.hpp"
#include "io/hostile.hpp"
#include "support/guarded_buffer.hpp"
#include "tern/core/random.hpp"

using namespace tern;
using test::message_of;

namespace {

using Codes = std::vector<std::int8_t>;

/// bitnet.cpp's bytes as its writers make them: over groups, their bytes, and the four weights of each.
std::vector<std::uint8_t> by_hand(I2sLayout layout, Index rows, Index columns, const Codes& codes) {
  std::vector<std::uint8_t> bytes;
  const auto put = [&](Index first, Index second, Index third, Index fourth) {
    const auto code = [&](Index i) { return codes[static_cast<std::size_t>(i)] + 1; };
    bytes.push_back(static_cast<std::uint8_t>(64 * code(first) + 16 * code(second) + 4 * code(third) + code(fourth)));
  };
  const Index n = rows * columns;
  if (layout == I2sLayout::groups_of_128)
    for (Index group = 0; group < n; group += 128)
      for (Index i = group; i < group + 32; ++i) put(i, i + 32, i + 64, i + 96);
  else if (layout == I2sLayout::groups_of_64)
    for (Index group = 0; group < n; group += 64)
      for (Index i = group; i < group + 16; ++i) put(i, i + 16, i + 32, i + 48);
  else
    for (Index r = 0; r < rows; r += 4)
      for (Index k = 0; k < columns; ++k)
        put(r * columns + k, (r + 1) * columns + k, (r + 2) * columns + k, (r + 3) * columns + k);
  return bytes;
}

/// An I2_S tensor whose bytes end at a wall.
struct Tensor {
  Tensor(Index rows, Index columns, const std::vector<std::uint8_t>& codes, float scale = 0.5f)
      : bytes(static_cast<Index>(codes.size()) + 32) {
    std::copy(codes.begin(), codes.end(), bytes.begin());
    store_little(bytes.data() + codes.size(), scale);
    for (Index i = bytes.size() - 28; i < bytes.size(); ++i) bytes[i] = 0xee;  // what writers leave there varies
    tensor.type = GgmlType::i2_s;
    tensor.rank = 2;
    tensor.dims = {columns, rows, 1, 1};
    tensor.bytes = std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(bytes.size())));
  }
  test::GuardedBuffer<std::uint8_t> bytes;
  GgufTensor tensor;
};

struct Shape {
  I2sLayout layout;
  Index rows, columns;
};
constexpr auto x86 = I2sLayout::groups_of_128, arm = I2sLayout::groups_of_64, four_rows = I2sLayout::four_rows;
/// One group, rows that are no whole groups, a row across groups, rows that are.
constexpr Shape shapes[] = {{x86, 1, 128},      {x86, 128, 1},     {x86, 32, 12},       {x86, 3, 128},
                            {x86, 17, 384},     {x86, 2, 192},     {arm, 1, 64},        {arm, 64, 1},
                            {arm, 16, 12},      {arm, 7, 64},      {arm, 17, 192},      {four_rows, 4, 1},
                            {four_rows, 4, 17}, {four_rows, 8, 3}, {four_rows, 20, 128}};

std::string refusal(const Tensor& t, I2sLayout layout) {
  return message_of<FormatError>([&] { decode_i2_s(t.tensor, layout, "gguf 'm': tensor 't'"); });
}

}  // namespace

TEST_CASE("decode_i2_s: bytes by hand") {
  // +1 at weights 0 and 127, -1 at 33; code 1 four times is 0x55.
  std::vector<std::uint8_t> codes(32, 0x55);
  codes[0] = 0b10'01'01'01;
  codes[1] = 0b01'00'01'01;
  codes[31] = 0b01'01'01'10;
  Codes expected(128, 0);
  expected[0] = expected[127] = 1;
  expected[33] = -1;
  const TernaryCodes w = decode_i2_s(Tensor(2, 64, codes, 0.25f).tensor, x86, "t");
  CHECK(w.codes == expected);
  CHECK(w.scale == 0.25f);
  CHECK(w.rows == 2);
  CHECK(w.columns == 64);

  // The same bytes in groups of 64: byte 1's second code is weight 1 + 16, byte 31's last 64 + 15 + 48.
  expected[33] = 0;
  expected[17] = -1;
  CHECK(decode_i2_s(Tensor(2, 64, codes).tensor, arm, "t").codes == expected);

  // And in four rows of 8: byte 1's second code is row 1, column 1, byte 31's last row 15, column 7.
  expected[17] = 0;
  expected[1 * 8 + 1] = -1;
  CHECK(decode_i2_s(Tensor(16, 8, codes).tensor, four_rows, "t").codes == expected);
}

TEST_CASE("I2_S: every layout is read and written as bitnet.cpp does, into both formats of storage") {
  for (const Shape& shape : shapes) {
    const I2sLayout layout = shape.layout;
    const Index rows = shape.rows, columns = shape.columns;
    CAPTURE(static_cast<int>(layout));
    CAPTURE(rows);
    CAPTURE(columns);
    for (const int fill : {-1, 1, 2}) {  // saturated, or random
      Random random(static_cast<std::uint64_t>(rows));
      Codes codes(static_cast<std::size_t>(rows * columns), static_cast<std::int8_t>(fill));
      if (fill == 2)
        for (auto& c : codes) c = static_cast<std::int8_t>(random.below(3) - 1);
      const auto bytes = by_hand(layout, rows, columns, codes);
      const Tensor t(rows, columns, bytes, 0.1f);
      const TernaryCodes w = decode_i2_s(t.tensor, layout, "t");
      CHECK(w.codes == codes);
      CHECK(w.scale == 0.1f);

      for (const auto format : {kernels::TernaryFormat::two_bits, kernels::TernaryFormat::five_a_byte}) {
        const auto written = encode_i2_s(unpacked(packed<double>(w, format)), layout);
        REQUIRE(written.size() == bytes.size() + 32);
        CHECK(std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const std::uint8_t*>(written.data())));
        CHECK(load_little<float>(written.data() + bytes.size()) == 0.1f);
        CHECK(std::all_of(written.begin() + static_cast<Index>(bytes.size()) + 4, written.end(),
                          [](std::byte b) { return b == std::byte{0}; }));
      }
    }
  }
}

TEST_CASE("decode_i2_s: refuses code 3 wherever it is") {
  for (const auto& [layout, rows, columns] : shapes)
    for (const Index at : {Index(0), rows * columns / 2, rows * columns - 1}) {
      Codes codes(static_cast<std::size_t>(rows * columns), 1);
      codes[static_cast<std::size_t>(at)] = 2;
      CHECK(refusal(Tensor(rows, columns, by_hand(layout, rows, columns, codes)), layout) ==
            "gguf 'm': tensor 't': expected code 0, 1 or 2, got 3 in row " + std::to_string(at / columns) +
                ", column " + std::to_string(at % columns));
    }
}

TEST_CASE("decode_i2_s: refuses scales that are none, and weights that are all zero") {
  const std::vector<std::uint8_t> codes(32, 0x56);
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, inf, -inf, 0.f, -0.f, -1.f})
    CHECK(refusal(Tensor(1, 128, codes, bad), x86) ==
          "gguf 'm': tensor 't': expected a finite scale above 0, got " + std::to_string(bad));
  const float least = std::numeric_limits<float>::denorm_min();
  CHECK(decode_i2_s(Tensor(1, 128, codes, least).tensor, x86, "t").scale == least);
  CHECK(refusal(Tensor(1, 128, std::vector<std::uint8_t>(32, 0x55)), x86) ==
        "gguf 'm': tensor 't': every weight is zero");
}

TEST_CASE("I2_S: refuses other types, sizes, and shapes that a layout cannot have") {
  const std::string at = "gguf 'm': tensor 't': ";
  Tensor t(3, 64, std::vector<std::uint8_t>(48, 0x56));
  CHECK(refusal(t, arm).empty());
  CHECK(refusal(t, x86) == at + "expected whole groups of 128 weights, got [3 x 64]");
  CHECK(refusal(t, four_rows) == at + "expected whole groups of 256 weights, got [3 x 64]");
  CHECK(refusal(Tensor(2, 60, std::vector<std::uint8_t>(30, 0x56)), arm) ==
        at + "expected whole groups of 64 weights, got [2 x 60]");
  CHECK(refusal(Tensor(3, 64, std::vector<std::uint8_t>(47, 0x56)), arm) == at + "expected 80 bytes, got 79");
  CHECK(refusal(Tensor(3, 64, std::vector<std::uint8_t>(49, 0x56)), arm) == at + "expected 80 bytes, got 81");
  t.tensor.bytes = t.tensor.bytes.first(48);  // no scale
  CHECK(refusal(t, arm) == at + "expected 80 bytes, got 48");
  t.tensor.type = GgmlType::tq2_0;
  CHECK(refusal(t, arm) == at + "expected type I2_S, got TQ2_0");

  const TernaryCodes w{3, 64, Codes(192, 1), 1};
  CHECK(message_of<ValueError>([&] { encode_i2_s(w, x86); }) ==
        "encode I2_S: expected whole groups of 128 weights, got [3 x 64]");
  CHECK(message_of<ShapeError>([&] {
          encode_i2_s({3, 64, Codes(191, 1), 1}, arm);
        }) == "ternary codes: expected 192 of them, got 191");
}

TEST_CASE("I2_S: tensors without weights have no bytes") {
  test::GgufBytes file(2);
  file.tensor("a", {0, 5}, 36, 0).tensor("b", {std::int64_t{1} << 60, 0}, 36, 0).data(0);
  const GgufFile gguf = file.open();
  for (const auto layout : {x86, arm, four_rows}) {
    const TernaryCodes w = decode_i2_s(gguf.tensor("a"), layout, "t");
    CHECK(w.rows == 5);
    CHECK(w.columns == 0);
    CHECK(decode_i2_s(gguf.tensor("b"), layout, "t").rows == 0);
    CHECK(encode_i2_s(w, layout).empty());
  }
}

TEST_CASE("GgufFile: sizes I2_S tensors by a quarter of their weights and 32 bytes") {
  const auto with = [](const std::vector<std::int64_t>& dims, std::size_t data) {
    test::GgufBytes file(1);
    file.tensor("t", dims, 36, 0).data(data);
    return message_of<FormatError>([&] { file.open(); });
  };
  CHECK(with({64, 2}, 64).empty());
  CHECK(with({64, 2}, 63) == "gguf 'm.gguf' at byte 24: tensor 't' ends at 160, file at 159");
  CHECK(with({63, 4}, 95) == "gguf 'm.gguf' at byte 37: tensor 't': a row of 63 is no multiple of I2_S's block of 4");
  CHECK(with({std::int64_t{1} << 62, 2}, 64) ==
        "gguf 'm.gguf' at byte 37: tensor 't': its number of elements or bytes passes 2^63");
  CHECK(with({std::int64_t{1} << 40}, 64) ==
        "gguf 'm.gguf' at byte 37: tensor 't' takes 274877906976 bytes, the file has 128");
  test::GgufBytes next(2);
  next.tensor("t", {64, 2}, 36, 0).tensor("u", {1}, 0, 64).data(68);
  const GgufFile gguf = next.open();
  CHECK(gguf.tensor("t").bytes.size() == 64);
  CHECK(message_of<ValueError>([&] { dequantize(gguf.tensor("t")); }) ==
        "dequantize: I2_S has several layouts: expected decode_i2_s(), which is told which");
}
