#include "tern/io/safetensors.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"
#include "support/temporary_directory.hpp"
#include "tern/io/atomic_file.hpp"

using namespace tern;
using test::contains;
using test::message_of;

namespace {

std::vector<std::byte> file_of(std::string_view json, std::size_t data) {
  ByteWriter out;
  out.text<std::uint64_t>(json);
  out.extend(data);
  return out.take();
}

std::string refusal(std::string_view json, std::size_t data) {
  const auto bytes = file_of(json, data);
  return message_of<FormatError>([&] { SafetensorsFile(bytes, "a"); });
}

/// One tensor "t" of a dtype and shape at [0, end).
std::string refusal(const std::string& dtype, const std::string& shape, std::size_t end) {
  return refusal(
      R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,)" + std::to_string(end) + "]}}",
      end);
}

const std::string start = "safetensors 'a': ";

}  // namespace

TEST_CASE("SafetensorsFile: tensors by name, metadata, and matrices") {
  const auto bytes =
      file_of(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
              R"("a":{"dtype":"U8","shape":[3],"data_offsets":[16,19]},)"
              R"("e":{"dtype":"F64","shape":[0,4],"data_offsets":[16,16]},)"
              R"("s":{"shape":[],"data_offsets":[19,21],"dtype":"F16"}}  )",
              21);
  const SafetensorsFile file(bytes, "a");
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.tensors().size() == 4);
  CHECK(file.tensor("b").shape == std::vector<Index>{2, 2});
  CHECK(to_matrix<double>(file.tensor("b")) == Matrix<double>::Zero(2, 2));
  CHECK(file.tensor("a").bytes.size() == 3);
  CHECK(to_matrix<float>(file.tensor("e")).cols() == 4);
  CHECK(to_matrix<float>(file.tensor("s")).size() == 1);
  CHECK(file.find("c") == nullptr);
  CHECK(message_of<FormatError>([&] { file.tensor("c"); }) == start + "expected tensor 'c', which is missing");
  CHECK(SafetensorsFile(file_of("{}", 0), "a").tensors().empty());
}

TEST_CASE("SafetensorsFile: lengths that lie") {
  const auto of = [](std::uint64_t length, std::string_view rest) {
    ByteWriter out;
    out.number(length);
    out.bytes(bytes_of(rest));
    return message_of<FormatError>([&] { SafetensorsFile(out.view(), "a"); });
  };
  CHECK(of(100, "{}") == "safetensors 'a' at byte 8: the header needs 100 bytes, 2 remain");
  CHECK(of(100'000'001, "{}") ==
        "safetensors 'a' at byte 0: expected a header of at most 100000000 bytes, got 100000001");
  CHECK(of(~std::uint64_t{0}, "{}").ends_with("got 18446744073709551615"));
  CHECK(of(0, "") == start + "expected the header to begin with '{', got ''");
  CHECK(message_of<FormatError>([] { SafetensorsFile(bytes_of("1234567"), "a"); }) ==
        "safetensors 'a' at byte 0: the header's length needs 8 bytes, 7 remain");
  CHECK(test::fails_cheaply([&] { of(99'999'999, "{}").empty() ? void() : throw FormatError("as expected"); }));
}

TEST_CASE("SafetensorsFile: holes, overlaps, and ends") {
  const auto pair = [](const std::string& a, const std::string& b, std::size_t data) {
    return refusal(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
                       R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                   data);
  };
  CHECK(pair("[0,4]", "[4,8]", 8).empty());
  CHECK(pair("[4,8]", "[0,4]", 8).empty());
  CHECK(pair("[0,4]", "[5,9]", 9) == start + "tensor 'b' lies from 5 to 9: expected it to begin at 4");
  CHECK(pair("[0,4]", "[3,7]", 7) == start + "tensor 'b' lies from 3 to 7: expected it to begin at 4");
  CHECK(pair("[1,5]", "[5,9]", 9) == start + "tensor 'a' lies from 1 to 5: expected it to begin at 0");
  CHECK(pair("[0,4]", "[4,0]", 4) == start + "tensor 'b' lies from 4 to 0: expected it to begin at 4");
  CHECK(pair("[0,4]", "[4,8]", 7) == start + "tensor 'b' ends at 8, the data at 7");
  CHECK(pair("[0,4]", "[4,8]", 9) == start + "expected tensors to fill 9 bytes, they end at 8");
  CHECK(pair("[0,4]", "[4,7]", 7) == start + "tensor 'b' has 3 bytes: its shape and dtype take 4");
  CHECK(pair("[0,4]", "[4,18446744073709551615]", 8) ==
        start + "tensor 'b' ends at 18446744073709551615, the data at 8");
}

TEST_CASE("SafetensorsFile: duplicates") {
  const std::string t = R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK(refusal("{" + t + "," + t + "}", 0) == start + "tensor 't' appears twice");
  CHECK(refusal(R"({"__metadata__":{"k":"1","k":"2"}})", 0) == start + "metadata key 'k' appears twice");
  CHECK(refusal(R"({"__metadata__":{},"__metadata__":{}})", 0) == start + "'__metadata__' appears twice");
  CHECK(refusal(R"({"t":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0) ==
        start + "tensor 't': 'dtype' appears twice");
  CHECK(refusal(R"({"t":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}})", 0) ==
        start + "tensor 't': 'shape' appears twice");
}

TEST_CASE("SafetensorsFile: shapes and dtypes") {
  CHECK(refusal("F32", "[2]", 8).empty());
  CHECK(refusal("F32", "[1e3]", 4000) == start + "tensor 't': unexpected the number '1e3' in 'shape'");
  CHECK(refusal("F32", "[-0]", 0) == start + "tensor 't': unexpected the number 0 in 'shape'");
  CHECK(refusal("F32", "[-1]", 0) == start + "tensor 't': unexpected the number -1 in 'shape'");
  CHECK(refusal("F32", "[1.0]", 4) == start + "tensor 't': unexpected the number '1.0' in 'shape'");
  CHECK(refusal("F32", "[\"1\"]", 4) == start + "tensor 't': unexpected the string '1' in 'shape'");
  CHECK(refusal("F32", "[null]", 4) == start + "tensor 't': unexpected null in 'shape'");
  CHECK(refusal("F32", "[4294967296,4294967296]", 0) == start + "tensor 't': its number of bytes passes 2^64");
  CHECK(refusal("F64", "[0,1152921504606846976,2]", 0) == start + "tensor 't': its number of bytes passes 2^64");
  CHECK(refusal("U8", "[9223372036854775807,1]", 5) ==
        start + "tensor 't' has 5 bytes: its shape and dtype take 9223372036854775807");
  CHECK(refusal("F32", "[1,1,1,1,1,1,1,1,1]", 4) == start + "tensor 't': expected at most 8 dimensions");
  CHECK(refusal("F8_E4M3", "[1]", 1) == start + "tensor 't': dtype 'F8_E4M3' is not read");
}

TEST_CASE("SafetensorsFile: headers that are not the format's") {
  CHECK(refusal(R"([])", 0) == start + "expected the header to begin with '{', got '['");
  CHECK(contains(refusal(R"({"t":)", 0), "the header is no JSON, at byte "));
  CHECK(contains(refusal(R"({} {})", 0), "the header is no JSON"));
  CHECK(contains(refusal("{\"\xff\":{}}", 0), "the header is no JSON"));
  CHECK(refusal(R"({"t":1})", 0) == start + "unexpected the number 1 in 't'");
  CHECK(refusal(R"({"t":{}})", 0) == start + "tensor 't': expected dtype, shape and two data_offsets, got 0, 0 and 0");
  CHECK(refusal(R"({"t":{"dtype":"U8","shape":[],"data_offsets":[0]}})", 1) ==
        start + "tensor 't': expected dtype, shape and two data_offsets, got 1, 1 and 1");
  CHECK(refusal(R"({"t":{"dtype":"U8","shape":[],"data_offsets":[0,1,2]}})", 1) ==
        start + "tensor 't': expected dtype, shape and two data_offsets, got 1, 1 and 3");
  CHECK(refusal(R"({"t":{"note":"x"}})", 0) == start + "tensor 't': expected dtype, shape, data_offsets, got 'note'");
  CHECK(refusal(R"({"t":{"shape":3}})", 0) == start + "tensor 't': unexpected the number 3 in 'shape'");
  CHECK(refusal(R"({"__metadata__":{"k":1}})", 0) == start + "unexpected the number 1 in 'k'");
  CHECK(refusal(R"({"__metadata__":"x"})", 0) == start + "unexpected the string 'x' in '__metadata__'");
  CHECK(refusal(R"({"__metadata__":{"k":{}}})", 0) == start + "unexpected an object in 'k'");
}

TEST_CASE("SafetensorsFile: deep JSON ends where it first nests too far") {
  std::string deep = R"({"t":)", objects = "{";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  for (int i = 0; i < 100'000; ++i) objects += R"("t":{)";
  CHECK(refusal(deep, 0) == start + "unexpected an array in 't'");
  CHECK(contains(refusal(objects, 0), "expected dtype, shape, data_offsets, got 't'"));
}

TEST_CASE("SafetensorsFile: a cut anywhere is an error") {
  const auto bytes = file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK_THROWS_AS(SafetensorsFile(cut, "cut"), FormatError);
  }
}
