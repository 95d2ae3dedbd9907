#include "tern/io/grouped_tensor.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace tern;

namespace {

/// A tensor of random blocks whose scales, binary16 at each of `halves`, are moderate.
struct Blocks {
  Blocks(GgmlType type, Index rows, Index columns, std::vector<std::size_t> halves) {
    const GgmlTypeInfo& info = *find_ggml_type(type);
    const std::size_t count = static_cast<std::size_t>(rows * columns) / info.weights;
    std::minstd_rand random(7);
    bytes.resize(count * info.bytes);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random() >> 8);
    for (std::size_t i = 0; i < count; ++i)
      for (const std::size_t at : halves) {
        const float scale = (static_cast<float>(random() % 2000) - 1000) * 1e-4f;
        store_little(bytes.data() + i * info.bytes + at, kernels::to_half(scale).bits);
      }
    tensor.type = type;
    tensor.rank = 2;
    tensor.dims = {columns, rows, 1, 1};
    tensor.bytes = bytes;
  }
  std::vector<std::byte> bytes;
  GgufTensor tensor;
};

Index reversed(Index row) { return 4 - row; }

/// The greatest distance between what a grouped tensor of 5 rows holds and what the file's weights are.
template <class F>
double distance(const Blocks& blocks) {
  const auto grouped = grouped_tensor<float, F>(blocks.tensor, "tensor", reversed);
  const Matrix<float> expected = dequantize<float>(blocks.tensor);
  double most = 0;
  for (Index r = 0; r < 5; ++r)
    for (Index k = 0; k < expected.cols(); ++k)
      most = std::max(
          most, std::abs(grouped.view().template weight<double>(reversed(r), k) - static_cast<double>(expected(r, k))));
  return most;
}

}  // namespace

TEST_CASE("grouped_tensor: q8 holds Q8_0, Q5_0 and Q4_0, q4 holds Q4_0 and Q4_1, q4_0 holds Q4_0, as they are") {
  CHECK(distance<kernels::Q8>({GgmlType::q5_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q8>({GgmlType::q4_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q4>({GgmlType::q4_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q4_0>({GgmlType::q4_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q4>({GgmlType::q4_1, 5, 96, {0, 2}}) < 1e-7);  // dequantize() rounds its sum to float
  CHECK(distance<kernels::Q8>({GgmlType::q8_0, 5, 96, {0}}) == 0);
}

TEST_CASE("grouped_tensor: the scales of Q4_K are rounded to binary16, other types anew") {
  // Scales up to 63 * 0.1 times codes up to 15, and minimums up to 63 * 0.1.
  CHECK(distance<kernels::Q4>({GgmlType::q4_k, 5, 512, {0, 2}}) <= 6.3 * 16 * 0x1p-11);
  CHECK(distance<kernels::Q8>({GgmlType::q4_1, 5, 96, {0, 2}}) <= 1.6 / 127 * 0.51);
  CHECK(distance<kernels::Q4>({GgmlType::q8_0, 5, 96, {0}}) <= 2 * 12.8 / 15 * 0.51);
  CHECK(distance<kernels::Q4_0>({GgmlType::q8_0, 5, 96, {0}}) <= 12.8 / 8 * 1.01);
}

TEST_CASE("grouped_tensor: a scale that is not finite is refused") {
  for (const std::uint16_t bits : {std::uint16_t{0x7c00}, std::uint16_t{0x7e00}}) {
    Blocks blocks(GgmlType::q8_0, 5, 96, {0});
    store_little(blocks.bytes.data() + 34, bits);
    CHECK_THROWS_WITH_AS((grouped_tensor<float, kernels::Q8>(blocks.tensor, "tensor 'w'", reversed)),
                         "tensor 'w': a weight is not finite", FormatError);
    CHECK_THROWS_AS((grouped_tensor<float, kernels::Q4>(blocks.tensor, "tensor 'w'", reversed)), FormatError);
  }
}

TEST_CASE("grouped_tensor: weights beyond binary16 are refused") {
  Blocks blocks(GgmlType::f32, 5, 96, {});
  for (std::size_t i = 0; i < blocks.bytes.size(); i += 4) store_little(blocks.bytes.data() + i, i == 40 ? 1e9f : 1.0f);
  CHECK_THROWS_WITH_AS((grouped_tensor<float, kernels::Q4>(blocks.tensor, "tensor 'w'", reversed)),
                       "tensor 'w': expected weights that binary16 holds, up to 65504, got 1000000000.000000",
                       FormatError);
}
