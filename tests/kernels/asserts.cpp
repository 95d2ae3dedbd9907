/// What debug builds assert of raw kernels' arguments: each misuse in a child process, which has to end by SIGABRT, and the
/// right call beside it, which must not. Compiled without NDEBUG, whatever the build.
#undef NDEBUG
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <vector>

#include "tern/kernels/native.hpp"

namespace {

using namespace tern::kernels;

int failures = 0;

/// How a child that calls f ends: the signal, 0 without one.
int signal_of(const std::function<void()>& f) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(2);
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void expect(const char* what, Isa isa, bool refused, const std::function<void()>& f) {
  const int got = signal_of(f);
  if (got == (refused ? SIGABRT : 0)) return;
  std::printf("%s on %s: expected %s, got signal %d\n", what, name(isa).data(), refused ? "an assertion" : "none", got);
  ++failures;
}

void check(Isa isa) {
  const Operations<float>& k = native::table(isa).f32;
  constexpr Index rows = 48, columns = 256, tokens = 4, room = 1024;
  std::vector<std::int8_t> q(static_cast<std::size_t>(room * tokens), 1);
  std::vector<float> x(room * tokens, 1), y(room * tokens, 0), scale(64, 1);
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(room * room), 0x55);
  std::vector<Bf16> numbers(static_cast<std::size_t>(room * room));

  const TernaryView ternary{codes.data(), scale.data(), rows, columns, TernaryScale::tensor};
  const auto ternary_case = [&](const char* what, bool refused, Index begin, Index end, Index q_row, Index y_row) {
    expect(what, isa, refused, [&] {
      k.ternary_matmul(ternary, begin, end, tokens, q.data(), q_row, scale.data(), y.data(), y_row);
    });
  };
  ternary_case("ternary_matmul", false, 16, rows, columns, rows);
  ternary_case("ternary_matmul, rows past the end", true, 0, rows + 16, columns, rows + 16);
  ternary_case("ternary_matmul, an odd begin", true, 8, rows, columns, rows);
  ternary_case("ternary_matmul, an end before the begin", true, 32, 16, columns, rows);
  ternary_case("ternary_matmul, a negative begin", true, -16, rows, columns, 2 * rows);
  ternary_case("ternary_matmul, a narrow q", true, 0, rows, columns - 1, rows);
  ternary_case("ternary_matmul, a narrow y", true, 0, rows, columns, rows - 1);

  const auto back = [&](const char* what, bool refused, Index begin, Index end, Index dy_row, Index dx_row) {
    expect(what, isa, refused, [&] {
      k.ternary_matmul_transposed(ternary, begin, end, tokens, x.data(), dy_row, y.data(), dx_row);
    });
    expect(what, isa, refused, [&] {
      k.ternary_matmul_transposed_int8(ternary, begin, end, tokens, q.data(), dy_row, scale.data(), y.data(), dx_row);
    });
  };
  back("ternary backward", false, 64, columns, rows, columns);
  back("ternary backward, columns past the end", true, 0, columns + 16, rows, columns + 16);
  back("ternary backward, an odd begin", true, 8, columns, rows, columns);
  back("ternary backward, a narrow dy", true, 0, columns, rows - 1, columns);
  back("ternary backward, a narrow dx", true, 0, columns, rows, columns - 1);

  const Bf16View bf16{numbers.data(), rows, columns};
  const auto bf16_case = [&](const char* what, bool refused, Index begin, Index end, Index x_row, Index y_row) {
    expect(what, isa, refused, [&] { k.bf16.matmul(bf16, begin, end, tokens, x.data(), x_row, y.data(), y_row); });
  };
  bf16_case("bf16 matmul", false, 32, rows, columns, rows);
  bf16_case("bf16 matmul, rows past the end", true, 0, rows + 32, columns, room);
  bf16_case("bf16 matmul, an odd begin", true, 16, rows, columns, rows);
  bf16_case("bf16 matmul, a narrow x", true, 0, rows, columns - 1, rows);

  const GroupedView<Q4> q4{codes.data(), rows, columns};
  const auto q4_case = [&](const char* what, bool refused, Index begin, Index end, Index scale_row) {
    expect(what, isa, refused, [&] {
      k.grouped<Q4>().matmul(q4, begin, end, tokens, q.data(), columns, scale.data(), scale_row, y.data(), rows);
    });
  };
  q4_case("q4 matmul", false, 16, rows, activation_groups(columns));
  q4_case("q4 matmul, rows past the end", true, 0, rows + 16, activation_groups(columns));
  q4_case("q4 matmul, scales of quantize_int8, one a token", true, 0, rows, 1);

  const auto q4_back = [&](const char* what, bool refused, Index begin, Index end, Index q_row, Index dx_row,
                           Index scale_row = 1) {
    expect(what, isa, refused, [&] {
      k.grouped<Q4>().matmul_transposed_int8(q4, scale.data(), begin, end, tokens, q.data(), q_row, scale.data(),
                                             scale_row, y.data(), dx_row);
    });
  };
  q4_back("q4 int8 backward", false, 32, columns, rows, columns);
  q4_back("q4 int8 backward, columns past the end", true, 0, columns + 32, rows, columns + 32);
  q4_back("q4 int8 backward, an odd begin", true, 16, columns, rows, columns);
  q4_back("q4 int8 backward, a narrow q", true, 0, columns, rows - 1, columns);
  q4_back("q4 int8 backward, a narrow dx", true, 0, columns, rows, columns - 1);
  q4_back("q4 int8 backward, one scale for all tokens", true, 0, columns, rows, columns, 0);

  expect("quantize_int8, a narrow q", isa, true, [&] {
    k.quantize_int8(tokens, columns, x.data(), columns, q.data(), columns - 1, scale.data());
  });
}

}  // namespace

int main() {
  int checked = 0;
  for (const Isa isa : all_isas)
    if (runnable(isa) && isa != Isa::reference && isa != Isa::portable) check(isa), ++checked;  // the reference is plain loops
  std::printf("asserts hold on %d instruction sets, %d failures\n", checked, failures);
  return checked == 0 || failures > 0 ? 1 : 0;
}
