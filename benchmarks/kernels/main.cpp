// tern-benchmark-kernels: products with weights of every format, beside the machine's limits in the same run.
// Names read what/format/isa/KxM/N/threads; scripts/bench.sh compares them. K is columns, M rows of the weights, N
// tokens.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>

#include "limits.hpp"
#include "tern/kernels/kernels.hpp"

namespace {

using namespace tern::kernels;
using benchmark::State;
using tern::Parallel, tern::ThreadPool;
using tern::benchmark::Limit;

constexpr std::size_t cold_bytes = std::size_t{300} << 20;  // more than any cache: weights rotate through it

Parallel workers(Index threads) {
  static ThreadPool pool(2);
  return threads > 1 ? pool.parallel() : Parallel{};
}

template <class T>
std::vector<T> random_numbers(Index n, double range) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<double> uniform(-range, range);
  std::vector<T> numbers(static_cast<std::size_t>(n));
  for (T& x : numbers) x = static_cast<T>(uniform(random));
  return numbers;
}

void count(State& state, double operations, double bytes) {
  using benchmark::Counter;
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["GOPS"] = Counter(1e-9 * operations * rounds, Counter::kIsRate);
  if (bytes > 0) state.counters["GB/s"] = Counter(1e-9 * bytes * rounds, Counter::kIsRate);
}

struct Shape {
  Index columns, rows;
};
constexpr Shape shapes[] = {{2048, 8192}, {8192, 2048}, {1536, 8960}, {576, 1536}, {2560, 6912}, {4096, 4096}};

/// Ternary weights: forward with the quantisation of their activations, backward.
template <TernaryFormat format>
struct Ternary {
  Ternary(Shape s, Index tokens, bool cold)
      : shape(s),
        n(tokens),
        bytes(static_cast<std::size_t>(ternary_packed_bytes(s.rows, s.columns, format))),
        copies(cold ? cold_bytes / bytes + 1 : 1),
        codes(copies * bytes, 0x24),
        x(random_numbers<float>(n * s.columns, 1)),
        y(random_numbers<float>(n * s.rows, 1)),
        q(static_cast<std::size_t>(n * s.columns)),
        scales(static_cast<std::size_t>(n)) {}

  TernaryView view() {
    next = (next + 1) % copies;
    return {codes.data() + next * bytes, &weight_scale, shape.rows, shape.columns, TernaryScale::tensor, format};
  }
  void forward(const Operations<float>& ops, const Parallel& parallel) {
    const TernaryView w = view();
    const Index k = shape.columns;
    parallel.ranges(n, 1, [&](Index begin, Index end) {
      ops.quantize_int8(end - begin, k, x.data() + begin * k, k, q.data() + begin * k, k, scales.data() + begin);
    });
    parallel.ranges(shape.rows, 16, [&](Index begin, Index end) {
      ops.ternary_matmul(w, begin, end, n, q.data(), k, scales.data(), y.data(), shape.rows);
    });
  }
  void backward(const Operations<float>& ops, const Parallel& parallel) {
    const TernaryView w = view();
    parallel.ranges(shape.columns, 16, [&](Index begin, Index end) {
      ops.ternary_matmul_transposed(w, begin, end, n, y.data(), shape.rows, x.data(), shape.columns);
    });
  }

  Shape shape;
  Index n;
  std::size_t bytes, copies, next = 0;
  std::vector<std::uint8_t> codes;
  std::vector<float> x, y;
  std::vector<std::int8_t> q;
  std::vector<float> scales;
  float weight_scale = 0.01f;
};

/// Dense weights, T float or Bf16; float also in mixed precision.
template <class T, bool mixed = false>
struct Plain {
  Plain(Shape s, Index tokens, bool)
      : shape(s),
        n(tokens),
        bytes(sizeof(T) * static_cast<std::size_t>(s.rows * s.columns)),
        w(static_cast<std::size_t>(s.rows * s.columns)),
        x(random_numbers<float>(n * s.columns, 1)),
        y(random_numbers<float>(n * s.rows, 1)) {}

  static void multiply(const Operations<float>& ops, Index m, Index columns, Index k, Strided<const float> a,
                       Strided<const T> b, float* c, Index c_row, bool accumulate) {
    if constexpr (sizeof(T) == 2)
      ops.matmul_bf16(m, columns, k, a, b, c, c_row, accumulate);
    else
      (mixed ? ops.matmul_mixed : ops.matmul)(m, columns, k, a, b, c, c_row, accumulate);
  }
  void forward(const Operations<float>& ops, const Parallel& parallel) {
    const Index k = shape.columns, m = shape.rows;
    parallel.ranges(m, 32, [&](Index begin, Index end) {
      multiply(ops, n, end - begin, k, {x.data(), k, 1}, {w.data() + begin * k, 1, k}, y.data() + begin, m, false);
    });
  }
  void backward(const Operations<float>& ops, const Parallel& parallel) {
    const Index k = shape.columns, m = shape.rows;
    parallel.ranges(k, 32, [&](Index begin, Index end) {
      multiply(ops, n, end - begin, m, {y.data(), m, 1}, {w.data() + begin, k, 1}, x.data() + begin, k, true);
    });
  }

  Shape shape;
  Index n;
  std::size_t bytes;
  std::vector<T> w;
  std::vector<float> x, y;
};

template <class Format, bool backward>
void product(State& state, Shape shape, Index tokens, Index threads, Isa isa, bool cold) {
  Format format(shape, tokens, cold);
  const auto& ops = table(isa).f32;
  const Parallel parallel = workers(threads);
  for (auto _ : state) {
    if constexpr (backward)
      format.backward(ops, parallel);
    else
      format.forward(ops, parallel);
  }
  count(state, 2.0 * static_cast<double>(shape.rows * shape.columns * tokens), static_cast<double>(format.bytes));
}

template <class Format>
void add(const std::string& format, Isa isa, bool few) {
  for (const Shape& s : shapes)
    for (const Index tokens : {1, 2, 4, 8, 16, 32, 128, 512})
      for (const Index threads : {1, 2}) {
        if (few && (tokens != 128 || threads != 2)) continue;
        const std::string where = "/" + format + "/" + std::string(name(isa)) + "/" + std::to_string(s.columns) + "x" +
                                  std::to_string(s.rows) + "/" + std::to_string(tokens) + "/" + std::to_string(threads);
        const auto report = [](auto* b) { b->UseRealTime()->Unit(benchmark::kMicrosecond); };
        report(benchmark::RegisterBenchmark(("forward" + where).c_str(), product<Format, false>, s, tokens, threads,
                                            isa, false));
        if (tokens >= 32)
          report(benchmark::RegisterBenchmark(("backward" + where).c_str(), product<Format, true>, s, tokens, threads,
                                              isa, false));
        if (tokens == 1)
          report(benchmark::RegisterBenchmark(("cold" + where).c_str(), product<Format, false>, s, tokens, threads, isa,
                                              true));
      }
}

#if TERN_X86
void limit(State& state, Limit what, Index threads) {
  constexpr std::ptrdiff_t rounds = 20'000;
  const Parallel parallel = workers(threads);
  for (auto _ : state)
    parallel.each(threads, [&](Index) { tern::benchmark::detail::multiply_registers(what, rounds); });
  count(state, tern::benchmark::operations(what, rounds) * static_cast<double>(threads), 0);
}

void read_memory(State& state, Index threads) {
  static const std::vector<std::uint8_t> memory(2 * cold_bytes, 1);
  constexpr std::size_t piece = std::size_t{16} << 20;
  std::size_t at = 0;
  const Parallel parallel = workers(threads);
  for (auto _ : state) {
    parallel.each(threads, [&](Index i) {
      benchmark::DoNotOptimize(
          tern::benchmark::detail::read_stream(memory.data() + static_cast<std::size_t>(i) * cold_bytes + at, piece));
    });
    at = (at + piece) % (cold_bytes - piece);
  }
  count(state, 0, static_cast<double>(piece) * static_cast<double>(threads));
}
#endif

}  // namespace

int main(int argc, char** argv) {
#if TERN_X86
  for (const Index threads : {1, 2}) {
    const std::string end = "/" + std::to_string(threads);
    if (runnable(Isa::avx512_bf16))
      for (const Limit what : {Limit::fp32, Limit::int8, Limit::bf16})
        benchmark::RegisterBenchmark(("limit/" + std::string(tern::benchmark::name(what)) + end).c_str(), limit, what,
                                     threads)
            ->UseRealTime();
    if (runnable(Isa::avx512))
      benchmark::RegisterBenchmark(("limit/read" + end).c_str(), read_memory, threads)->UseRealTime();
  }
#endif
  for (const Isa isa : runnable_isas()) {
    if (isa == Isa::reference) continue;
    const bool few = isa != best_isa();
    add<Ternary<TernaryFormat::two_bits>>("ternary2", isa, few);
    add<Ternary<TernaryFormat::five_a_byte>>("ternary1_6", isa, few);
    add<Plain<float>>("f32", isa, few);
    add<Plain<float, true>>("mixed", isa, few);
    add<Plain<Bf16>>("bf16", isa, few);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
