#pragma once
/// Borrowed workers. tern starts no thread of its own: whoever owns threads lends them through `Parallel`,
/// and `ThreadPool` is a ready one for those who own none.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "tern/core/matrix.hpp"

namespace tern {

/// A way to run independent tasks; the default runs them one after another on the calling thread.
/// Work is always split over independent outputs, so any number of workers gives the same bits.
struct Parallel {
  using Body = void (*)(void* argument, Index task);

  /// Calls body(argument, i) once for every i in [0, tasks), on any threads, and returns when all are done.
  void (*run)(void* context, Index tasks, Body body, void* argument) = nullptr;
  void* context = nullptr;  ///< the lender's, passed back to run
  Index workers = 1;        ///< how many tasks can run at once: a hint for how finely to cut

  /// Calls f(i) for every i in [0, tasks). f must not throw.
  template <class F>
  void each(Index tasks, F&& f) const {
    if (run == nullptr || tasks <= 1) {
      for (Index i = 0; i < tasks; ++i) f(i);
      return;
    }
    using Callable = std::remove_reference_t<F>;
    run(
        context, tasks, [](void* argument, Index i) { (*static_cast<Callable*>(argument))(i); },
        const_cast<void*>(static_cast<const void*>(std::addressof(f))));
  }

  /// Calls f(begin, end) for pieces of [0, count), each a multiple of `grain` long except the last: four a worker,
  /// which evens out what others take of the processors.
  template <class F>
  void ranges(Index count, Index grain, F&& f) const {
    ranges(count, grain, 0, f);
  }
  /// The same, with fewer pieces, but one a worker, where they would be shorter than `wide`.
  template <class F>
  void ranges(Index count, Index grain, Index wide, F&& f) const {
    if (count <= 0) return;
    const Index grains = (count + grain - 1) / grain;
    const Index turns = wide > 0 ? std::clamp<Index>(count / (workers * wide), 1, 4) : 4;
    const Index pieces = run == nullptr ? 1 : std::min<Index>(grains, workers * turns);
    each(pieces, [&](Index i) {
      const Index begin = grains * i / pieces * grain;
      const Index end = std::min(count, grains * (i + 1) / pieces * grain);
      if (begin < end) f(begin, end);
    });
  }
};

/// `threads` - 1 workers plus the caller. Not copyable; must outlive every Parallel it lends. One caller at a time.
///
/// Between calls a worker spins for half a millisecond before it sleeps, since the calls of a training step follow one
/// another within microseconds, and waking a sleeper costs more than most of them. A caller never waits for a worker
/// that has not begun: on a busy machine it does the work alone.
class ThreadPool {
 public:
  explicit ThreadPool(Index threads = static_cast<Index>(std::thread::hardware_concurrency())) {
    for (Index i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }
  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      round_.fetch_add(1);
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  Index threads() const { return static_cast<Index>(workers_.size()) + 1; }

  Parallel parallel() {
    if (workers_.empty()) return {};
    return {[](void* self, Index tasks, Parallel::Body body, void* argument) {
              static_cast<ThreadPool*>(self)->run(tasks, body, argument);
            },
            this, threads()};
  }

 private:
  struct Job {
    Parallel::Body body = nullptr;
    void* argument = nullptr;
    Index tasks = 0;
  };

  void run(Index tasks, Parallel::Body body, void* argument) {
    const Job job{body, argument, tasks};
    {
      const std::lock_guard lock(mutex_);
      job_ = job;
      next_.store(0, std::memory_order_relaxed);
      open_ = true;
      round_.fetch_add(1);
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    drain(job);
    {
      const std::lock_guard lock(mutex_);
      open_ = false;  // who has not begun need not
    }
    if (spin([this] { return active_.load() == 0; })) return;
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return active_.load() == 0; });
  }

  void drain(const Job& job) {
    for (Index i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < job.tasks;) job.body(job.argument, i);
  }

  void work() {
    std::size_t seen = 0;
    for (;;) {
      const bool awake = spin([&] { return round_.load() != seen; });
      std::unique_lock lock(mutex_);
      if (!awake) {
        sleeping_.fetch_add(1);
        wake_.wait(lock, [&] { return round_.load() != seen; });
        sleeping_.fetch_sub(1);
      }
      seen = round_.load();
      if (stopping_) return;
      if (!open_) continue;
      active_.fetch_add(1);
      const Job job = job_;
      lock.unlock();
      drain(job);
      lock.lock();
      if (active_.fetch_sub(1) == 1) done_.notify_one();
    }
  }

  /// Waits for `ready` for half a millisecond; whether it came true.
  template <class Ready>
  static bool spin(Ready&& ready) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::microseconds(500);
    do {
      for (int i = 0; i < 64; ++i) {
        if (ready()) return true;
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
      }
    } while (std::chrono::steady_clock::now() < limit);
    return false;
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<std::size_t> round_{0};
  std::atomic<Index> next_{0}, active_{0}, sleeping_{0};
  Job job_;
  bool open_ = false, stopping_ = false;
};

}  // namespace tern
