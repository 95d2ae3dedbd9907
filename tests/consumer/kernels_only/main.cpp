#include <tern/kernels/kernels.hpp>

#if __has_include(<Eigen/Core>)
#error "Eigen is in reach: this program would not show that the kernels do without it"
#endif

int main() {
  float scores[] = {1.0f, 1.0f};
  tern::kernels::best_table().f32.softmax(2, 1.0f, scores);
  return scores[0] == 0.5f ? 0 : 1;
}
