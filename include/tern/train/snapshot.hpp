#pragma once
#include <vector>

#include "tern/train/trainable.hpp"

namespace tern {

/// A copy of the trained parameters' values, to go back to. Borrows the parameters; allocates at construction only.
template <std::floating_point S>
class Snapshot {
 public:
  explicit Snapshot(const Trainable<S>& trainable) {
    for (std::size_t i = 0; i < trainable.size(); ++i) {
      parameters_.push_back(&trainable.parameter(i));
      values_.push_back(trainable.value(i));
    }
  }

  void save() {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = parameters_[i]->value;
  }
  void restore() const {
    for (std::size_t i = 0; i < values_.size(); ++i) parameters_[i]->value = values_[i];
  }

 private:
  std::vector<Parameter<S>*> parameters_;
  std::vector<Matrix<S>> values_;
};

}  // namespace tern
