#pragma once
/// Finds added tokens, literal strings such as <|im_start|>, in text.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/token.hpp"

namespace tern::detail {

/// A set of literal strings; the leftmost match wins, at one place the longest.
class AddedTokenMatcher {
 public:
  struct Entry {
    std::string text;
    Token id;
    bool special;
  };

  AddedTokenMatcher() = default;
  explicit AddedTokenMatcher(const std::vector<Entry>& entries) {
    for (const Entry& entry : entries)
      if (!entry.text.empty()) by_first_byte_[static_cast<unsigned char>(entry.text.front())].push_back(entry);
    for (std::vector<Entry>& group : by_first_byte_)
      std::stable_sort(group.begin(), group.end(),
                       [](const Entry& a, const Entry& b) { return a.text.size() > b.text.size(); });
    any_ = !entries.empty();
  }

  /// Calls gap(std::string_view) and found(Token) in the order of `text`; special entries count only if `specials`.
  template <class Gap, class Found>
  void split(std::string_view text, bool specials, Gap&& gap, Found&& found) const {
    std::size_t begin = 0;
    for (std::size_t i = 0; any_ && i < text.size();) {
      const Entry* const entry = longest_at(text.substr(i), specials);
      if (!entry) {
        ++i;
        continue;
      }
      if (begin < i) gap(text.substr(begin, i - begin));
      found(entry->id);
      begin = i += entry->text.size();
    }
    if (begin < text.size()) gap(text.substr(begin));
  }

 private:
  const Entry* longest_at(std::string_view text, bool specials) const {
    for (const Entry& entry : by_first_byte_[static_cast<unsigned char>(text.front())])
      if ((specials || !entry.special) && text.substr(0, entry.text.size()) == entry.text) return &entry;
    return nullptr;
  }

  std::array<std::vector<Entry>, 256> by_first_byte_;  // each longest first
  bool any_ = false;
};

}  // namespace tern::detail
