#pragma once
#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "tern/weights/weight_pages.hpp"

namespace tern {

/// An array of weights, which are read from end to end: in large pages, which smaller ones share (weight_pages.hpp). It
/// begins at a cache line.
template <class T>
class LargeArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  LargeArray() = default;
  /// Throws std::bad_alloc.
  explicit LargeArray(std::size_t size, T fill = {}) : size_(size), data_(allocate(size)) {
    std::fill_n(data(), size, fill);
  }
  /// Without content: whoever writes it first, on whichever thread, brings its pages in. Throws std::bad_alloc.
  static LargeArray unfilled(std::size_t size) {
    LargeArray a;
    a.data_ = allocate(size);
    a.size_ = size;
    return a;
  }
  LargeArray(const LargeArray& other) : size_(other.size_), data_(allocate(other.size_)) {
    std::copy_n(other.data(), size_, data());
  }
  LargeArray(LargeArray&& other) noexcept : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
  LargeArray& operator=(LargeArray other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }

  std::size_t size() const { return size_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  static std::shared_ptr<T> allocate(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) throw std::bad_array_new_length();
    const std::shared_ptr<std::byte> bytes = detail::WeightPages::take(size * sizeof(T));
    return {bytes, reinterpret_cast<T*>(bytes.get())};
  }

  std::size_t size_ = 0;
  std::shared_ptr<T> data_;  // this array alone has it
};

}  // namespace tern
