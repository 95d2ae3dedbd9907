#pragma once
#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tern {

/// An array of weights, which are read from end to end. It begins at a cache line, and the whole 2 MB pages of a larger
/// one are asked for as such where Linux has them to give. A stream that crosses a page waits for its translation, and
/// the processor's prefetching ends there: mat-vec of q4 from memory read 31 GB/s of large pages and 23 of 4 KB ones
/// (Zen 4, 4096x4096, one thread). Nothing is asked for that the array does not fill.
template <class T>
class LargeArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t page = std::size_t{2} << 20;

  LargeArray() = default;
  /// Throws std::bad_alloc.
  explicit LargeArray(std::size_t size, T fill = {}) : size_(size), data_(allocate(size), {alignment(size)}) {
    std::fill_n(data(), size, fill);
  }
  /// Without content: whoever writes it first, on whichever thread, brings its pages in. Throws std::bad_alloc.
  static LargeArray unfilled(std::size_t size) {
    LargeArray a;
    a.data_ = {allocate(size), {alignment(size)}};
    a.size_ = size;
    return a;
  }
  LargeArray(const LargeArray& other) : size_(other.size_), data_(allocate(size_), {alignment(size_)}) {
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
  struct Delete {
    std::align_val_t alignment{};
    void operator()(T* p) const { ::operator delete(p, alignment); }
  };

  static std::align_val_t alignment(std::size_t size) { return std::align_val_t{size * sizeof(T) < page ? 64 : page}; }
  static T* allocate(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) throw std::bad_array_new_length();
    const std::size_t bytes = size * sizeof(T);
    void* const p = ::operator new(bytes, alignment(size));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= page) madvise(p, bytes / page * page, MADV_HUGEPAGE);  // a wish: where it fails, memory is slower
#endif
    return static_cast<T*>(p);
  }

  std::size_t size_ = 0;
  std::unique_ptr<T, Delete> data_;
};

}  // namespace tern
