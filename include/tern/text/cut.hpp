#pragma once
/// Where a text may be cut without hurting it.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/matrix.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// The end of the paragraph nearest to byte `target`, within a hundredth of the text on either side; else the nearest
/// end of a line, else of a word, else of a character.
inline std::size_t cut_near(std::string_view text, std::size_t target) {
  target = std::min(target, text.size());
  const std::size_t window = text.size() / 100 + 64;
  const std::size_t low = target > window ? target - window : 0, high = std::min(text.size(), target + window);
  std::size_t best = 0;
  int best_rank = 0;  // 3 paragraph, 2 line, 1 word
  const auto distance = [&](std::size_t at) { return at > target ? at - target : target - at; };
  for (std::size_t at = std::max<std::size_t>(low, 1); at < high; ++at) {  // a cut lies before byte `at`
    const char before = text[at - 1];
    const bool blank_line = before == '\n' && at >= 2 && text[at - 2] == '\n';
    const int rank = blank_line ? 3 : before == '\n' ? 2 : before == ' ' ? 1 : 0;
    if (rank > best_rank || (rank > 0 && rank == best_rank && distance(at) < distance(best))) {
      best = at;
      best_rank = rank;
    }
  }
  if (best_rank > 0) return best;
  while (target < text.size() && (static_cast<unsigned char>(text[target]) & 0xC0) == 0x80) ++target;
  return target;
}

/// The first word of a line; what its block is named by.
inline std::string_view first_word(std::string_view line) {
  line = trim(line);
  return line.substr(0, line.find(' '));
}

/// Whether the lines stand in alphabetical order, of whatever alphabet and collation: of at least 64 neighbours that
/// begin with letters, 19 of 20 do not step back in their first character, and no character begins half of the lines.
/// Lines of prose and code step back two times in five.
inline bool is_sorted_by_line(std::string_view text) {
  Index pairs = 0, steps_back = 0;
  std::string previous;
  std::map<std::string, Index> initials;
  for (std::string_view line : lines(text)) {
    line = trim(line);
    const bool is_word = !line.empty() && (is_letter(line.front()) || static_cast<unsigned char>(line.front()) >= 0x80);
    if (!is_word) continue;
    std::string initial = lower(line.substr(0, utf8_step(line).length));
    if (!previous.empty()) {
      ++pairs;
      ++initials[initial];
      steps_back += initial < previous;
    }
    previous = std::move(initial);
  }
  if (pairs < 64 || 20 * steps_back > pairs) return false;
  return std::none_of(initials.begin(), initials.end(), [&](const auto& entry) { return 2 * entry.second > pairs; });
}

}  // namespace tern::detail
