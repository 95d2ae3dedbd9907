#include "tern/io/load_model.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"
#include "support/temporary_directory.hpp"
#include "tern/core/random.hpp"
#include "tern/io/save_model.hpp"
#include "tern/weights/bf16.hpp"

using namespace tern;
using test::message_of;

namespace {

/// Makes the projections 0 or plus or minus one half, gains and tables random.
void make_ternary(Decoder<float>& model) {
  Random random(1);
  for_each_parameter(model, [&](std::string_view path, auto& p) {
    fill_normal(p.value, random, 1.0);
    if (path.starts_with("blocks") && p.value.rows() > 1)
      for (Index i = 0; i < p.value.size(); ++i) p.value.data()[i] = 0.5f * static_cast<float>(random.below(3) - 1);
  });
}

/// A model of ternary projections, through a file of that type.
Decoder<float, Ternary<float>> ternary_from(GgmlType type) {
  const test::TemporaryDirectory folder;
  Decoder<float> model(ModelConfig{.hidden = 256,
                                   .layers = 1,
                                   .ffn = 256,
                                   .heads = 4,
                                   .kv_heads = 4,
                                   .head_dim = 64,
                                   .vocabulary = 8,
                                   .context = 8});
  make_ternary(model);
  GgufWriter out;
  out.set("general.architecture", std::string("llama"));
  add_model(model, out, type, GgmlType::f32);
  out.write(folder / "m.gguf");
  return load_model<float, Ternary<float>>(GgufFile::open(folder / "m.gguf"));
}

/// A model of ternary projections of half, one layer of them, and what bitnet.cpp's converter writes of it.
struct Converted {
  explicit Converted(const std::string& of) : architecture(of) {
    ModelConfig c{.architecture = of,
                  .hidden = 64,
                  .layers = 1,
                  .ffn = 96,
                  .heads = 2,
                  .kv_heads = 1,
                  .head_dim = 32,
                  .vocabulary = 8,
                  .context = 8};
    c.sub_norms = of != "llama";
    c.gate = c.sub_norms ? kernels::Gate::relu_squared : kernels::Gate::silu;
    model = Decoder<float>(c);
    make_ternary(model);
  }

  /// The projections as I2_S of that layout, or F32.
  GgufWriter gguf(std::optional<I2sLayout> layout) const {
    const ModelConfig& c = model.config;
    GgufWriter out;
    out.set("general.architecture", architecture);
    const auto field = [&](const char* name, auto value) { out.set(architecture + "." + name, value); };
    field("embedding_length", static_cast<std::uint32_t>(c.hidden));
    field("block_count", static_cast<std::uint32_t>(c.layers));
    field("feed_forward_length", static_cast<std::uint32_t>(c.ffn));
    field("attention.head_count", static_cast<std::uint32_t>(c.heads));
    field("attention.head_count_kv", static_cast<std::uint32_t>(c.kv_heads));
    field("attention.layer_norm_rms_epsilon", static_cast<float>(c.epsilon));
    field("rope.freq_base", static_cast<float>(c.rope_theta));
    const auto plain = [&](const std::string& name, const Matrix<float>& w) {
      out.add_matrix(name + ".weight", GgmlType::f32, w);
    };
    const auto projection = [&](const std::string& name, const Matrix<float>& w) {
      if (!layout) return plain("blk.0." + name, w);
      out.add("blk.0." + name + ".weight", GgmlType::i2_s, {w.cols(), w.rows()},
              encode_i2_s(ternary_codes(w, name), *layout));
    };
    const auto turned = [&](const std::string& name, const Matrix<float>& w) {
      projection(name, architecture == "llama" ? detail::permuted(w, c.head_dim) : w);
    };
    const auto& b = model.blocks[0];
    plain("token_embd", model.embedding.table.parameter.value);
    plain("output_norm", model.final_norm.gain.value);
    plain("blk.0.attn_norm", b.attention_norm.gain.value);
    plain("blk.0.ffn_norm", b.mlp_norm.gain.value);
    if (c.sub_norms) {
      plain("blk.0.attn_sub_norm", b.attention.sub_norm->gain.value);
      plain("blk.0.ffn_sub_norm", b.mlp.sub_norm->gain.value);
    }
    turned("attn_q", plain_weights(b.attention.query.weight));
    turned("attn_k", plain_weights(b.attention.key.weight));
    projection("attn_v", plain_weights(b.attention.value.weight));
    projection("attn_output", plain_weights(b.attention.output.weight));
    projection("ffn_gate", plain_weights(b.mlp.gate.weight));
    projection("ffn_up", plain_weights(b.mlp.up.weight));
    projection("ffn_down", plain_weights(b.mlp.down.weight));
    return out;
  }

  std::string architecture;
  Decoder<float> model;
};

std::vector<std::byte> bytes_of(const GgufWriter& writer) {
  std::vector<std::byte> bytes;
  writer.write_to([&](Bytes piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  return bytes;
}

/// What the model makes of a text.
template <class W, class T>
Matrix<float> hidden(const Decoder<float, W, T>& model) {
  const Token text[] = {3, 1, 4, 1, 5};
  typename Decoder<float, W, T>::Cache cache;
  Matrix<float> y(5, model.config.hidden);
  model.forward({}, text, cache, y);
  return y;
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
          wrong += b.weight.view().weight(r, k) != kernels::to_float(kernels::to_bf16(w(r, k)));
        }
      CHECK(wrong == 0);
    };
    check(dense.blocks[i].attention.query, eight.blocks[i].attention.query, half.blocks[i].attention.query);
    check(dense.blocks[i].attention.key, eight.blocks[i].attention.key, half.blocks[i].attention.key);
    check(dense.blocks[i].mlp.down, eight.blocks[i].mlp.down, half.blocks[i].mlp.down);
  }
}

TEST_CASE("load_model: I2_S of every layout is what the same weights are in F32, in llama and in BitNet") {
  for (const std::string architecture : {"llama", "bitnet-b1.58"}) {
    const Converted source(architecture);
    const auto plain = bytes_of(source.gguf({}));
    const Matrix<float> expected = hidden(load_model<float, Ternary<float>>(GgufFile(plain, "m")));
    CHECK(expected.allFinite());
    for (const auto layout : {I2sLayout::groups_of_128, I2sLayout::groups_of_64, I2sLayout::four_rows}) {
      const auto bytes = bytes_of(source.gguf(layout));
      const GgufFile file(bytes, "m");
      CHECK(hidden(load_model<float, Ternary<float>>(file, {.i2_s = layout})) == expected);
      CHECK(hidden(load_model<float>(file, {.i2_s = layout})) == hidden(source.model));
      CHECK(hidden(load_model<float, Bf16<float>>(file, {.i2_s = layout})).isApprox(hidden(source.model), 1e-2f));
    }
  }
}

TEST_CASE("load_model: a BitNet model has sub-norms, relu^2 and a tied head") {
  const auto bytes = bytes_of(Converted("bitnet-b1.58").gguf({}));
  const auto model = load_model<float>(GgufFile(bytes, "m"));
  CHECK(model.config.architecture == "bitnet-b1.58");
  CHECK(model.config.sub_norms);
  CHECK(model.config.gate == kernels::Gate::relu_squared);
  CHECK(!model.head);

  GgufWriter surplus = Converted("bitnet-b1.58").gguf({});
  surplus.add_matrix("output.weight", GgmlType::f32, Matrix<float>::Ones(8, 64));
  const auto with_head = bytes_of(surplus);
  CHECK(message_of<FormatError>([&] { load_model<float>(GgufFile(with_head, "m")); }) ==
        "gguf 'm': tensor 'output.weight': expected only what the architecture has");
}

TEST_CASE("load_model: refuses I2_S without a layout, in groups of 32 columns, and damaged") {
  const auto bytes = bytes_of(Converted("bitnet-b1.58").gguf(I2sLayout::groups_of_128));
  const GgufFile file(bytes, "m");
  CHECK(message_of<ValueError>([&] { load_model<float, Ternary<float>>(file); }) ==
        "gguf 'm': tensor 'blk.0.attn_q.weight': I2_S has several layouts: expected LoadOptions::i2_s to name one");
  CHECK_THROWS_AS((load_model<float, Q8<float>>(file, {.i2_s = I2sLayout::groups_of_128})), FormatError);

  auto damaged = bytes;
  damaged[static_cast<std::size_t>(file.tensor("blk.0.ffn_up.weight").bytes.data() - bytes.data())] |= std::byte{0xc0};
  CHECK(message_of<FormatError>([&] {
          load_model<float, Ternary<float>>(GgufFile(damaged, "m"), {.i2_s = I2sLayout::groups_of_128});
        }) == "gguf 'm': tensor 'blk.0.ffn_up.weight': expected code 0, 1 or 2, got 3 in row 0, column 0");
}

TEST_CASE("load_model: refuses an architecture that it does not know") {
  GgufWriter out;
  out.set("general.architecture", "bitnet");
  const auto bytes = bytes_of(out);
  CHECK(message_of<FormatError>([&] { load_model<float>(GgufFile(bytes, "m")); }) ==
        "gguf 'm': general.architecture: expected 'llama' or 'bitnet-b1.58', got 'bitnet'");
}

TEST_CASE("load_model: embedding and head in bf16 are the file's, rounded") {
  for (const bool tied : {true, false}) {
    Decoder<float> model(ModelConfig{.hidden = 32,
                                     .layers = 1,
                                     .ffn = 32,
                                     .heads = 1,
                                     .kv_heads = 1,
                                     .head_dim = 32,
                                     .vocabulary = 8,
                                     .context = 8,
                                     .tied = tied});
    make_ternary(model);
    GgufWriter out;
    out.set("general.architecture", std::string("llama"));
    add_model(model, out, GgmlType::f32, GgmlType::f32);
    const auto bytes = bytes_of(out);
    const auto frozen = load_model<float, Dense<float>, Bf16<float>>(GgufFile(bytes, "m"));
    const auto rounded = [](const Bf16<float>& got, const Dense<float>& expected) {
      REQUIRE(got.rows() == expected.rows());
      std::vector<float> row(32);
      for (Index r = 0; r < got.rows(); ++r) {
        got.row(r, row.data());
        for (Index k = 0; k < 32; ++k)
          CHECK(row[static_cast<std::size_t>(k)] ==
                kernels::to_float(kernels::to_bf16(expected.parameter.value(r, k))));
      }
    };
    rounded(frozen.embedding.table, model.embedding.table);
    REQUIRE(frozen.head.has_value() == !tied);
    if (!tied) rounded(*frozen.head, *model.head);
    CHECK(hidden(frozen).allFinite());
  }
}
