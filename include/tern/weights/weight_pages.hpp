#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tern::detail {

/// Memory for weights, in 2 MB pages where Linux has them to give. A stream that crosses a page waits for its
/// translation, and the processor's prefetching ends there: mat-vec of q4 from memory read 31 GB/s of large pages and
/// 23 of 4 KB ones (Zen 4, 4096x4096, one thread).
///
/// Most matrices fill no such page, or not the last one they touch. So those of one thread lie one behind another in a
/// stretch of pages, which is freed when the last of them is; what one leaves before goes back to the system meanwhile.
class WeightPages {
 public:
  static constexpr std::size_t page = std::size_t{2} << 20;
  static constexpr std::uintptr_t small_page = 64 << 10;  ///< whole pages whatever size the system's are
  static constexpr std::size_t stretch = 32 * page;       ///< of addresses: what nobody writes costs nothing
  static constexpr std::size_t least_shared = 32 << 10, most_shared = stretch / 4;  ///< bytes of an array

  /// AddressSanitizer watches the ends of allocations: under it every array is one.
#if defined(__clang__)
  static constexpr bool watched = __has_feature(address_sanitizer);
#elif defined(__SANITIZE_ADDRESS__)
  static constexpr bool watched = true;
#else
  static constexpr bool watched = false;
#endif

  /// `bytes` without content, from a cache line on. Throws std::bad_alloc.
  static std::shared_ptr<std::byte> take(std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (!watched && least_shared <= bytes && bytes <= most_shared) return share((bytes + line - 1) / line * line);
#endif
    return allocate(bytes, bytes < page ? line : page);
  }

 private:
  static constexpr std::size_t line = 64;

  struct Stretch {
    std::weak_ptr<std::byte> pages;
    std::size_t used = 0;
  };

  static std::shared_ptr<std::byte> allocate(std::size_t bytes, std::size_t alignment) {
    const std::align_val_t at{alignment};
    void* const p = ::operator new(bytes, at);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= page) madvise(p, bytes / page * page, MADV_HUGEPAGE);  // a wish: where it fails, memory is slower
#endif
    return {static_cast<std::byte*>(p), [at](std::byte* own) { ::operator delete(own, at); }};
  }

#if defined(__linux__) && defined(MADV_HUGEPAGE)
  static std::shared_ptr<std::byte> share(std::size_t bytes) {
    thread_local Stretch last;
    std::shared_ptr<std::byte> pages = last.pages.lock();
    if (!pages || last.used + bytes > stretch) {
      pages = allocate(stretch, page);
      last = {pages, 0};
    }
    std::byte* const p = pages.get() + last.used;
    last.used += bytes;
    return {p, [pages, bytes](std::byte* own) { give_back(own, bytes); }};
  }

  /// The whole small pages of what nobody reads any more.
  static void give_back(std::byte* p, std::size_t bytes) {
    const auto begin = (reinterpret_cast<std::uintptr_t>(p) + small_page - 1) / small_page * small_page;
    const auto end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / small_page * small_page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
#endif
};

}  // namespace tern::detail
