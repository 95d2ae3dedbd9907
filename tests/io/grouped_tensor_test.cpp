#include "tern/io/grouped_tensor.hpp"

#include <doctest/doctest.h>

#include <random>

#include "support/temporary_directory.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/save_model.hpp"
#include "tern/weights/bf16.hpp"

using namespace tern;
using namespace tern::test;

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

TEST_CASE("grouped_tensor: q8 holds Q8_0, Q5_0 and Q4_0, q4 holds Q4_0 and Q4_1, as they are") {
  CHECK(distance<kernels::Q8>({GgmlType::q5_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q8>({GgmlType::q4_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q4>({GgmlType::q4_0, 5, 96, {0}}) == 0);
  CHECK(distance<kernels::Q4>({GgmlType::q4_1, 5, 96, {0, 2}}) < 1e-7);  // dequantize() rounds its sum to float
  CHECK(distance<kernels::Q8>({GgmlType::q8_0, 5, 96, {0}}) == 0);
}

TEST_CASE("grouped_tensor: the scales of Q4_K are rounded to binary16, other types anew") {
  // Scales up to 63 * 0.1 times codes up to 15, and minimums up to 63 * 0.1.
  CHECK(distance<kernels::Q4>({GgmlType::q4_k, 5, 512, {0, 2}}) <= 6.3 * 16 * 0x1p-11);
  CHECK(distance<kernels::Q8>({GgmlType::q4_1, 5, 96, {0, 2}}) <= 1.6 / 127 * 0.51);
  CHECK(distance<kernels::Q4>({GgmlType::q8_0, 5, 96, {0}}) <= 2 * 12.8 / 15 * 0.51);
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

TEST_CASE("load_model: q8 and bf16 hold the weights that dense ones are, rows of q and k in their places") {
  const TemporaryDirectory folder;
  Decoder<float> model(ModelConfig{
      .hidden = 32, .layers = 2, .ffn = 64, .heads = 2, .kv_heads = 1, .head_dim = 16, .vocabulary = 8, .context = 64});
  Random random(3);
  for_each_parameter(model, [&](std::string_view, auto& p) { fill_normal(p.value, random, 0.15); });
  GgufWriter out;
  out.set("general.architecture", std::string("llama"));
  add_model(model, out, GgmlType::q8_0, GgmlType::f32);
  out.write(folder.path() / "m.gguf");
  const auto file = GgufFile::open(folder.path() / "m.gguf");
  const auto dense = load_model<float>(file);
  const auto eight = load_model<float, Q8<float>>(file);
  const auto half = load_model<float, Bf16<float>>(file);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto check = [](const auto& d, const auto& q, const auto& b) {
      const Matrix<float>& w = d.weight.parameter.value;
      Index wrong = 0;
      for (Index r = 0; r < w.rows(); ++r)
        for (Index k = 0; k < w.cols(); ++k) {
          wrong += q.weight.view().template weight<float>(r, k) != w(r, k);
          wrong += b.weight.data()[r * w.cols() + k].bits != kernels::to_bf16(w(r, k)).bits;
        }
      CHECK(wrong == 0);
    };
    check(dense.blocks[i].attention.query, eight.blocks[i].attention.query, half.blocks[i].attention.query);
    check(dense.blocks[i].attention.key, eight.blocks[i].attention.key, half.blocks[i].attention.key);
    check(dense.blocks[i].mlp.down, eight.blocks[i].mlp.down, half.blocks[i].mlp.down);
  }
}
