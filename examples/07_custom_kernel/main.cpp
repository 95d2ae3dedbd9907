// A kernel of your own among tern's.
// You learn how to put it into a copy of a table, and how to see that it is right before you see how fast it is:
// docs/adding_a_kernel.md tells the rest.
// Prints whether it agrees with the reference, bit for bit, then one product made with it.
#include <cstdio>

#include "plain_ternary.hpp"
#include "support/ternary_check.hpp"

int main() {
  namespace kernels = tern::kernels;
  kernels::Table mine = kernels::native::best_table();
  mine.f32.ternary_matmul = example::ternary_matmul;

  const std::string wrong = tern::test::ternary_disagreement(mine.f32);
  std::printf("%s\n", wrong.empty() ? "agrees with the reference" : wrong.c_str());

  const std::int8_t weights[] = {1, 0, -1,   //
                                 1, 1, 1};   // [2 x 3]
  const float x[] = {0.5f, 1.0f, -0.25f};    // [1 x 3]
  std::uint8_t codes[kernels::ternary_packed_bytes(2, 3)];
  kernels::pack_ternary(2, 3, weights, codes);
  const float weight_scale = 2;
  std::int8_t q[3];
  float scale, y[2];
  mine.f32.quantize_int8(1, 3, x, 3, q, 3, &scale);
  mine.f32.ternary_matmul({codes, &weight_scale, 2, 3, kernels::TernaryScale::tensor}, 0, 2, 1, q, 3, &scale, y, 2);
  std::printf("%.2f %.2f\n", static_cast<double>(y[0]), static_cast<double>(y[1]));
  return wrong.empty() ? 0 : 1;
}
