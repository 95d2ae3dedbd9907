#pragma once
/// How findings are put into words.
#include <string>
#include <vector>

#include "tern/experiment/report/text.hpp"
#include "tern/experiment/verdict/finding.hpp"

namespace tern::verdict {

/// A format as it stands within a sentence.
inline std::string spoken(const std::string& format) {
  if (format == "norm") return "norm-only";
  if (format == "lora-r4") return "LoRA-r4";
  if (format == "lora-matched") return "the size-matched LoRA";
  if (format == "full") return "full fine-tuning";
  return format;
}

/// "a", "a and b", "a, b and c".
inline std::string enumerate(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

/// "1 user", "2 users".
inline std::string count(Index n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

/// "all 12 users", "7 of 12 users", "none of 12 users".
inline std::string share(Index some, Index all, const std::string& what) {
  if (some == all) return all == 1 ? "the one " + what : "all " + count(all, what);
  return (some == 0 ? "none" : std::to_string(some)) + " of " + count(all, what);
}

/// A share in percent: 0.031 -> "3.1%".
inline std::string percent(double share) {
  if (!(std::abs(share) < 100)) return "more than 10,000%";
  return report::fixed(100 * share, 1) + "%";
}

/// "3.1% lower than", said of a perplexity with that margin.
inline std::string lower_than(const Margin& m) {
  if (m.interval.point == 0) return "the same as";
  return percent(std::abs(m.interval.point)) + (m.interval.point > 0 ? " lower than" : " higher than");
}

/// "(95% interval 2.0% to 4.2%)"; says so where the interval leaves the sign open.
inline std::string interval(const Margin& m) {
  if (m.chunks < 2) return "(one chunk of text, so no interval)";
  const auto& [point, low, high] = m.interval;
  return "(95% interval of the margin " + percent(low) + " to " + percent(high) +
         (low <= 0 && high >= 0 ? ", which includes no difference)" : ")");
}

/// " 2 runs are missing.", or nothing.
inline std::string note(Index n, const std::string& what, const std::string& one, const std::string& many) {
  return n == 0 ? "" : " " + count(n, what) + (n == 1 ? " " + one : " " + many) + ".";
}

/// The sentence's first letter as a capital.
inline std::string capital(std::string sentence) {
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z')
    sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  return sentence;
}

}  // namespace tern::verdict
