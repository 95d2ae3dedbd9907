#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/fields.hpp"

namespace tern {

/// The gradients of what trains, the caller's: backward through a const model adds to those that are here and passes by
/// parameters that have none, which are frozen. So two threads can train two people on one base.
/// Parameters are known by their address: the layers must stay where they are.
template <std::floating_point S>
class Gradients {
 public:
  using Scalar = S;

  Gradients() = default;  ///< nothing trains
  /// Zero gradients for every parameter of `layers`, in the order of their `fields` lists.
  template <class... Layers>
  explicit Gradients(const Layers&... layers)
    requires(sizeof...(Layers) > 0 && (!std::is_same_v<Layers, Gradients> && ...))
  {
    (add(layers, [](std::string_view) { return true; }), ...);
  }

  /// The same for those of a layer whose path satisfies `select`.
  template <class Layer, class Select>
  void add(const Layer& layer, Select&& select) {
    for_each_parameter(layer, [&](std::string_view path, const Parameter<S>& p) {
      if (select(path)) add(p);
    });
  }
  /// Does nothing where it is here already, or holds no number.
  void add(const Parameter<S>& p) {
    if (p.value.size() == 0) return;
    const auto at = place(p);
    if (at != index_.end() && at->parameter == &p) return;
    index_.insert(at, {&p, matrices_.size()});
    matrices_.push_back(Matrix<S>::Zero(p.value.rows(), p.value.cols()));
  }

  /// The gradient of a parameter; null where it is frozen.
  Matrix<S>* find(const Parameter<S>& p) {
    const auto at = place(p);
    return at != index_.end() && at->parameter == &p ? &matrices_[at->matrix] : nullptr;
  }
  const Matrix<S>* find(const Parameter<S>& p) const { return const_cast<Gradients*>(this)->find(p); }
  /// Throws ValueError where the parameter is frozen.
  const Matrix<S>& of(const Parameter<S>& p) const {
    const Matrix<S>* found = find(p);
    if (found == nullptr) throw ValueError("gradients: expected a parameter that trains, got a frozen one");
    return *found;
  }

  /// In the order in which they were added.
  std::size_t size() const { return matrices_.size(); }
  Matrix<S>& operator[](std::size_t i) { return matrices_[i]; }
  const Matrix<S>& operator[](std::size_t i) const { return matrices_[i]; }

  void set_zero() {
    for (Matrix<S>& m : matrices_) m.setZero();
  }
  /// How many numbers train.
  Index count() const {
    Index n = 0;
    for (const Matrix<S>& m : matrices_) n += m.size();
    return n;
  }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * sizeof(S); }

 private:
  struct Entry {
    const Parameter<S>* parameter;
    std::size_t matrix;
  };
  auto place(const Parameter<S>& p) const {
    return std::lower_bound(index_.begin(), index_.end(), &p, [](const Entry& e, const Parameter<S>* q) {
      return std::less<const Parameter<S>*>{}(e.parameter, q);
    });
  }

  std::vector<Entry> index_;  // by address
  std::vector<Matrix<S>> matrices_;
};

}  // namespace tern
