#include "tern/io/load_model.hpp"

#include <doctest/doctest.h>

#include "support/temporary_directory.hpp"
#include "tern/core/random.hpp"
#include "tern/io/save_model.hpp"
#include "tern/weights/bf16.hpp"

using namespace tern;

namespace {

/// A model whose projections are 0 or plus or minus one half, through a file of that type.
Decoder<float, Ternary<float>> ternary_from(GgmlType type) {
  const test::TemporaryDirectory folder;
  Decoder<float> model(ModelConfig{.hidden = 256, .layers = 1, .ffn = 256, .heads = 4, .kv_heads = 4, .head_dim = 64,
                                   .vocabulary = 8, .context = 8});
  Random random(1);
  for_each_parameter(model, [&](std::string_view path, auto& p) {
    if (path.starts_with("blocks"))
      for (Index i = 0; i < p.value.size() && p.value.rows() > 1; ++i)
        p.value.data()[i] = 0.5f * static_cast<float>(random.below(3) - 1);
  });
  GgufWriter out;
  out.set("general.architecture", std::string("llama"));
  add_model(model, out, type, GgmlType::f32);
  out.write(folder / "m.gguf");
  return load_model<float, Ternary<float>>(GgufFile::open(folder / "m.gguf"));
}

}  // namespace

TEST_CASE("load_model: TQ1_0 stays five trits a byte, TQ2_0 2 bits, with the same weights") {
  const auto two = ternary_from(GgmlType::tq2_0), five = ternary_from(GgmlType::tq1_0);
  const auto a = two.blocks[0].attention.query.weight.view(), b = five.blocks[0].attention.query.weight.view();
  CHECK(a.format == kernels::TernaryFormat::two_bits);
  CHECK(b.format == kernels::TernaryFormat::five_a_byte);
  CHECK(five.blocks[0].attention.query.weight.bytes() == 16 * 13 * 64 + sizeof(float));  // 13 blocks hold 256 columns
  CHECK(a.scale(0, 0) == 0.5f);
  CHECK(b.scale(0, 0) == 0.5f);
  Index wrong = 0, zeros = 0;
  for (Index r = 0; r < 256; ++r)
    for (Index k = 0; k < 256; ++k) {
      wrong += a.weight(r, k) != b.weight(r, k);
      zeros += a.weight(r, k) == 0;
    }
  CHECK(wrong == 0);
  CHECK(zeros > 256 * 256 / 4);
  CHECK(zeros < 256 * 256 / 2);
}

TEST_CASE("load_model: q8 and bf16 hold the weights that dense ones are, rows of q and k in their places") {
  const test::TemporaryDirectory folder;
  Decoder<float> model(ModelConfig{
      .hidden = 32, .layers = 2, .ffn = 64, .heads = 2, .kv_heads = 1, .head_dim = 16, .vocabulary = 8, .context = 64});
  Random random(3);
  for_each_parameter(model, [&](std::string_view, auto& p) { fill_normal(p.value, random, 0.15); });
  GgufWriter out;
  out.set("general.architecture", std::string("llama"));
  add_model(model, out, GgmlType::q8_0, GgmlType::f32);
  out.write(folder / "m.gguf");
  const auto file = GgufFile::open(folder / "m.gguf");
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
