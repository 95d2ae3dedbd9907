#pragma once
/// Whom a mail is to: their names stand in what introduces their words, in any language.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/normalize.hpp"

namespace tern::detail {

class Correspondents {
 public:
  void add(const ChatMessage& person) {
    if (!person.sender_id.empty()) addresses_.push_back(folded(person.sender_id));
    std::vector<std::string> words = name_words(person.sender);
    std::erase_if(words, [](const std::string& word) { return word.size() < 3; });  // initials
    if (!words.empty() && person.sender != person.sender_id) names_.push_back(std::move(words));
  }

  /// Whether `text` holds the address of one of them, or all words of a name, in any order and with any ending.
  bool are_named_in(std::string_view text) const {
    if (addresses_.empty() && names_.empty()) return false;
    const std::string plain = folded(text);
    const auto is_in = [&](const std::string& word) { return plain.find(word) != std::string::npos; };
    return std::any_of(addresses_.begin(), addresses_.end(), is_in) ||
           std::any_of(names_.begin(), names_.end(),
                       [&](const auto& words) { return std::all_of(words.begin(), words.end(), is_in); });
  }

 private:
  std::vector<std::string> addresses_;
  std::vector<std::vector<std::string>> names_;
};

}  // namespace tern::detail
