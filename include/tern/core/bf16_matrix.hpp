#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "tern/core/matrix.hpp"

namespace tern {

/// Whether n numbers in bf16 are all +0.
inline bool all_zero(Index n, const std::uint16_t* x) {
  if (n > 0 && x[0] != 0) return false;
  std::uint16_t bits = 0;
  for (Index i = 0; i < n; ++i) bits |= x[i];
  return bits == 0;
}

/// Owns [rows x columns] of bfloat16, as bits (kernels/bf16.hpp), row-major; zeros at first. A large one takes memory
/// only where something else was written, on systems that zero a page when it is (Linux): the gradient and the moments
/// of a table take none for the rows of tokens that never came. Throws std::bad_alloc.
class Bf16Matrix {
 public:
  Bf16Matrix() = default;
  Bf16Matrix(Index rows, Index columns) : rows_(rows), columns_(columns), numbers_(allocate(rows, columns)) {}
  Bf16Matrix(const Bf16Matrix& other) : Bf16Matrix(other.rows_, other.columns_) {
    each_chunk(0, size(), [&](Index begin, Index n) {
      if (!all_zero(n, other.data() + begin)) std::copy_n(other.data() + begin, n, data() + begin);
    });
  }
  Bf16Matrix(Bf16Matrix&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)),
        columns_(std::exchange(other.columns_, 0)),
        numbers_(std::move(other.numbers_)) {}
  Bf16Matrix& operator=(Bf16Matrix other) noexcept {
    std::swap(rows_, other.rows_);
    std::swap(columns_, other.columns_);
    std::swap(numbers_, other.numbers_);
    return *this;
  }

  Index rows() const { return rows_; }
  Index cols() const { return columns_; }
  Index size() const { return rows_ * columns_; }
  std::uint16_t* data() { return numbers_.get(); }
  const std::uint16_t* data() const { return numbers_.get(); }
  std::uint16_t& operator()(Index row, Index column) { return numbers_.get()[row * columns_ + column]; }
  std::uint16_t operator()(Index row, Index column) const { return numbers_.get()[row * columns_ + column]; }

  /// Keeps what it holds where the shape is this one already; else zeros.
  void resize(Index rows, Index columns) {
    if (rows != rows_ || columns != columns_) *this = Bf16Matrix(rows, columns);
  }
  void set_zero() { set_zero(0, size()); }
  /// Numbers [begin, end); what is zero is not written.
  void set_zero(Index begin, Index end) {
    each_chunk(begin, end, [this](Index at, Index n) {
      if (!all_zero(n, data() + at)) std::fill_n(data() + at, n, std::uint16_t{0});
    });
  }

  friend bool operator==(const Bf16Matrix& a, const Bf16Matrix& b) {
    return a.rows_ == b.rows_ && a.columns_ == b.columns_ && std::equal(a.data(), a.data() + a.size(), b.data());
  }

 private:
  struct Free {
    void operator()(std::uint16_t* p) const { std::free(p); }
  };
  static std::uint16_t* allocate(Index rows, Index columns) {
    if (rows == 0 || columns == 0) return nullptr;
    if (columns > PTRDIFF_MAX / 2 / rows) throw std::bad_array_new_length();
    void* const zeros = std::calloc(static_cast<std::size_t>(rows * columns), sizeof(std::uint16_t));
    if (zeros == nullptr) throw std::bad_alloc();
    return static_cast<std::uint16_t*>(zeros);
  }
  template <class F>
  static void each_chunk(Index begin, Index end, F&& f) {
    constexpr Index chunk = 1024;
    for (Index i = begin; i < end; i += chunk) f(i, std::min(chunk, end - i));
  }

  Index rows_ = 0, columns_ = 0;
  std::unique_ptr<std::uint16_t, Free> numbers_;
};

}  // namespace tern
