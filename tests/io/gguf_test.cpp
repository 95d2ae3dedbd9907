#include "tern/io/gguf.hpp"

#include <doctest/doctest.h>

#include "io/gguf_bytes.hpp"
#include "io/hostile.hpp"
#include "support/data.hpp"
#include "support/temporary_directory.hpp"
#include "tern/io/atomic_file.hpp"

using namespace tern;
using test::contains;
using test::GgufBytes;
using test::message_of;

namespace {

std::string refusal(const GgufBytes& file) {
  return message_of<FormatError>([&] { file.open(); });
}

constexpr int f32 = 0, q8_0 = 8;
constexpr std::int64_t huge = std::int64_t{1} << 62;

}  // namespace

TEST_CASE("GgufFile: finds tensors by name, with shape and bytes") {
  GgufBytes file(3);
  file.tensor("b", {2, 3}, f32, 0).tensor("a", {32, 2}, q8_0, 32).tensor("none", {0, huge / 8}, f32, 128).data(128);
  store_little(const_cast<std::byte*>(file.view().data()) + file.size() - 128, 2.5f);
  const auto gguf = file.open();
  CHECK(gguf.version() == 3);
  CHECK(gguf.tensors().size() == 3);
  CHECK(gguf.tensors()[0].name == "b");
  const auto& b = gguf.tensor("b");
  CHECK(b.rank == 2);
  CHECK(b.rows() == 3);
  CHECK(b.columns() == 2);
  CHECK(dequantize(b)(0, 0) == 2.5f);
  CHECK(dequantize<double>(b).rows() == 3);
  CHECK(gguf.tensor("a").bytes.size() == 68);
  CHECK(gguf.tensor("none").bytes.empty());
  CHECK(gguf.find_tensor("c") == nullptr);
  CHECK(message_of<FormatError>([&] { gguf.tensor("c"); }) == "gguf 'm.gguf': expected tensor 'c', which is missing");
}

TEST_CASE("GgufFile: decodes rows into a wider matrix, and refuses others") {
  GgufBytes file(1);
  file.tensor("t", {2, 3}, f32, 0).data(0);
  for (int i = 0; i < 6; ++i) file.value(static_cast<float>(i));
  const auto gguf = file.open();
  const auto& t = gguf.tensor("t");
  Matrix<float> y = Matrix<float>::Zero(3, 4);
  dequantize(t, 1, y.block(1, 1, 2, 2));
  CHECK(y(1, 1) == 2);
  CHECK(y(2, 2) == 5);
  CHECK(y(0, 0) == 0);
  CHECK(message_of<ShapeError>([&] { dequantize(t, 0, y); }) ==
        "gguf tensor 't': expected a matrix to decode into [* x 2], got [3 x 4]");
  CHECK(message_of<ShapeError>([&] { dequantize(t, 2, y.block(0, 0, 2, 2)); }) ==
        "gguf tensor 't': expected rows within 3, got 2 from row 2");
}

TEST_CASE("GgufFile: opens a file by path, and moves") {
  const test::TemporaryDirectory folder;
  GgufBytes file(1);
  file.tensor("t", {2, 1}, f32, 0).data(8);
  write_file(folder / "m.gguf", file.view());
  const auto opened = GgufFile::open(folder / "m.gguf");
  auto moved = GgufFile::open(folder / "m.gguf");
  moved = GgufFile::open(folder / "m.gguf");
  CHECK(dequantize(moved.tensor("t"))(0, 1) == 0);
  CHECK_THROWS_AS(GgufFile::open(folder / "none"), IoError);
  write_file(folder / "empty", "");
  CHECK(message_of<FormatError>([&] { GgufFile::open(folder / "empty"); }) ==
        "gguf '" + (folder / "empty").string() + "' at byte 0: the magic needs 4 bytes, 0 remain");
}

TEST_CASE("GgufFile: reads a real vocabulary" * test::needs_data()) {
  const auto gguf = GgufFile::open(test::data() / "tokenizers/llama.cpp/ggml-vocab-gpt-2.gguf");
  CHECK(gguf.get<std::string_view>("tokenizer.ggml.model") == "gpt2");
  const auto tokens = gguf.get<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  CHECK(tokens.size() == 50257);
  CHECK(tokens.back() == "<|endoftext|>");
  CHECK(gguf.tensors().empty());
}

TEST_CASE("GgufFile: magic and version") {
  CHECK(message_of<FormatError>([] { GgufFile(bytes_of("GGML...."), "m"); }) ==
        "gguf 'm' at byte 0: expected the magic 'GGUF', got 'GGML'");
  for (const std::uint32_t version : {0u, 1u, 4u})
    CHECK(refusal(GgufBytes(0, 0, version)) ==
          "gguf 'm.gguf' at byte 4: expected version 2 or 3, got " + std::to_string(version));
  CHECK(refusal(GgufBytes(0, 0, 0x03000000)) ==
        "gguf 'm.gguf' at byte 4: expected version 2 or 3, got 50331648 (a big-endian file?)");
  CHECK(GgufBytes(0, 0, 2).open().version() == 2);
}

TEST_CASE("GgufFile: counts and names that lie") {
  CHECK(
      refusal(GgufBytes(~std::uint64_t{0})) ==
      "gguf 'm.gguf' at byte 8: the number of tensors is 18446744073709551615, the 8 bytes that remain hold at most 0");
  GgufBytes name(1);
  name.value(~std::uint64_t{0}).value(std::uint64_t{0}).value(std::uint64_t{0}).value(std::uint64_t{0});
  CHECK(refusal(name) == "gguf 'm.gguf' at byte 32: a tensor's name needs 18446744073709551615 bytes, 24 remain");
  for (const std::string& bad : {std::string(), std::string(64, 'n'), std::string("a\0b", 3)}) {
    GgufBytes file(1);
    file.tensor(bad, {1}, f32, 0).data(32);
    CHECK(refusal(file) == "gguf 'm.gguf' at byte 24: tensor name " + in_quotes(bad) +
                               ": expected 1 to 63 bytes without NUL, got " + std::to_string(bad.size()) + " bytes");
  }
  GgufBytes twice(2);
  twice.tensor("t", {1}, f32, 0).tensor("t", {1}, f32, 32).data(64);
  CHECK(refusal(twice) == "gguf 'm.gguf' at byte 24: tensor 't' appears twice, also at byte 57");
}

TEST_CASE("GgufFile: shapes") {
  const auto with = [](const std::vector<std::int64_t>& dims, int type) {
    GgufBytes file(1);
    file.tensor("t", dims, type, 0).data(64);
    return refusal(file);
  };
  CHECK(with({1, 1, 1, 1, 1}, f32) == "gguf 'm.gguf' at byte 33: tensor 't': expected at most 4 dimensions, got 5");
  CHECK(with({2, -1}, f32) == "gguf 'm.gguf' at byte 37: tensor 't': dimension 1 is negative, -1");
  const std::string wraps = "gguf 'm.gguf' at byte 37: tensor 't': its number of elements or bytes passes 2^63";
  CHECK(with({huge, 4}, f32) == wraps);
  CHECK(with({huge, 1}, f32) == wraps);
  CHECK(with({std::int64_t{1} << 32, std::int64_t{1} << 32, std::int64_t{1} << 32, 1}, f32) == wraps);
  CHECK(with({0, huge, huge}, f32) == wraps);
  CHECK(with({huge}, 24) == "gguf 'm.gguf' at byte 37: tensor 't' takes 4611686018427387904 bytes, the file has 128");
  CHECK(with({31}, q8_0) == "gguf 'm.gguf' at byte 37: tensor 't': a row of 31 is no multiple of Q8_0's block of 32");
  CHECK(with({0, 7, 0}, q8_0).empty());
  CHECK(with({}, f32).empty());
}

TEST_CASE("GgufFile: tensor types") {
  for (const int type : {-1, 4, 43, 1 << 30}) {
    GgufBytes file(1);
    file.tensor("t", {1}, type, 0).data(32);
    CHECK(refusal(file) ==
          "gguf 'm.gguf' at byte 45: tensor 't': expected a known tensor type, got " + std::to_string(type));
  }
}

TEST_CASE("GgufFile: places of tensors") {
  GgufBytes past(1);
  past.tensor("blk.0.attn_q", {10}, f32, 0).data(36);
  CHECK(refusal(past) == "gguf 'm.gguf' at byte 24: tensor 'blk.0.attn_q' ends at 136, file at 132");
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{31}, std::uint64_t{64}, ~std::uint64_t{31}}) {
    GgufBytes hole(2);
    hole.tensor("a", {1}, f32, 0).tensor("b", {1}, f32, offset).data(128);
    CHECK(refusal(hole) == "gguf 'm.gguf' at byte 57: tensor 'b': expected offset 32, got " + std::to_string(offset));
  }
  GgufBytes no_data(1);
  no_data.tensor("t", {1}, f32, 0);
  CHECK(contains(refusal(no_data), "tensor 't' ends at 68, file at 57"));
}

TEST_CASE("GgufFile: alignments") {
  const auto with = [](std::uint32_t alignment) {
    GgufBytes file(1, 1);
    file.key("general.alignment", 4).value(alignment);
    file.tensor("t", {1}, f32, 0).data(128);
    return refusal(file);
  };
  for (const std::uint32_t bad : {0u, 13u, 0x80000000u, 0xffffffffu})
    CHECK(with(bad) ==
          "gguf 'm.gguf' at byte 24: key 'general.alignment': expected a power of two up to 1048576, got " +
              std::to_string(bad));
  CHECK(with(1).empty());
  CHECK(with(64).empty());
  CHECK(contains(with(1 << 20), "tensor 't' ends at 1048580"));
  GgufBytes wrong(0, 1);
  wrong.key("general.alignment", 10).value(std::uint64_t{32});
  CHECK(refusal(wrong) == "gguf 'm.gguf' at byte 24: key 'general.alignment': expected u32, got u64");
}

TEST_CASE("GgufFile: a cut anywhere is an error") {
  GgufBytes file(2, 2);
  file.key("general.name", 8).text<std::uint64_t>("tern");
  file.key("a", 9).value(std::int32_t{4}).value(std::uint64_t{2}).value(std::uint64_t{5});
  file.tensor("x", {3}, f32, 0).tensor("y", {2, 2}, f32, 32).data(48);
  file.open();
  for (std::size_t length = 0; length < file.size(); ++length) {
    // A copy of its own size, so that a sanitizer sees a read past the end.
    const std::vector<std::byte> cut(file.view().begin(), file.view().begin() + static_cast<std::ptrdiff_t>(length));
    CHECK_THROWS_AS(GgufFile(cut, "cut"), FormatError);
  }
}

TEST_CASE("GgufFile: sizes that lie cost no memory") {
  const std::uint64_t most = std::uint64_t{1} << 63;
  CHECK(test::fails_cheaply([&] { GgufBytes(most).open(); }));
  CHECK(test::fails_cheaply([&] { GgufBytes(0, most).open(); }));
  GgufBytes array(0, 1);
  array.key("a", 9).value(std::int32_t{8}).value(most).data(100);
  CHECK(test::fails_cheaply([&] { array.open(); }));
  GgufBytes tensor(1);
  tensor.tensor("t", {std::int64_t{1} << 40, 1 << 20}, f32, 0).data(100);
  CHECK(test::fails_cheaply([&] { tensor.open(); }));
}
