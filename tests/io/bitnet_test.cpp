#include "tern/io/bitnet.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "io/hostile.hpp"
#include "support/temporary_directory.hpp"
#include "tern/core/random.hpp"
#include "tern/io/safetensors_writer.hpp"

using namespace tern;
using test::message_of;

namespace {

using Codes = std::vector<std::int8_t>;
using Rule = BitnetScale;

/// Quarter by quarter of the rows, as the format says it.
std::vector<std::uint8_t> by_hand(Index rows, Index columns, const Codes& codes) {
  std::vector<std::uint8_t> bytes;
  const auto code = [&](Index r, Index k) { return codes[static_cast<std::size_t>(r * columns + k)] + 1; };
  const Index quarter = rows / 4;
  for (Index r = 0; r < quarter; ++r)
    for (Index k = 0; k < columns; ++k)
      bytes.push_back(static_cast<std::uint8_t>(code(r, k) + 4 * code(quarter + r, k) + 16 * code(2 * quarter + r, k) +
                                                64 * code(3 * quarter + r, k)));
  return bytes;
}

/// A file with a projection "p", right or wrong.
class Checkpoint {
 public:
  Checkpoint(std::vector<Index> shape, std::vector<std::uint8_t> weight, double scale, DType scale_type = DType::f32)
      : weight_(std::move(weight)) {
    encode<double>(scale_type, {&scale, 1}, scale_);
    tensors = {{"p.weight", DType::u8, std::move(shape), std::as_bytes(std::span(weight_))},
               {"p.weight_scale", scale_type, {1}, scale_.view()}};
  }
  TernaryCodes read(Rule rule) const {
    const test::TemporaryDirectory folder;
    write_safetensors(folder / "m.safetensors", tensors);
    const auto bytes = test::read_text((folder / "m.safetensors").string());
    return decode_bitnet(SafetensorsFile(bytes_of(bytes), "m"), "p", rule);
  }
  std::string refusal(Rule rule = Rule::multiplies) const {
    return message_of<FormatError>([&] { read(rule); });
  }

  std::vector<SafeTensor> tensors;

 private:
  std::vector<std::uint8_t> weight_;
  ByteWriter scale_;
};

const std::string start = "safetensors 'm': tensor ";

}  // namespace

TEST_CASE("decode_bitnet: bytes by hand") {
  // Rows 0 and 1 hold rows 0, 2, 4, 6 and 1, 3, 5, 7, the first in the low bits.
  const Checkpoint file({2, 3}, {0b10'01'01'00, 0x55, 0x55, 0x55, 0b01'01'10'01, 0x55}, 0.5);
  const TernaryCodes w = file.read(Rule::multiplies);
  CHECK(w.rows == 8);
  CHECK(w.columns == 3);
  Codes expected(24, 0);
  expected[0 * 3 + 0] = -1;
  expected[6 * 3 + 0] = 1;
  expected[3 * 3 + 1] = 1;
  CHECK(w.codes == expected);
  CHECK(w.scale == 0.5f);
  CHECK(file.read(Rule::divides).scale == 2);
}

TEST_CASE("bitnet: what is packed by quarters of the rows is read and written so") {
  for (const Index rows : {4, 8, 12, 68})
    for (const Index columns : {1, 3, 128, 129})
      for (const int fill : {-1, 1, 2}) {  // saturated, or random
        CAPTURE(rows);
        CAPTURE(columns);
        Random random(static_cast<std::uint64_t>(rows));
        Codes codes(static_cast<std::size_t>(rows * columns), static_cast<std::int8_t>(fill));
        if (fill == 2) {
          for (auto& c : codes) c = static_cast<std::int8_t>(random.below(3) - 1);
          codes[0] = 1;
        }
        const auto bytes = by_hand(rows, columns, codes);
        const TernaryCodes w = Checkpoint({rows / 4, columns}, bytes, 3).read(Rule::multiplies);
        CHECK(w.codes == codes);
        for (const auto format : {kernels::TernaryFormat::two_bits, kernels::TernaryFormat::five_a_byte}) {
          const auto written = encode_bitnet(to_codes(to_ternary<float>(w, format)));
          REQUIRE(written.size() == bytes.size());
          CHECK(std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const std::uint8_t*>(written.data())));
        }
      }
  CHECK(Checkpoint({0, 5}, {}, 1).read(Rule::multiplies).columns == 5);
  CHECK(encode_bitnet({0, 5, {}, 1}).empty());
  CHECK(message_of<ValueError>([] {
          encode_bitnet({6, 1, Codes(6, 1), 1});
        }) == "encode BitNet weights: expected a multiple of 4 rows, got 6");
}

TEST_CASE("decode_bitnet: scales of every floating-point type, multiplied or divided with") {
  for (const DType type : {DType::f64, DType::f32, DType::bf16, DType::f16}) {
    const Checkpoint file({1, 2}, {0x56, 0x55}, 1.25, type);
    CHECK(file.read(Rule::multiplies).scale == 1.25f);
    CHECK(file.read(Rule::divides).scale == 0.8f);
  }
}

TEST_CASE("decode_bitnet: refuses scales that are none, code 3, and weights that are all zero") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -inf, 0.0, -1.0})
    CHECK(Checkpoint({1, 2}, {0x56, 0x55}, bad).refusal() ==
          start + "'p.weight': expected a finite scale above 0, got " + std::to_string(bad));
  const Checkpoint zero({1, 2}, {0x56, 0x55}, 0);
  CHECK(zero.refusal(Rule::divides) == start + "'p.weight': expected a finite scale above 0, got inf");
  CHECK(Checkpoint({1, 2}, {0x56, 0x55}, inf).refusal(Rule::divides) ==
        start + "'p.weight': expected a finite scale above 0, got 0.000000");
  CHECK(Checkpoint({1, 2}, {0x55, 0b01'11'01'01}, 1).refusal() ==
        start + "'p.weight': expected code 0, 1 or 2, got 3 in row 2, column 1");
  CHECK(Checkpoint({1, 2}, {0x55, 0x55}, 1).refusal() == start + "'p.weight': every weight is zero");
}

TEST_CASE("decode_bitnet: refuses missing tensors, and other types and shapes") {
  Checkpoint file({1, 2}, {0x56, 0x55}, 1);
  const auto with = [&](std::size_t tensor, const SafeTensor& other) {
    Checkpoint changed = file;
    changed.tensors[tensor] = other;
    return changed.refusal();
  };
  const std::vector<std::byte> zeros(16);
  const std::string weight = start + "'p.weight': expected U8 [rows/4 x columns], got ";
  CHECK(with(0, {"p.weight", DType::f32, {1, 2}, Bytes(zeros).first(8)}) == weight + "F32 [1 x 2]");
  CHECK(with(0, {"p.weight", DType::u8, {2}, Bytes(zeros).first(2)}) == weight + "U8 [2]");
  CHECK(with(0, {"p.weight", DType::u8, {1, 2, 1}, Bytes(zeros).first(2)}) == weight + "U8 [1 x 2 x 1]");
  CHECK(with(0, {"p.weight", DType::u8, {PTRDIFF_MAX / 2, 0}, {}}) ==
        start + "'p.weight': its number of rows passes 2^63, got U8 [4611686018427387903 x 0]");
  const std::string scale = start + "'p.weight_scale': expected one floating-point number, got ";
  CHECK(with(1, {"p.weight_scale", DType::f32, {2}, Bytes(zeros).first(8)}) == scale + "F32 [2]");
  CHECK(with(1, {"p.weight_scale", DType::f32, {0}, {}}) == scale + "F32 [0]");
  CHECK(with(1, {"p.weight_scale", DType::i32, {1}, Bytes(zeros).first(4)}) == scale + "I32 [1]");
  CHECK(with(1, {"q", DType::f32, {1}, Bytes(zeros).first(4)}) ==
        "safetensors 'm': expected tensor 'p.weight_scale', which is missing");
  CHECK(with(0, {"q", DType::u8, {1, 2}, Bytes(zeros).first(2)}) ==
        "safetensors 'm': expected tensor 'p.weight', which is missing");
}
