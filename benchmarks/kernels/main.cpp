// tern-benchmark-kernels: products with weights of every format, beside the machine's limits in the same run.
// Names read what/format/isa/KxM/N/threads and limit/what/isa/threads; scripts/bench.sh compares them. K is columns, M
// rows of the weights, N tokens. A row's label is its limit.
#include <benchmark/benchmark.h>

#include <string>

#include "kernels/contestants.hpp"
#include "kernels/formats.hpp"

namespace {

using namespace tern::benchmark;
using benchmark::State;
using tern::kernels::name;

constexpr Shape shapes[] = {{2048, 8192}, {8192, 2048}, {1536, 8960}, {576, 1536}, {2560, 6912}, {4096, 4096}};

enum class What { forward, backward, cold };

constexpr const char* name(What what) {
  return what == What::forward ? "forward" : what == What::backward ? "backward" : "cold";
}

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

void add_product(What what, const Format& format, const Contestant& contestant, Shape shape, Index tokens,
                 Index threads) {
  const std::string row = std::string(name(what)) + "/" + std::string(format.name) + "/" +
                          std::string(contestant.name) + "/" + std::to_string(shape.columns) + "x" +
                          std::to_string(shape.rows) + "/" + std::to_string(tokens) + "/" + std::to_string(threads);
  add(row, [=, &contestant](State& state) {
    const auto product = format.make(shape, tokens, what == What::cold);
    const Operations& ops = contestant.table.f32;
    const tern::Parallel parallel = workers(threads);
    for (auto _ : state) what == What::backward ? product->backward(ops, parallel) : product->forward(ops, parallel);
    count(state, product->operations(), product->bytes());
    state.SetLabel(std::string(name(what == What::cold       ? Limit::read
                                    : what == What::backward ? limit_of(format.backward, contestant.table.isa)
                                                             : limit_of(format.forward, contestant.table.isa))));
  });
}

void add_products(const Format& format, const Contestant& contestant) {
  for (const Shape& shape : shapes)
    for (const Index tokens : {1, 2, 4, 8, 16, 32, 128, 512})
      for (const Index threads : {1, 2}) {
        const bool few = contestant.own || contestant.table.isa != tern::kernels::best_isa();
        if (few && (tokens != 128 || threads != 2)) continue;
        add_product(What::forward, format, contestant, shape, tokens, threads);
        if (tokens >= 32) add_product(What::backward, format, contestant, shape, tokens, threads);
        if (tokens == 1) add_product(What::cold, format, contestant, shape, tokens, threads);
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
  for (const Contestant& contestant : contestants())
    if (contestant.table.isa != Isa::reference)
      for (const Format& format : formats) add_products(format, contestant);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
