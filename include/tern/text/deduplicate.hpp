#pragma once
/// Takes out of one set of texts what stands in another, so that held-out text is truly unseen.
///
/// Texts are compared by *shingles*: every run of `shingle_words` words (lower case; punctuation and line ends do not
/// count; a Han, kana or Thai character is a word, as are runs of other letters and digits). A text shorter than a
/// shingle is one shingle. Every line that holds a word of a shared shingle is removed, so none is shared afterwards.
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tern/core/matrix.hpp"
#include "tern/text/content_hash.hpp"
#include "tern/text/lines.hpp"

namespace tern {

using Shingles = std::unordered_set<std::uint64_t>;

namespace detail {

/// A word's hash and the line it stands on.
struct PlacedWord {
  std::uint64_t hash;
  std::size_t line;
};

/// Scripts written without spaces between words.
inline bool is_word_alone(UChar32 c) {
  return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

inline std::vector<PlacedWord> placed_words(std::string_view text) {
  std::vector<PlacedWord> words;
  std::uint64_t hash = 0;
  std::size_t line = 0;
  bool inside = false;
  const auto end_word = [&] {
    if (inside) words.push_back({spread_bits(hash), line});
    inside = false;
    hash = 0;
  };
  const auto size = static_cast<std::int64_t>(text.size());
  for (std::int64_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    const bool is_part = c > 0 && (u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0);
    if (!is_part || is_word_alone(c)) end_word();
    if (is_part) hash = hash * 0x100000001b3u + static_cast<std::uint64_t>(u_tolower(c)) + 1;
    inside = is_part;
    if (is_part && is_word_alone(c)) end_word();
    line += c == '\n';
  }
  end_word();
  return words;
}

/// Calls visit(hash, first word, past the last word) for each shingle.
template <class Visit>
void for_each_shingle(const std::vector<PlacedWord>& words, std::size_t length, Visit visit) {
  if (words.empty()) return;
  const std::size_t count = words.size() < length ? 1 : words.size() - length + 1;
  for (std::size_t first = 0; first < count; ++first) {
    const std::size_t last = std::min(words.size(), first + length);
    std::uint64_t hash = 0;
    for (std::size_t i = first; i < last; ++i) hash = spread_bits(hash ^ words[i].hash) + i - first;
    visit(hash, first, last);
  }
}

}  // namespace detail

/// Adds the shingles of `text`.
inline void add_shingles(std::string_view text, Index shingle_words, Shingles& shingles) {
  detail::for_each_shingle(detail::placed_words(text), static_cast<std::size_t>(shingle_words),
                           [&](std::uint64_t hash, std::size_t, std::size_t) { shingles.insert(hash); });
}

/// Removes from `text` every line that shares a shingle with `known`, again until none does (lines that become
/// neighbours make new shingles). Returns how many lines went.
inline Index remove_shared(std::string& text, Index shingle_words, const Shingles& known) {
  for (Index removed = 0;;) {
    const std::vector<detail::PlacedWord> words = detail::placed_words(text);
    const std::vector<std::string_view> all = detail::lines(text);
    std::vector<bool> shared(all.size(), false);
    bool any = false;
    detail::for_each_shingle(words, static_cast<std::size_t>(shingle_words),
                             [&](std::uint64_t hash, std::size_t first, std::size_t last) {
                               if (known.count(hash) == 0) return;
                               any = true;
                               for (std::size_t i = first; i < last; ++i) shared[words[i].line] = true;
                             });
    if (!any) return removed;
    std::string kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!shared[i]) kept.append(all[i]) += '\n';
      removed += shared[i];
    }
    text = std::move(kept);
  }
}

}  // namespace tern
