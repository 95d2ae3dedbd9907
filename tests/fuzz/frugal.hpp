#pragma once
/// Ends a fuzz target where a reader asks for more memory than its input pays for: 4 * input + 1 MiB at any moment.
#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace tern::fuzz {

namespace detail {

inline std::atomic<std::ptrdiff_t> allowance{PTRDIFF_MAX};
inline std::atomic<std::ptrdiff_t> in_use{0};

inline void on_malloc(const volatile void*, std::size_t size) {
  if ((in_use += static_cast<std::ptrdiff_t>(size)) > allowance) std::abort();
}
inline void on_free(const volatile void* memory) {
  in_use -= static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(memory));
}
inline const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace detail

/// While it lives, what is allocated and not yet freed must stay within the allowance.
class Frugal {
 public:
  explicit Frugal(std::size_t input) {
    detail::in_use = 0;
    detail::allowance = static_cast<std::ptrdiff_t>(4 * input + (std::size_t{1} << 20));
  }
  ~Frugal() { detail::allowance = PTRDIFF_MAX; }
  Frugal(const Frugal&) = delete;
  Frugal& operator=(const Frugal&) = delete;
};

/// Calls f and lets it fail in one way alone.
template <class Error, class F>
void only_throws(F&& f) {
  try {
    f();
  } catch (const Error&) {
  }
}

}  // namespace tern::fuzz
