#include "tern/core/parallel.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <set>

using namespace tern;

namespace {

/// The pieces that ranges() cuts, in order.
std::vector<std::pair<Index, Index>> pieces(const Parallel& parallel, Index count, Index grain, Index wide = 0) {
  std::mutex mutex;
  std::vector<std::pair<Index, Index>> found;
  parallel.ranges(count, grain, wide, [&](Index begin, Index end) {
    const std::lock_guard lock(mutex);
    found.emplace_back(begin, end);
  });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("parallel: each calls every index once, at any number of threads") {
  for (const Index threads : {1, 2, 5, 16}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const Index tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(tasks));
      pool.parallel().each(tasks, [&](Index i) { calls[static_cast<std::size_t>(i)].fetch_add(1); });
      Index wrong = 0;
      for (const auto& n : calls) wrong += n != 1;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("parallel: ranges cover the whole without overlap, cut at multiples of the grain") {
  ThreadPool pool(3);
  for (const Parallel& parallel : {Parallel{}, pool.parallel()})
    for (const Index count : {0, 1, 15, 16, 17, 100, 4096})
      for (const Index grain : {1, 16, 64}) {
        CAPTURE(count);
        CAPTURE(grain);
        Index next = 0;
        for (const auto& [begin, end] : pieces(parallel, count, grain)) {
          CHECK(begin == next);
          CHECK(begin % grain == 0);
          CHECK(begin < end);
          next = end;
        }
        CHECK(next == count);
      }
}

TEST_CASE("parallel: the default is serial and in order, on the caller's thread") {
  std::vector<Index> order;
  Parallel{}.each(5, [&](Index i) { order.push_back(i); });
  CHECK(order == std::vector<Index>{0, 1, 2, 3, 4});
  CHECK(pieces(Parallel{}, 100, 16).size() == 1);
}

TEST_CASE("parallel: ranges are not shorter than they should be wide, while each worker has one") {
  ThreadPool pool(2);
  const auto count = [&](Index n, Index wide) { return pieces(pool.parallel(), n, 32, wide).size(); };
  CHECK(count(4096, 0) == 8);
  CHECK(count(4096, 512) == 8);
  CHECK(count(2048, 512) == 4);
  CHECK(count(576, 512) == 2);
  CHECK(count(33, 512) == 2);
  CHECK(count(32, 512) == 1);
}

TEST_CASE("parallel: a pool lends its workers to many calls, one after another") {
  ThreadPool pool(4);
  std::atomic<Index> sum{0};
  for (int round = 0; round < 2000; ++round) pool.parallel().each(5, [&](Index i) { sum.fetch_add(i); });
  CHECK(sum == 2000 * 10);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the workers fall asleep
  pool.parallel().each(5, [&](Index i) { sum.fetch_add(i); });
  CHECK(sum == 2001 * 10);
}

TEST_CASE("parallel: a lender's own run is what is called") {
  struct Lender {
    Index calls = 0;
    static void run(void* self, Index tasks, Parallel::Body body, void* argument) {
      static_cast<Lender*>(self)->calls += 1;
      for (Index i = tasks; i-- > 0;) body(argument, i);
    }
  } lender;
  const Parallel parallel{Lender::run, &lender, 2};
  std::vector<Index> order;
  parallel.each(3, [&](Index i) { order.push_back(i); });
  CHECK(lender.calls == 1);
  CHECK(order == std::vector<Index>{2, 1, 0});
}
