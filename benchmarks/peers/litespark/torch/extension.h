#pragma once
/// All that litespark-inference's int8 kernels ask of PyTorch: where a tensor's numbers lie. With this header in place
/// of PyTorch's they are called from C++ alone.
#include <cstddef>

namespace torch {

class Tensor {
 public:
  Tensor() = default;
  Tensor(const void* numbers, std::size_t size) : numbers_(const_cast<void*>(numbers)), size_(size) {}
  bool defined() const { return numbers_ != nullptr; }
  std::size_t numel() const { return size_; }
  template <class T>
  T* data_ptr() const {
    return static_cast<T*>(numbers_);
  }

 private:
  void* numbers_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace torch

#define PYBIND11_MODULE(name, module) \
  template <class Module>             \
  void unused_##name(Module& module)
