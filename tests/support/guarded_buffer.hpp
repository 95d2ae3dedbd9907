#pragma once
/// Memory whose end is a wall: reading or writing one element beyond it is a fault, not luck.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <utility>

namespace tern::test {

/// `n` elements, zero, that end where a page without any access begins. Their start is aligned for T alone.
template <class T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::ptrdiff_t n) : size_(n) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T), room = (bytes + page - 1) / page * page;
    mapped_ = room + page;
    base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    char* wall = static_cast<char*>(base_) + room;
    if (mprotect(wall, page, PROT_NONE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(wall - bytes);
  }
  ~GuardedBuffer() {
    if (base_ != nullptr) munmap(base_, mapped_);
  }
  GuardedBuffer(GuardedBuffer&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), mapped_(other.mapped_), data_(other.data_), size_(other.size_) {}
  GuardedBuffer& operator=(GuardedBuffer&&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::ptrdiff_t size() const { return size_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](std::ptrdiff_t i) { return data_[i]; }
  const T& operator[](std::ptrdiff_t i) const { return data_[i]; }

 private:
  void* base_ = nullptr;
  std::size_t mapped_ = 0;
  T* data_ = nullptr;
  std::ptrdiff_t size_ = 0;
};

}  // namespace tern::test
