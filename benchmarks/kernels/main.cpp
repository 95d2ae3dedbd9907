// tern-benchmark-kernels: every kernel beside the machine's limits in the same run.
// Names read what/format/isa/KxM/N/threads for products with weights, rows/kernel/isa/width/N/threads and the same with
// /move for the others and for what bounds them, and limit/what/isa/threads; scripts/bench.sh compares them. K is
// columns, M rows of the weights, N tokens. A row's label is its limit.
#include <benchmark/benchmark.h>

#include <string>

#include "kernels/contestants.hpp"
#include "kernels/formats.hpp"
#include "kernels/machine.hpp"
#include "kernels/row_kernels.hpp"

namespace {

using namespace tern::benchmark;
using benchmark::State;
using tern::kernels::name;

constexpr Shape shapes[] = {{2048, 8192}, {8192, 2048}, {1536, 8960}, {576, 1536}, {2560, 6912}, {4096, 4096}};

void count(State& state, double operations, double bytes) {
  using benchmark::Counter;
  const auto rounds = static_cast<double>(state.iterations());
  if (operations > 0) state.counters["GOPS"] = Counter(1e-9 * operations * rounds, Counter::kIsRate);
  if (bytes > 0) state.counters["GB/s"] = Counter(1e-9 * bytes * rounds, Counter::kIsRate);
}

template <class Run>
benchmark::internal::Benchmark* add(const std::string& row, Run run) {
  return benchmark::RegisterBenchmark(row.c_str(), run)->UseRealTime()->Unit(benchmark::kMicrosecond);
}

std::string row_name(std::string_view what, std::string_view kernel, const Contestant& contestant,
                     const std::string& size, Index rows, Index threads) {
  return std::string(what) + "/" + std::string(kernel) + "/" + std::string(contestant.name) + "/" + size + "/" +
         std::to_string(rows) + "/" + std::to_string(threads);
}

/// cold: weights come from memory; of forward products.
void add_product(Direction direction, bool cold, const Format& format, const Contestant& contestant, Shape shape,
                 Index tokens, Index threads) {
  const std::string size = std::to_string(shape.columns) + "x" + std::to_string(shape.rows);
  add(row_name(cold ? "cold" : name(direction), format.name, contestant, size, tokens, threads),
      [=, &contestant](State& state) {
        const auto product = format.make(shape, tokens, cold);
        const tern::Parallel parallel = workers(threads);
        for (auto _ : state) product->run(direction, contestant.table.f32, parallel);
        count(state, product->operations(), product->bytes());
        const Limit limit = cold ? Limit::read : limit_of(format.limit(direction), contestant.table.isa);
        state.SetLabel(std::string(name(limit)));
      });
}

/// All but the best instruction set are measured at one size of batch and on two threads alone.
bool in_short(const Contestant& contestant) {
  return contestant.own || contestant.table.isa != tern::kernels::best_isa();
}

void add_products(const Format& format, const Contestant& contestant) {
  for (const Shape& shape : shapes)
    for (const Index tokens : {1, 2, 4, 8, 16, 32, 128, 512})
      for (const Index threads : {1, 2}) {
        if (in_short(contestant) && (tokens != 128 || threads != 2)) continue;
        const auto add_one = [&](Direction direction, bool cold) {
          add_product(direction, cold, format, contestant, shape, tokens, threads);
        };
        add_one(Direction::forward, false);
        for (const Direction back : {Direction::backward, Direction::backward_int8, Direction::accumulate})
          if (tokens >= 32 && format.has(back)) add_one(back, false);
        if (tokens == 1) add_one(Direction::forward, true);
      }
}

/// One row on several threads is still one thread's work.
void add_row_kernel(const RowKernel& kernel, const Contestant& contestant) {
  for (const Index width : kernel.widths)
    for (const Index rows : kernel.rows)
      for (const Index threads : {1, 2}) {
        if (rows < threads || (in_short(contestant) && (rows != kernel.rows.back() || threads != 2))) continue;
        const std::string row = row_name("rows", kernel.name, contestant, std::to_string(width), rows, threads);
        const auto add_one = [&](const std::string& row_or_limit, auto call) {
          add(row_or_limit, [=](State& state) {
            RowArrays numbers(rows, width, kernel.streams);
            const tern::Parallel parallel = workers(threads);
            for (auto _ : state) call(numbers, parallel);
            count(state, 0, numbers.moved());
            state.SetLabel("move");
          });
        };
        add_one(row, [&kernel, &contestant](RowArrays& numbers, const tern::Parallel& parallel) {
          kernel.run(contestant.table.f32, numbers, parallel);
        });
        add_one(row + "/move", [isa = contestant.table.isa](RowArrays& numbers, const tern::Parallel& parallel) {
          numbers.move(isa, parallel);
        });
      }
}

/// More repetitions than products have: every share stands on a limit, and disturbed ones must be few among its own.
constexpr int limit_repetitions = 25;

void add_limits(Index threads) {
  const std::string end = "/" + std::to_string(threads);
  add("limit/read/any" + end, [=](State& state) {
    static MemoryReader read;
    const tern::Parallel parallel = workers(threads);
    for (auto _ : state) read(parallel);
    count(state, 0, static_cast<double>(MemoryReader::bytes));
  })->Repetitions(limit_repetitions);
  for (const Isa isa : tern::kernels::runnable_isas()) {
    if (isa == Isa::reference) continue;
    for (const Limit limit : {Limit::fp32, Limit::int8, Limit::bf16}) {
      if (limit_of(limit, isa) != limit) continue;
      add("limit/" + std::string(name(limit)) + "/" + std::string(name(isa)) + end, [=](State& state) {
        const RegisterProducts products(limit, isa, threads);
        const tern::Parallel parallel = workers(threads);
        for (auto _ : state) products(parallel);
        count(state, products.operations(), 0);
      })->Repetitions(limit_repetitions);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const Index threads : {1, 2}) add_limits(threads);
  for (const Contestant& contestant : contestants()) {
    if (contestant.table.isa == Isa::reference) continue;
    for (const Format& format : formats) add_products(format, contestant);
    for (const RowKernel& kernel : row_kernels) add_row_kernel(kernel, contestant);
  }
  benchmark::AddCustomContext("compiler", compiler());
  benchmark::AddCustomContext("processor", processor());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
