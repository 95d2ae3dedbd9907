#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <string>

namespace tern {

/// What a run says while it works. Each may be empty.
struct ShootoutHooks {
  /// Before each piece of work, and after the last: how many are done of how many are known, the seconds left, what is
  /// next. `of` is 0 while calibration and pilots run: nobody knows yet how much there is.
  std::function<void(std::size_t done, std::size_t of, double seconds_left, const std::string& next)> progress{};
  std::function<void(const std::string&)> note{};  ///< what a person should know, a sentence
  const std::atomic<bool>* interrupted = nullptr;  ///< asked before every step; what is not finished is left out

  bool stopped() const { return interrupted != nullptr && interrupted->load(); }
};

}  // namespace tern
