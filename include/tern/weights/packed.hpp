#pragma once
#include <utility>
#include <variant>

#include "tern/weights/bf16.hpp"
#include "tern/weights/dense.hpp"
#include "tern/weights/grouped.hpp"
#include "tern/weights/ternary.hpp"
#include "tern/weights/weight_format.hpp"

namespace tern {

/// Weights in whichever format their tensor calls for, chosen at run time: a model of mixed formats is one type to the
/// compiler. Each product is that of the storage it holds, to the bit.
/// Dense weights train as in Dense: their parameter is a field. In every other format they are frozen, and have none.
template <std::floating_point S>
class Packed {
 public:
  using Scalar = S;
  using Cache = Int8Cache<S>;
  /// In the order of WeightFormat; Dense is called f32, whatever S is.
  using Storage = std::variant<Dense<S>, Bf16<S>, Q8<S>, Q4<S>, Q4_0<S>, Ternary<S>>;

  Packed() = default;
  /// Takes weights as they are stored.
  template <class W>
  requires(!std::is_same_v<std::remove_cvref_t<W>, Packed> && !std::is_same_v<std::remove_cvref_t<W>, Matrix<S>> &&
           std::is_constructible_v<Storage, W>) Packed(W&& storage)
      : storage_(std::forward<W>(storage)) {}
  /// Dense weights.
  explicit Packed(Matrix<S> w) : storage_(Dense<S>(std::move(w))) {}

  /// Rounds dense weights; ternary ones by absmean, with one scale.
  static Packed quantize(In<S> w, WeightFormat format) {
    switch (format) {
      case WeightFormat::f32:
        return Packed(Matrix<S>(w));
      case WeightFormat::bf16:
        return Bf16<S>::quantize(w);
      case WeightFormat::q8:
        return Q8<S>::quantize(w);
      case WeightFormat::q4:
        return Q4<S>::quantize(w);
      case WeightFormat::q4_0:
        return Q4_0<S>::quantize(w);
      case WeightFormat::ternary:
        return Ternary<S>::quantize(w, kernels::TernaryScale::tensor);
    }
    throw ValueError("weight format: expected a known one, got number " + std::to_string(static_cast<int>(format)));
  }

  WeightFormat format() const { return static_cast<WeightFormat>(storage_.index()); }
  const Storage& storage() const { return storage_; }
  Storage release() && { return std::move(storage_); }

  Index rows() const {
    return visit([](const auto& w) { return w.rows(); });
  }
  Index columns() const {
    return visit([](const auto& w) { return w.columns(); });
  }
  std::size_t bytes() const {
    return visit([](const auto& w) { return w.bytes(); });
  }

  void row(Index r, S* to) const {
    visit([&](const auto& w) { w.row(r, to); });
  }
  void multiply(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    visit([&](const auto& w) { with_cache(w, cache, [&](auto& c) { w.multiply(pass, x, c, y); }); });
  }
  void multiply_transposed(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    visit([&](const auto& w) { with_cache(w, cache, [&](auto& c) { w.multiply_transposed(pass, dy, c, dx); }); });
  }
  void accumulate(const Pass& pass, In<S> x, Cache&, In<S> dy, Gradients<S>& gradients) const {
    typename Dense<S>::Cache none;
    if (const auto* dense = std::get_if<Dense<S>>(&storage_)) dense->accumulate(pass, x, none, dy, gradients);
  }

  /// The parameter of dense weights; null in every other format.
  Parameter<S>* parameter() {
    auto* dense = std::get_if<Dense<S>>(&storage_);
    return dense == nullptr ? nullptr : &dense->parameter;
  }
  const Parameter<S>* parameter() const {
    const auto* dense = std::get_if<Dense<S>>(&storage_);
    return dense == nullptr ? nullptr : &dense->parameter;
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    if (auto* parameter = self.parameter()) f("", *parameter);
  }

 private:
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), storage_);
  }
  /// The cache in the type that storage `W` asks for.
  template <class W, class F>
  static void with_cache(const W&, Cache& cache, F&& f) {
    if constexpr (std::is_same_v<typename W::Cache, Cache>) {
      f(cache);
    } else {
      typename W::Cache none;
      f(none);
    }
  }

  Storage storage_;
};
static_assert(TableStorage<Packed<float>, float>);
static_assert(std::variant_size_v<Packed<float>::Storage> == weight_formats.size());

}  // namespace tern
