#pragma once
#include <cstddef>
#include <limits>
#include <new>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tern {

/// An allocator for weights, which are read from end to end: arrays begin at a cache line, and the whole 2 MB pages of
/// larger ones are asked for as such where Linux has them to give. A stream that crosses a page waits for its
/// translation, and the processor's prefetching ends there: mat-vec of q4 from memory read 31 GB/s of large pages and
/// 23 of 4 KB ones (Zen 4, 4096x4096, one thread). Nothing is asked for that the array does not fill.
template <class T>
struct LargePages {
  using value_type = T;
  static constexpr std::size_t page = std::size_t{2} << 20;

  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>&) noexcept {}

  /// Throws std::bad_alloc.
  T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) throw std::bad_array_new_length();
    const std::size_t bytes = n * sizeof(T);
    void* const p = ::operator new(bytes, alignment(n));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= page) madvise(p, bytes / page * page, MADV_HUGEPAGE);  // a wish: where it fails, memory is slower
#endif
    return static_cast<T*>(p);
  }
  void deallocate(T* p, std::size_t n) noexcept { ::operator delete(p, alignment(n)); }

  friend bool operator==(LargePages, LargePages) { return true; }

 private:
  static std::align_val_t alignment(std::size_t n) { return std::align_val_t{n * sizeof(T) >= page ? page : 64}; }
};

template <class T>
using LargeVector = std::vector<T, LargePages<T>>;

}  // namespace tern
