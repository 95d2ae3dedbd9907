#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/fields.hpp"
#include "tern/core/state_matrix.hpp"

namespace tern {

/// Where layers work that add to gradients in bf16: grows with the first calls, then stays.
template <std::floating_point S>
struct GradientScratch {
  std::vector<S> products;
  std::vector<std::uint64_t> order;
};

/// The gradients of what trains, the caller's: backward through a const model adds to those that are here and passes by
/// parameters that have none, which are frozen. So two threads can train two people on one base.
/// Parameters are known by their address: the layers must stay where they are.
/// With StateType::bf16 large matrices are in bf16: who adds to one rounds the sum to nearest, once a call, so that it is
/// off by at most 2^-8 of its size a call. One thread at a time adds to one Gradients, with however many workers.
template <std::floating_point S>
class Gradients {
 public:
  using Scalar = S;

  Gradients() = default;  ///< nothing trains
  /// Zero gradients for every parameter of `layers`, in the order of their `fields` lists.
  template <class... Layers>
  explicit Gradients(const Layers&... layers)
    requires(sizeof...(Layers) > 0 &&
             ((!std::is_same_v<Layers, Gradients> && !std::is_same_v<Layers, StateType>)&&...))
  {
    (add(layers, [](std::string_view) { return true; }), ...);
  }

  /// The same, held as `state` says.
  template <class... Layers>
  explicit Gradients(StateType state, const Layers&... layers) : state_(state) {
    (add(layers, [](std::string_view) { return true; }), ...);
  }

  /// How what is added from now on is held.
  StateType state() const { return state_; }

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
    const bool narrow = p.takes_bf16 && p.value.rows() > 1;
    matrices_.push_back(StateMatrix<S>::zero(narrow ? state_ : StateType::full, p.value.rows(), p.value.cols()));
  }

  /// The gradient of a parameter; null where it is frozen. Throws ValueError where it is in bf16.
  Matrix<S>* find(const Parameter<S>& p) {
    StateMatrix<S>* const found = lookup(p);
    return found == nullptr ? nullptr : &found->full();
  }
  const Matrix<S>* find(const Parameter<S>& p) const { return const_cast<Gradients*>(this)->find(p); }
  /// The gradient of a parameter; null where it is frozen, and where it is not in bf16.
  Bf16Matrix* find_bf16(const Parameter<S>& p) {
    StateMatrix<S>* const found = p.takes_bf16 ? lookup(p) : nullptr;
    return found != nullptr && found->is_bf16() ? &found->bf16() : nullptr;
  }
  const Bf16Matrix* find_bf16(const Parameter<S>& p) const { return const_cast<Gradients*>(this)->find_bf16(p); }
  /// Throws ValueError where the parameter is frozen, or its gradient in bf16.
  const Matrix<S>& of(const Parameter<S>& p) const {
    const Matrix<S>* found = find(p);
    if (found == nullptr) throw ValueError("gradients: expected a parameter that trains, got a frozen one");
    return *found;
  }

  /// In the order in which they were added. [i] throws ValueError where that one is in bf16, held(i) gives either kind.
  std::size_t size() const { return matrices_.size(); }
  Matrix<S>& operator[](std::size_t i) { return matrices_[i].full(); }
  const Matrix<S>& operator[](std::size_t i) const { return matrices_[i].full(); }
  StateMatrix<S>& held(std::size_t i) { return matrices_[i]; }
  const StateMatrix<S>& held(std::size_t i) const { return matrices_[i]; }

  void set_zero() {
    for (StateMatrix<S>& m : matrices_) m.set_zero();
  }
  /// How many numbers train.
  Index count() const {
    Index n = 0;
    for (const StateMatrix<S>& m : matrices_) n += m.size();
    return n;
  }
  /// Bytes that the gradients fill.
  std::size_t bytes() const {
    std::size_t n = 0;
    for (const StateMatrix<S>& m : matrices_) n += m.bytes();
    return n;
  }

  GradientScratch<S>& scratch() { return scratch_; }

 private:
  struct Entry {
    const Parameter<S>* parameter;
    std::size_t matrix;
  };
  StateMatrix<S>* lookup(const Parameter<S>& p) {
    const auto at = place(p);
    return at != index_.end() && at->parameter == &p ? &matrices_[at->matrix] : nullptr;
  }
  auto place(const Parameter<S>& p) const {
    return std::lower_bound(index_.begin(), index_.end(), &p, [](const Entry& e, const Parameter<S>* q) {
      return std::less<const Parameter<S>*>{}(e.parameter, q);
    });
  }

  StateType state_ = StateType::full;
  std::vector<Entry> index_;  // by address
  std::vector<StateMatrix<S>> matrices_;
  GradientScratch<S> scratch_;
};

}  // namespace tern
