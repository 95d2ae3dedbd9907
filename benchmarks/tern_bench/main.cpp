/// tern-bench: any shape, format and instruction set, in turns with what the machine can do at the most.
///   tern-bench list
///   tern-bench run --format ternary2 --shape 4096x4096 --tokens 1,8,128 --threads 1,2 --isa all
///   tern-bench run --format ternary2 --tokens 1 --cold --json
///   tern-bench rows --kernel rms_norm,softmax --width 4096 --tokens 1,128
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <tuple>

#include "kernels/contestants.hpp"
#include "kernels/formats.hpp"
#include "kernels/machine.hpp"
#include "kernels/row_kernels.hpp"
#include "rows.hpp"

namespace {

using namespace tern::benchmark;
using tern::kernels::name;

/// What was asked for has no meaning; what() says what would have.
[[noreturn]] void refuse(const std::string& option, const std::string& expected, const std::string& found) {
  throw CLI::ValidationError(option, "expected " + expected + ", got '" + found + "'");
}

template <class Things>
std::string names(const Things& things) {
  std::string text;
  for (const auto& thing : things) text += (text.empty() ? "" : ", ") + std::string(thing.name);
  return text;
}

/// The one of `things` that is called `wanted`.
template <class Things>
const auto& find(const Things& things, const std::string& option, const std::string& wanted) {
  for (const auto& thing : things)
    if (thing.name == wanted) return thing;
  refuse(option, "one of " + names(things), wanted);
}

const Format& find_format(const std::string& wanted, Direction direction) {
  const Format& format = find(formats, "--format", wanted);
  if (direction == Direction::accumulate && !format.accumulates)
    refuse("--accumulate", "a format whose weights are trained, such as f32", wanted);
  if (direction == Direction::backward_int8 && !format.int8_gradients)
    refuse("--backward-int8", "a format that takes int8 gradients, such as ternary2", wanted);
  return format;
}

Shape parse_shape(const std::string& text) {
  constexpr Index most = Index{1} << 30;  // weights: 4 GB of float
  Index columns = 0, rows = 0;
  int end = 0;
  if (std::sscanf(text.c_str(), "%9tdx%9td%n", &columns, &rows, &end) != 2 ||
      text[static_cast<std::size_t>(end)] != 0 || columns < 1 || rows < 1 ||
      columns > tern::kernels::ternary_max_columns || columns * rows > most)
    refuse("--shape", "columns x rows of the weights, such as 4096x11008, at most 131072 columns and 2^30 weights",
           text);
  return {columns, rows};
}

/// The contestants that `wanted` means: best, all, or one by name. No word at all means the environment's TERN_ISA, or
/// best.
std::vector<Contestant> find_contestants(std::string wanted) {
  std::string option = "--isa";
  if (const char* forced = std::getenv("TERN_ISA"); wanted.empty() && forced != nullptr && *forced != 0)
    wanted = forced, option = "TERN_ISA";
  std::vector<Contestant> found;
  for (const Contestant& c : contestants())
    if (wanted == c.name || (wanted == "all" && c.table.isa != Isa::reference) ||
        ((wanted == "best" || wanted.empty()) && c.name == name(tern::kernels::best_isa())))
      found.push_back(c);
  if (found.empty()) refuse(option, "best, all, or one that runs here: " + names(contestants()), wanted);
  return found;
}

/// Limits are rows of their own, one for each kind, instruction set and number of threads.
class Limits {
 public:
  /// The place of a limit among `rows`, where it is added unless it is there.
  std::size_t place(std::vector<Row>& rows, Limit limit, Isa isa, Index threads) {
    if (limit == Limit::read) isa = Isa::reference;  // every instruction set reads alike
    const auto [at, added] = places_.try_emplace({limit, isa, threads}, rows.size());
    if (added) rows.push_back(limit == Limit::read ? reads(threads) : products(limit, isa, threads));
    return at->second;
  }

 private:
  Row reads(Index threads) {
    return {static_cast<double>(MemoryReader::bytes), [=, this] { memory()(workers(threads)); }};
  }
  static Row products(Limit limit, Isa isa, Index threads) {
    const RegisterProducts all(limit, isa, threads);
    return {all.operations(), [=] { all(workers(threads)); }};
  }
  MemoryReader& memory() {
    if (memory_ == nullptr) memory_ = std::make_unique<MemoryReader>();
    return *memory_;
  }

  std::map<std::tuple<Limit, Isa, Index>, std::size_t> places_;
  std::unique_ptr<MemoryReader> memory_;
};

void list() {
  std::printf("%s; %s\n", compiler().c_str(), processor().c_str());
  std::puts("instruction sets");
  for (const Isa isa : tern::kernels::all_isas) {
    const bool runs = tern::kernels::runnable(isa);
    std::printf(
        "  %-14s %s%s\n", name(isa).data(),
        runs ? isa == tern::kernels::best_isa() ? "runs here, the best" : "runs here" : "does not run here: needs ",
        runs ? "" : tern::kernels::needs(isa).data());
  }
  for (const OwnKernels& own : own_kernels) std::printf("  %-14s on trial, beside the best\n", own.name.data());
  std::puts("formats");
  for (const Format& format : formats) std::printf("  %-14s %s\n", format.name.data(), format.title.data());

  std::puts("kernels over rows");
  for (const RowKernel& kernel : row_kernels) std::printf("  %-22s %s\n", kernel.name.data(), kernel.title.data());

  std::puts("limits, on one thread");
  std::vector<Row> rows;
  Limits limits;
  const std::size_t read = limits.place(rows, Limit::read, Isa::reference, 1);
  std::map<std::pair<Isa, Limit>, std::size_t> products;
  for (const Isa isa : tern::kernels::runnable_isas())
    for (const Limit limit : {Limit::fp32, Limit::int8, Limit::bf16})
      if (isa != Isa::reference && limit_of(limit, isa) == limit)
        products[{isa, limit}] = limits.place(rows, limit, isa, 1);
  measure(rows, 9);
  const auto speed = [&](std::size_t i) { return 1e-9 * rows[i].amount / median(rows[i].seconds); };
  std::printf("  %-14s %8.1f GB/s\n", "memory", speed(read));
  for (const auto& [key, place] : products)
    std::printf("  %-14s %8.1f GOPS of %s\n", name(key.first).data(), speed(place), name(key.second).data());
}

struct Request {
  std::vector<std::string> formats{"ternary2"}, shapes{"4096x4096"}, kernels;
  std::vector<Index> widths{4096}, tokens{1, 8, 128}, threads{1};
  std::string isa;
  bool backward = false, backward_int8 = false, accumulate = false, cold = false, json = false;
  int rounds = 15;
};

void run(const Request& request) {
  struct Line {
    std::string format, isa, shape;
    Index tokens, threads;
    Limit limit;
    double operations, bytes;
    std::size_t place, limit_place;
  };
  std::vector<Row> rows;
  std::vector<Line> lines;
  Limits limits;
  const Direction direction = request.backward        ? Direction::backward
                              : request.backward_int8 ? Direction::backward_int8
                              : request.accumulate    ? Direction::accumulate
                                                      : Direction::forward;
  const auto chosen = find_contestants(request.isa);
  for (const std::string& format_name : request.formats)
    for (const std::string& shape : request.shapes)
      for (const Index tokens : request.tokens) {
        const Format& format = find_format(format_name, direction);
        const std::shared_ptr<Product> product = format.make(parse_shape(shape), tokens, request.cold);
        for (const Contestant& c : chosen)
          for (const Index threads : request.threads) {
            const Limit limit = request.cold ? Limit::read : limit_of(format.limit(direction), c.table.isa);
            const std::size_t limit_place = limits.place(rows, limit, c.table.isa, threads);
            lines.push_back({format_name, std::string(c.name), shape, tokens, threads, limit, product->operations(),
                             product->bytes(), rows.size(), limit_place});
            rows.push_back({request.cold ? product->bytes() : product->operations(),
                            [=] { product->run(direction, c.table.f32, workers(threads)); }});
          }
      }
  measure(rows, request.rounds);

  const char* table = "%-13s %-11s %-14s %-12s %6td %8td %9.1f %9.1f %7.1f  %5.2f %s\n";
  const char* json =
      "  {\"what\": \"%s\", \"format\": \"%s\", \"isa\": \"%s\", \"shape\": \"%s\", \"tokens\": %td, \"threads\": %td, "
      "\"microseconds\": %.3f, \"GOPS\": %.4g, \"GB/s\": %.4g, \"share\": %.4g, \"limit\": \"%s\"}";
  if (!request.json)
    std::puts(
        "what       format      isa            KxM               N  threads        us      GOPS    GB/s  share of");
  for (const Line& line : lines) {
    const double seconds = median(rows[line.place].seconds);
    if (request.json) std::printf(&line == &lines.front() ? "[\n" : ",\n");
    std::printf(request.json ? json : table, name(direction).data(), line.format.c_str(), line.isa.c_str(),
                line.shape.c_str(), line.tokens, line.threads, 1e6 * seconds, 1e-9 * line.operations / seconds,
                1e-9 * line.bytes / seconds, share(rows[line.place], rows[line.limit_place]), name(line.limit).data());
  }
  if (request.json) std::puts("\n]");
}

void run_rows(const Request& request) {
  struct Line {
    std::string_view kernel, isa;
    Index width, rows, threads;
    std::size_t place;
  };
  std::vector<Row> rows;  // a kernel, and what bounds it
  std::vector<Line> lines;
  const auto chosen = find_contestants(request.isa);
  for (const std::string& kernel_name : request.kernels)
    for (const Index width : request.widths)
      for (const Index tokens : request.tokens) {
        const RowKernel& kernel = find(row_kernels, "--kernel", kernel_name);
        if (width % 64 != 0) refuse("--width", "multiples of 64", std::to_string(width));
        const auto numbers = std::make_shared<RowArrays>(tokens, width, kernel.streams);
        for (const Contestant& c : chosen)
          for (const Index threads : request.threads) {
            lines.push_back({kernel.name, c.name, width, tokens, threads, rows.size()});
            rows.push_back({numbers->moved(), [=] { kernel.run(c.table.f32, *numbers, workers(threads)); }});
            rows.push_back({numbers->moved(), [=] { numbers->move(c.table.isa, workers(threads)); }});
          }
      }
  measure(rows, request.rounds);

  const char* table = "%-22s %-14s %7td %6td %8td %9.2f %7.1f  %5.2f\n";
  const char* json =
      "  {\"kernel\": \"%s\", \"isa\": \"%s\", \"width\": %td, \"tokens\": %td, \"threads\": %td, "
      "\"microseconds\": %.3f, \"GB/s\": %.4g, \"share\": %.4g}";
  if (!request.json)
    std::puts("kernel                 isa              width      N  threads        us    GB/s  share of a move");
  for (const Line& line : lines) {
    const Row& row = rows[line.place];
    const double seconds = median(row.seconds);
    if (request.json) std::printf(&line == &lines.front() ? "[\n" : ",\n");
    std::printf(request.json ? json : table, line.kernel.data(), line.isa.data(), line.width, line.rows, line.threads,
                1e6 * seconds, 1e-9 * row.amount / seconds, share(row, rows[line.place + 1]));
  }
  if (request.json) std::puts("\n]");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures tern's kernels beside what the machine can do at the most", "tern-bench");
  app.require_subcommand(1);
  app.add_subcommand("list", "instruction sets, formats and limits")->callback(list);

  Request request;
  CLI::App& products = *app.add_subcommand("run", "products of one or more shapes; lists are separated by commas");
  products.add_option("--format", request.formats, "formats of the weights: " + names(formats))
      ->delimiter(',')
      ->capture_default_str();
  products.add_option("--shape", request.shapes, "columns x rows of the weights")
      ->delimiter(',')
      ->capture_default_str();
  CLI::Option* backward = products.add_flag("--backward", request.backward, "the transposed product, dx += dy * W");
  CLI::Option* backward_int8 = products.add_flag("--backward-int8", request.backward_int8, "the same, dy in int8");
  backward_int8->excludes(backward);
  CLI::Option* accumulate = products.add_flag("--accumulate", request.accumulate, "the gradient of W, dW += dy^T * x");
  accumulate->excludes(backward)->excludes(backward_int8);
  products.add_flag("--cold", request.cold, "weights from memory, not from a cache")->excludes(accumulate);
  products.callback([&] { run(request); });

  CLI::App& others = *app.add_subcommand("rows", "kernels that are no products, beside a move of the same bytes");
  others.add_option("--kernel", request.kernels, "any of " + names(row_kernels))->delimiter(',')->required();
  others.add_option("--width", request.widths, "numbers of a row")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(Index{64}, Index{1} << 20));
  others.callback([&] { run_rows(request); });

  for (CLI::App* command : {&products, &others}) {
    command->add_option("--tokens", request.tokens, "rows of the activations")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(Index{1}, Index{1} << 16));
    command->add_option("--threads", request.threads, "threads")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    command->add_option("--isa", request.isa, "best, all, or a name that list gives; without it TERN_ISA, or best");
    command->add_flag("--json", request.json, "JSON instead of a table");
    command->add_option("--rounds", request.rounds, "turns that each row takes")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000));
  }
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::bad_alloc&) {
    std::cerr << "tern-bench: out of memory\n";
    return 1;
  }
}
