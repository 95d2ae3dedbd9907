#pragma once
#include <utility>
#include <variant>

#include "tern/weights/bf16.hpp"
#include "tern/weights/dense.hpp"
#include "tern/weights/grouped.hpp"
#include "tern/weights/ternary.hpp"
#include "tern/weights/tiled.hpp"
#include "tern/weights/weight_format.hpp"

namespace tern {

namespace detail {

template <class S, class Formats>
struct PackedStorages;
template <class S, class... F>
struct PackedStorages<S, kernels::Formats<F...>> {
  using Variant = std::variant<Dense<S>, Tiled<S>, Bf16<S>, Grouped<S, F>..., Ternary<S>>;
};

}  // namespace detail

/// Weights in whichever format their tensor calls for, chosen at run time: a model of mixed formats is one type to the
/// compiler. Each product is that of the storage it holds, to the bit.
/// Dense weights train as in Dense: their parameter is a field. In every other format they are frozen, and have none.
template <std::floating_point S>
class Packed {
 public:
  using Scalar = S;
  using Cache = Int8Cache<S>;
  /// In the order of weight_formats; Dense is called f32, whatever S is.
  using Storage = typename detail::PackedStorages<S, kernels::GroupedFormats>::Variant;

  Packed() = default;
  /// Takes weights as they are stored.
  template <class W>
    requires(!std::is_same_v<std::remove_cvref_t<W>, Packed> && !std::is_same_v<std::remove_cvref_t<W>, Matrix<S>> &&
             std::is_constructible_v<Storage, W>)
  Packed(W&& storage) : storage_(std::forward<W>(storage)) {}
  /// Dense weights.
  explicit Packed(Matrix<S> w) : storage_(Dense<S>(std::move(w))) {}

  /// Rounds dense weights; ternary ones by absmean, with one scale.
  static Packed quantize(In<S> w, WeightFormat format) {
    return with_storage(format, [&]<class W>() {
      if constexpr (std::is_same_v<W, Dense<S>>)
        return Packed(Matrix<S>(w));
      else if constexpr (std::is_same_v<W, Ternary<S>>)
        return Packed(W::quantize(w, kernels::TernaryScale::tensor));
      else
        return Packed(W::quantize(w));
    });
  }

  /// Returns make.operator()<W>() for the storage W of a format. Throws ValueError on one that there is not.
  template <class Make>
  static Packed with_storage(WeightFormat format, Make&& make) {
    return with_storage(format, make, std::make_index_sequence<std::variant_size_v<Storage>>());
  }

  WeightFormat format() const { return WeightFormat(storage_.index()); }
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
  template <class Make, std::size_t... I>
  static Packed with_storage(WeightFormat format, Make& make, std::index_sequence<I...>) {
    Packed made;
    if (!((format.row() == I && (made = make.template operator()<std::variant_alternative_t<I, Storage>>(), true)) ||
          ...))
      throw ValueError("weight format: expected a known one, got number " + std::to_string(format.row()));
    return made;
  }
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
