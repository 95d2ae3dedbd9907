#include "tern/io/dtype.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"

using namespace tern;

TEST_CASE("DType: names and sizes") {
  CHECK(dtype_named("BF16") == DType::bf16);
  CHECK(name(DType::boolean) == "BOOL");
  CHECK(size_of(DType::f64) == 8);
  CHECK_FALSE(dtype_named("F8_E4M3").has_value());
}

TEST_CASE_TEMPLATE("decode and encode: floating-point types give back what they can hold", S, float, double) {
  const std::vector<S> values = {S(0), S(-1.5), S(96), S(0x1p-10)};
  for (const DType type : {DType::f64, DType::f32, DType::f16, DType::bf16}) {
    ByteWriter out;
    encode(type, std::span<const S>(values), out);
    CHECK(out.size() == values.size() * size_of(type));
    std::vector<S> back(values.size());
    decode(type, out.view(), std::span<S>(back));
    CHECK(back == values);
  }
}

TEST_CASE("decode: refuses integers and wrong sizes") {
  std::vector<float> y(2);
  const std::vector<std::byte> eight(8);
  CHECK(test::message_of<ValueError>([&] { decode(DType::i32, eight, std::span<float>(y)); }) ==
        "decode: expected F64, F32, F16 or BF16, got I32");
  CHECK(test::message_of<ValueError>([&] { decode(DType::f16, eight, std::span<float>(y)); }) ==
        "decode F16: expected 4 bytes for 2 elements, got 8");
}
