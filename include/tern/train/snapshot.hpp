#pragma once
#include <vector>

#include "tern/train/trainable.hpp"

namespace tern {

/// A copy of the trained parameters' values, to go back to. Borrows the parameters; allocates at construction only.
template <std::floating_point S>
class Snapshot {
 public:
  explicit Snapshot(const Trainable<S>& trainable) : trainable_(trainable) {
    for (std::size_t i = 0; i < trainable_.size(); ++i) values_.push_back(trainable_[i].value);
  }

  void save() {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = trainable_[i].value;
  }
  void restore() const {
    for (std::size_t i = 0; i < values_.size(); ++i) trainable_[i].value = values_[i];
  }

 private:
  Trainable<S> trainable_;
  std::vector<Matrix<S>> values_;
};

}  // namespace tern
