// One kernel, nothing else: raw pointers, one header, no library.
// You learn how to ask for the fastest kernels of this machine and to multiply two matrices with them.
// Prints the product of [2 x 3] and [3 x 4], then whether every instruction set that runs here agrees.
#include <cstdio>

#include "tern/kernels/native.hpp"

int main() {
  namespace kernels = tern::kernels;
  const float a[] = {1, 2, 3,   //
                     4, 5, 6};  // [2 x 3]
  const float b[] = {1, 0, 0, 1,
                     0, 1, 0, 1,
                     0, 0, 1, 1};  // [3 x 4]
  float c[2 * 4];

  // The one kernel of all that the compiler will see. best_table() has the others too.
  constexpr auto which = &kernels::Operations<float>::matmul;
  const auto matmul = kernels::native::best_kernel<which>();

  // {pointer, distance between rows, distance between columns}; the last argument: add to c, or overwrite it.
  matmul(2, 4, 3, {a, 3, 1}, {b, 4, 1}, c, 4, false);
  for (int i = 0; i < 2; ++i) std::printf("%g %g %g %g\n", c[4 * i], c[4 * i + 1], c[4 * i + 2], c[4 * i + 3]);

  bool agree = true;
  for (const kernels::Isa isa : kernels::runnable_isas()) {
    if (isa == kernels::Isa::portable) continue;  // made with xsimd: see tern/kernels/kernels.hpp
    float again[2 * 4];
    kernels::native::kernel<which>(isa)(2, 4, 3, {a, 3, 1}, {b, 4, 1}, again, 4, false);
    for (int i = 0; i < 8; ++i) agree = agree && again[i] == c[i];
  }
  std::printf("%s\n", agree ? "every instruction set agrees" : "they differ");
  return agree ? 0 : 1;
}
