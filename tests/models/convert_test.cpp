#include "tern/models/convert.hpp"

#include <set>

#include "support/tiny_models.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// The dense model in f32 storages.
PackedDecoder<float> packed(const Decoder<float>& dense) {
  PackedDecoder<float> model(dense.config);
  std::vector<const Matrix<float>*> from;
  for_each_parameter(dense, [&](std::string_view, const auto& p) { from.push_back(&p.value); });
  std::size_t i = 0;
  for_each_parameter(model, [&](std::string_view, auto& p) { p.value = *from[i++]; });
  REQUIRE(i == from.size());
  return model;
}

template <class Model>
std::vector<double> losses(const Model& model) {
  const std::vector<Token> tokens = {1, 5, 2, 7, 3}, targets = {5, 2, 7, 3, 0};
  const std::vector<Sequence> sequences = {{5, 0}};
  Pass pass;
  pass.sequences = sequences;
  typename Model::Cache cache;
  std::vector<double> nll(tokens.size());
  model.nll(pass, tokens, targets, cache, nll);
  return nll;
}

Matrix<float> numbers(const Packed<float>& w) {
  Matrix<float> to(w.rows(), w.columns());
  for (Index r = 0; r < w.rows(); ++r) w.row(r, to.row(r).data());
  return to;
}

/// The names of what trains.
std::set<std::string> trainable(const PackedDecoder<float>& model) {
  std::set<std::string> names;
  for_each_parameter(model, [&](std::string_view name, const auto&) { names.emplace(name); });
  return names;
}

}  // namespace

TEST_CASE("convert: weights become what quantize makes of their numbers") {
  Random random(3);
  Matrix<float> w(20, 70);
  fill_normal(w, random, 1.0);
  const Packed<float> plain(w), q8 = Packed<float>::quantize(w, WeightFormat::q8);
  for (const WeightFormatInfo& f : weight_formats) {
    CAPTURE(f.name);
    const WeightFormat format = f.format;
    const Packed<float> found = converted(plain, format);
    CHECK(found.format() == format);
    CHECK(numbers(found) == numbers(format == WeightFormat::f32 ? plain : Packed<float>::quantize(w, format)));
  }
  CHECK(numbers(converted(q8, WeightFormat::f32)) == numbers(q8));
  CHECK(numbers(converted(q8, WeightFormat::q4)) == numbers(Packed<float>::quantize(numbers(q8), WeightFormat::q4)));
}

TEST_CASE("convert: weights in the format asked for are copied as they are") {
  Random random(4);
  Matrix<float> w(16, 64);
  fill_normal(w, random, 1.0);
  const Packed<float> ternary = Packed<float>::quantize(w, WeightFormat::ternary);  // another absmean if rounded again
  CHECK(numbers(converted(ternary, WeightFormat::ternary)) == numbers(ternary));
}

TEST_CASE("convert: every family keeps each gain, bias and weight in its place") {
  for (const ModelConfig& config : tiny_families()) {
    CAPTURE(config.architecture);
    const Decoder<float> dense = random_decoder<float>(config, 5);
    const PackedDecoder<float> model = packed(dense);
    REQUIRE(losses(model) == losses(dense));

    const PackedDecoder<float> same = converted(model, WeightFormat::f32, WeightFormat::f32);
    CHECK(losses(same) == losses(model));
    CHECK(trainable(same) == trainable(model));

    const PackedDecoder<float> mixed = converted(model, WeightFormat::q8, WeightFormat::bf16);
    CHECK(mixed.embedding.table.format() == WeightFormat::bf16);
    CHECK(mixed.head.has_value() == !config.tied);
    if (mixed.head) CHECK(mixed.head->format() == WeightFormat::bf16);
    std::vector<const Packed<float>*> before;
    PackedDecoder<float>::each_part(model, [&](SiteId, const auto& part) {
      if constexpr (requires { part.weight; }) before.push_back(&part.weight);
    });
    std::size_t i = 0;
    PackedDecoder<float>::each_part(mixed, [&](SiteId, const auto& part) {
      if constexpr (requires { part.weight; }) {
        CHECK(part.weight.format() == WeightFormat::q8);
        CHECK(numbers(part.weight) == numbers(converted(*before[i++], WeightFormat::q8)));
      }
    });
    CHECK(i == before.size());

    // What stays in floats is the same; the rest trains no more.
    const std::set<std::string> still = trainable(mixed);
    for_each_parameter(model, [&](std::string_view name, const auto& p) {
      const bool vector = p.value.rows() == 1;
      CHECK(still.contains(std::string(name)) == vector);
      for_each_parameter(mixed, [&](std::string_view other, const auto& q) {
        if (other == name) CHECK(q.value == p.value);
      });
    });
  }
}
