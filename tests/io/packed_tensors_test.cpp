#include "tern/io/packed_tensors.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"
#include "support/temporary_directory.hpp"
#include "tern/core/random.hpp"

using namespace tern;
using test::contains;
using test::message_of;

namespace {

Matrix<float> gains(Index rows, Index columns) {
  Random random(11);
  Matrix<float> m(rows, columns);
  fill_normal(m, random, 1.0);
  return m;
}

PackedFile sample() {
  PackedFile file;
  file.metadata = {{"base", "0123"}, {"format", "norm"}};
  file.tensors.push_back(to_tensor("gain", gains(9, 7)));
  file.tensors.push_back(to_tensor("empty", Matrix<double>(0, 3)));
  return file;
}

/// The sample with one number changed, its length and checksum made right: a lie, not damage.
template <class T>
std::string refusal_of_lie(std::size_t at, T value) {
  auto bytes = packed::encode(sample());
  store_little(bytes.data() + at, value);
  store_little(bytes.data() + bytes.size() - 8, checksum(Bytes(bytes).first(bytes.size() - 8)));
  return message_of<FormatError>([&] { packed::decode(bytes, "a"); });
}

// Where the sample has what.
constexpr std::size_t entries = 20, tensors = 24, base = 28, format = 44, gain = 62;

}  // namespace

TEST_CASE("packed tensors: come back as they were") {
  const test::TemporaryDirectory folder;
  const auto path = folder / "adapter.tern";
  write_packed(path, sample(), Access::owner);
  const auto back = read_packed(path);
  CHECK(back.metadata == sample().metadata);
  REQUIRE(back.tensors.size() == 2);
  CHECK(back.tensors[0].name == "gain");
  CHECK(to_matrix<float>(back.tensors[0]) == gains(9, 7));
  CHECK(back.find("empty")->columns == 3);
  CHECK(back.find("empty")->dtype == DType::f64);
  CHECK(back.find("none") == nullptr);
  CHECK(packed::encode(back) == packed::encode(sample()));
  CHECK_THROWS_AS(read_packed(folder / "none"), IoError);
}

TEST_CASE("packed tensors: other dtypes") {
  const auto half = to_tensor("h", gains(3, 3), DType::f16);
  CHECK(half.bytes.size() == 18);
  CHECK(to_matrix<double>(half).isApprox(gains(3, 3).cast<double>(), 1e-3));
  const Matrix<double> exact = Matrix<double>::Constant(1, 1, 1.0 / 3);
  CHECK(to_matrix<double>(to_tensor("d", exact)) == exact);
}

TEST_CASE("packed tensors: one tensor costs less than 200 bytes") {
  PackedFile file;
  file.metadata = {{"base", std::string(64, 'f')}, {"format", "user_gain"}};
  file.tensors.push_back(to_tensor("gains", gains(9, 256)));
  CHECK(packed::encode(file).size() - 9 * 256 * 4 < 200);
}

TEST_CASE("packed tensors: a cut at any byte is found") {
  const auto bytes = packed::encode(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    REQUIRE_THROWS_AS(packed::decode(cut, "cut"), FormatError);
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  REQUIRE_THROWS_AS(packed::decode(longer, "longer"), FormatError);
}

TEST_CASE("packed tensors: a flip of any bit of an adapter of 9 KB is found") {
  PackedFile file;
  file.metadata = {{"base", "0123"}};
  file.tensors.push_back(to_tensor("gains", gains(9, 256)));
  auto bytes = packed::encode(file);
  std::size_t missed = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1u << bit % 8);
    bytes[bit / 8] ^= mask;
    missed += message_of<FormatError>([&] { packed::decode(bytes, "flipped"); }).empty();
    bytes[bit / 8] ^= mask;
  }
  CHECK(missed == 0);
}

TEST_CASE("packed tensors: damage is named") {
  auto bytes = packed::encode(sample());
  const std::string size = std::to_string(bytes.size());
  const auto refusal = [](Bytes b) { return message_of<FormatError>([&] { packed::decode(b, "a"); }); };
  CHECK(refusal(bytes_of("GGUF....")) == "packed 'a' at byte 0: expected the magic 'TERNPACK', got 'GGUF....'");
  CHECK(refusal({}) == "packed 'a' at byte 0: the magic needs 8 bytes, 0 remain");
  CHECK(refusal(Bytes(bytes).first(40)) == "packed 'a' at byte 12: expected a file of " + size + " bytes, got 40");
  CHECK(refusal_of_lie(8, std::uint32_t{2}) == "packed 'a' at byte 8: expected version 1, got 2");
  bytes[100] ^= std::byte{1};
  CHECK(refusal(bytes) == "packed 'a' at byte " + std::to_string(bytes.size() - 8) +
                              ": the checksum does not match: the file is damaged");
}

TEST_CASE("packed tensors: lies under a right checksum are found") {
  CHECK(contains(refusal_of_lie(entries, ~std::uint32_t{0}), "the number of metadata entries is 4294967295"));
  CHECK(contains(refusal_of_lie(tensors, ~std::uint32_t{0}), "the number of tensors is 4294967295"));
  CHECK(contains(refusal_of_lie(tensors, std::uint32_t{1}), "bytes are left over"));
  CHECK(contains(refusal_of_lie(base, ~std::uint32_t{0}), "a metadata key needs 4294967295 bytes"));
  CHECK(contains(refusal_of_lie(format + 4, 'a'), "expected keys in order, each once, got 'aormat'"));
  CHECK(contains(refusal_of_lie(gain + 8, std::uint32_t{13}), "tensor 'gain': expected a dtype below 13, got 13"));
  CHECK(contains(refusal_of_lie(gain + 12, std::uint64_t{1} << 62), "x 7 elements pass 2^63 bytes"));
  CHECK(contains(refusal_of_lie(gain + 12, ~std::uint64_t{0}), "elements pass 2^63 bytes"));
  CHECK(contains(refusal_of_lie(gain + 12, std::uint64_t{1} << 40), "tensor 'gain' needs 30786325577728 bytes"));
}

TEST_CASE("packed tensors: sizes that lie cost no memory") {
  CHECK(test::fails_cheaply([] {
    const auto message = refusal_of_lie(gain + 12, std::uint64_t{1} << 57);
    if (!message.empty()) throw FormatError(message);
  }));
}

TEST_CASE("packed tensors: names come once, and elements fill their shape") {
  PackedFile twice = sample();
  twice.tensors.push_back(twice.tensors[0]);
  CHECK(message_of<ValueError>([&] { packed::encode(twice); }) == "packed tensor 'gain' is given twice");
  PackedFile short_of = sample();
  short_of.tensors[0].bytes.pop_back();
  CHECK(message_of<ValueError>([&] { packed::encode(short_of); }) ==
        "packed tensor 'gain': expected 252 bytes, got 251");
}

TEST_CASE("packed tensors: numbers in bf16 come back to the bit") {
  Bf16Matrix m(2, 3);
  Index i = 0;
  for (const std::uint16_t bits : {0, 0x8000, 0x3f80, 0x7f80, 0x7fff, 1}) m.data()[i++] = bits;
  const NamedTensor t = to_tensor("m", m);
  CHECK(t.dtype == DType::bf16);
  CHECK(t.bytes.size() == 12);
  CHECK(to_bf16_matrix(t) == m);
  CHECK_THROWS_WITH_AS(to_bf16_matrix(to_tensor("m", Matrix<float>(Matrix<float>::Ones(2, 3)))),
                       "tensor 'm': expected BF16, got F32", ValueError);
}
