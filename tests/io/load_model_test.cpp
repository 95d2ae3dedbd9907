#include "tern/io/load_model.hpp"

#include <doctest/doctest.h>

#include "support/temporary_directory.hpp"
#include "tern/core/random.hpp"
#include "tern/io/save_model.hpp"

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
