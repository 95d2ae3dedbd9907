#include <pthread.h>
#include <sys/mman.h>

#include <vector>

#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

#if !defined(__has_feature)
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr std::size_t widened = 8;  // by walls between variables
#else
constexpr std::size_t widened = 1;
#endif

/// Runs f on a thread that has stack_bytes, and what a thread needs for itself. Below them lies memory that stops it.
template <class F>
void on_a_small_stack(F&& f) {
  constexpr std::size_t own = 64 << 10, size = widened * stack_bytes + own, wall = 16 << 20;
  void* const memory = mmap(nullptr, wall + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  char* const stack = static_cast<char*>(memory) + wall;
  REQUIRE(mprotect(stack, size, PROT_READ | PROT_WRITE) == 0);
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstack(&attributes, stack, size) == 0);
  pthread_t thread;
  const auto run = [](void* what) -> void* {
    (*static_cast<F*>(what))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &f) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  munmap(memory, wall + size);
}

}  // namespace

TEST_CASE("stack_bytes: every product runs on a stack of so many") {
  const Index rows = 80, columns = 272, tokens = 150, groups = activation_groups(columns);
  const auto x = random_buffer<float>(tokens * columns, 1), y = random_buffer<float>(tokens * rows, 2);
  const std::vector<std::int8_t> q(static_cast<std::size_t>(tokens * columns), 100);
  const auto scale = random_buffer<float>(tokens * groups, 4);
  std::vector<std::uint8_t> ternary(static_cast<std::size_t>(ternary_packed_bytes(rows, columns)), 0x55),
      fives(static_cast<std::size_t>(ternary_packed_bytes(rows, columns, TernaryFormat::five_a_byte)), 121),
      eights(static_cast<std::size_t>(grouped_bytes<Q8>(rows, columns)));  // enough for fewer bits
  std::vector<Bf16> halves(static_cast<std::size_t>(bf16_packed_size(rows, columns)));
  const float one = 1;
  std::vector<float> to(static_cast<std::size_t>(tokens * columns));
  on_every_isa<float>([&](const Operations<float>& ops) {
    on_a_small_stack([&] {
      for (const auto product : {ops.matmul, ops.matmul_mixed}) {
        product(tokens, rows, columns, {x.data(), columns, 1}, {x.data(), 1, columns}, to.data(), rows, false);
        product(rows, columns, tokens, {y.data(), 1, rows}, {x.data(), columns, 1}, to.data(), columns, true);
      }
      for (const TernaryView& w :
           {TernaryView{ternary.data(), &one, rows, columns, TernaryScale::tensor},
            TernaryView{fives.data(), &one, rows, columns, TernaryScale::tensor, TernaryFormat::five_a_byte}}) {
        ops.ternary_matmul(w, 0, rows, tokens, q.data(), columns, scale.data(), to.data(), rows);
        ops.ternary_matmul_float(w, 0, rows, tokens, x.data(), columns, to.data(), rows);
        ops.ternary_matmul_transposed(w, 0, columns, tokens, y.data(), rows, to.data(), columns);
        ops.ternary_matmul_transposed_int8(w, 0, columns, tokens, q.data(), rows, scale.data(), to.data(), columns);
      }
      GroupedFormats::each([&]<class F>() {
        const GroupedView<F> w{eights.data(), rows, columns};
        const auto& products = ops.grouped<F>();
        products.matmul(w, 0, rows, tokens, q.data(), columns, scale.data(), groups, to.data(), rows);
        products.matmul_float(w, 0, rows, tokens, x.data(), columns, to.data(), rows);
        products.matmul_transposed(w, 0, columns, tokens, y.data(), rows, to.data(), columns);
        products.matmul_transposed_int8(w, x.data(), 0, columns, tokens, q.data(), columns, scale.data(), groups,
                                        to.data(), columns);
      });
      const Bf16View bf16{halves.data(), rows, columns};
      ops.bf16.matmul(bf16, 0, rows, tokens, x.data(), columns, to.data(), rows);
      ops.bf16.matmul_transposed(bf16, 0, columns, tokens, y.data(), rows, to.data(), columns);
    });
  });
}
