#include "tern/weights/packed.hpp"

#include "support/layer_contract.hpp"
#include "tern/layers/linear.hpp"

using namespace tern;
using namespace tern::test;

namespace {

constexpr Index tokens = 5, rows = 33, columns = 140;

/// What a storage computes: a product in each precision, one transposed, and itself row by row.
template <class W>
struct Products {
  using S = typename W::Scalar;

  explicit Products(const W& w) {
    Random random(2);
    const Matrix<S> x = random_matrix<S>(tokens, columns, random), dy = random_matrix<S>(tokens, rows, random);
    typename W::Cache cache;
    w.multiply({}, x, cache, y);
    Pass mixed;
    mixed.precision = Precision::mixed;
    w.multiply(mixed, x, cache, rounded);
    w.multiply_transposed({}, dy, cache, dx);
    for (Index r = 0; r < rows; ++r) w.row(r, values.row(r).data());
  }
  template <class V>
  bool operator==(const Products<V>& other) const {
    return y == other.y && rounded == other.rounded && dx == other.dx && values == other.values;
  }

  Matrix<S> y = Matrix<S>(tokens, rows), rounded = y, dx = Matrix<S>::Zero(tokens, columns),
            values = Matrix<S>(rows, columns);
};

}  // namespace

TEST_CASE_TEMPLATE("Packed: every format computes what its storage does alone", S, float, double) {
  Random random(1);
  const Matrix<S> w = random_matrix<S>(rows, columns, random);
  const auto check = [&](WeightFormat format, const auto& storage) {
    CAPTURE(name(format));
    for (const Packed<S>& packed : {Packed<S>::quantize(w, format), Packed<S>(storage)}) {
      CHECK(packed.format() == format);
      CHECK(packed.rows() == rows);
      CHECK(packed.columns() == columns);
      CHECK(packed.bytes() == storage.bytes());
      CHECK(Products(packed) == Products(storage));
    }
  };
  check(WeightFormat::f32, Dense<S>(w));
  check(WeightFormat::f32_tiled, Tiled<S>::quantize(w));
  check(WeightFormat::bf16, Bf16<S>::quantize(w));
  kernels::GroupedFormats::each([&]<class F>() { check(weight_format<F>, Grouped<S, F>::quantize(w)); });
  check(WeightFormat::ternary, Ternary<S>::quantize(w, kernels::TernaryScale::tensor));
}

TEST_CASE("Packed: rows are the weights that the storage's view holds") {
  Random random(3);
  const Matrix<float> w = random_matrix<float>(rows, columns, random);
  const auto check = [&](const auto& storage, auto&& weight) {
    const Matrix<float> values = Products(storage).values;
    Index wrong = 0;
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < columns; ++k) wrong += values(r, k) != weight(storage.view(), r, k);
    CHECK(wrong == 0);
  };
  const auto grouped = [](const auto& view, Index r, Index k) { return view.template weight<float>(r, k); };
  check(Q8<float>::quantize(w), grouped);
  check(Q4<float>::quantize(w), grouped);
  check(Q4_0<float>::quantize(w), grouped);
  for (const auto scale : {kernels::TernaryScale::tensor, kernels::TernaryScale::row, kernels::TernaryScale::group,
                           kernels::TernaryScale::group64})
    for (const auto format : {kernels::TernaryFormat::two_bits, kernels::TernaryFormat::five_a_byte})
      check(Ternary<float>::quantize(w, scale, format), [&](const kernels::TernaryView& view, Index r, Index k) {
        const Index span = scale == kernels::TernaryScale::group     ? 128
                           : scale == kernels::TernaryScale::group64 ? 64
                                                                     : k + 1;
        return view.scale(r, k / span) * static_cast<float>(view.weight(r, k));
      });
}

TEST_CASE("Packed: of all formats only dense weights have a parameter, which trains") {
  Random random(4);
  const Matrix<double> w = random_matrix<double>(7, 9, random);
  for (const WeightFormatInfo& format : weight_formats) {
    CAPTURE(format.name);
    Linear<double, Packed<double>> linear{Packed<double>::quantize(w, format.format)};
    const bool dense = format.format == WeightFormat::f32;
    CHECK(count_parameters(linear) == (dense ? 63 : 0));
    CHECK((linear.weight.parameter() != nullptr) == dense);
  }
  Linear<double, Packed<double>> linear{Packed<double>(w)};
  check_layer_contract(linear, {.tokens = 5, .in = 9, .out = 7, .seed = 3});
}

TEST_CASE("Packed: layers of mixed formats are one type, and one cache serves them in turn") {
  Random random(5);
  std::vector<Linear<float, Packed<float>>> layers;
  for (const WeightFormatInfo& format : weight_formats)
    layers.emplace_back(Packed<float>::quantize(random_matrix<float>(64, 64, random), format.format));
  const Matrix<float> x = random_matrix<float>(tokens, 64, random);
  const auto run = [&](bool one_cache) {
    Packed<float>::Cache shared;
    Matrix<float> from = x, to(tokens, 64);
    for (const auto& layer : layers) {
      Packed<float>::Cache own;
      layer.forward({}, from, one_cache ? shared : own, to);
      from = to;
    }
    return from;
  };
  CHECK(run(true) == run(false));
}
