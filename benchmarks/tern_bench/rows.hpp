#pragma once
/// What tern-bench measures: rows that take their turns in every round.
#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace tern::benchmark {

/// One thing to measure, and how long it took: seconds[i] in round i.
struct Row {
  double amount = 0;  ///< of what its limit counts, operations or bytes, a call
  std::function<void()> call;
  std::vector<double> seconds{};
  int calls = 1;
};

inline double seconds_of(const Row& row) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < row.calls; ++i) row.call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / row.calls;
}

/// Every row once in each round, for about 5 ms: what disturbs a round, disturbs all of them.
inline void measure(std::vector<Row>& rows, int rounds) {
  for (Row& row : rows) {
    seconds_of(row);  // first touches
    row.calls = static_cast<int>(std::clamp(0.005 / seconds_of(row), 1.0, 1e6));
  }
  for (int i = 0; i < rounds; ++i)
    for (Row& row : rows) row.seconds.push_back(seconds_of(row));
}

inline double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// The median over rounds of how fast `row` was, in what its limit was in the same round.
inline double share(const Row& row, const Row& limit) {
  std::vector<double> ratios(row.seconds.size());
  for (std::size_t i = 0; i < ratios.size(); ++i)
    ratios[i] = row.amount / row.seconds[i] / (limit.amount / limit.seconds[i]);
  return median(std::move(ratios));
}

}  // namespace tern::benchmark
