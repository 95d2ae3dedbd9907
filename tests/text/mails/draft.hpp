#pragma once
/// A labelled mail in the making: what is put down goes into its bytes, and word by word into its labels.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/mails/language.hpp"

namespace tern::test::mails {

enum class Whose { own, other, either };  ///< either: a signature, which may be kept or left out

struct Word {
  std::string text;
  Whose whose;
};

/// Runs of letters and digits; each Han, kana or Hangul character is a word.
inline std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view piece = text.substr(i, size);
    i += size;
    std::uint32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
    for (std::size_t k = 1; k < piece.size(); ++k) code = code << 6 | (static_cast<unsigned char>(piece[k]) & 0x3Fu);
    const bool is_letter = code < 0x80 ? (code | 32) - 'a' < 26u || code - '0' < 10u
                                       : code >= 0xC0 && !(code >= 0x2000 && code < 0x2070) &&
                                             !(code >= 0x3000 && code < 0x3040) && code < 0xFE00;
    if (!is_letter) {
      finish();
    } else if (code >= 0x2E80) {
      finish();
      words.emplace_back(piece);
    } else {
      word += piece;
    }
  }
  finish();
  return words;
}

/// `text` with {n} and {m} filled in by the other's name and address.
inline std::string filled(std::string text, const Language& l) {
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"{n}", l.other}, {"{m}", "other@example.org"}})
    for (std::size_t at; (at = text.find(key)) != std::string::npos;) text.replace(at, key.size(), value);
  return text;
}

class Draft {
 public:
  Draft(const Language& of, bool is_html) : language(of), is_html_(is_html) {}

  /// Markup, empty lines and marks: no words.
  Draft& raw(std::string_view marks) {
    for (const char c : marks) put(c);
    return *this;
  }
  Draft& own(std::string_view said) { return words(said, Whose::own); }
  Draft& other(std::string_view said) { return words(said, Whose::other); }
  Draft& either(std::string_view said) { return words(said, Whose::either); }

  /// All that the owner says: greeting, paragraphs, farewell.
  Draft& own_text() { return paragraphs(language.own, Whose::own); }
  Draft& other_text() { return paragraphs(language.others, Whose::other); }

  /// From here on each new line begins with `prefix`; the first at once.
  Draft& quote(std::string prefix) {
    prefix_ = std::move(prefix);
    at_line_start_ = true;
    return *this;
  }
  Draft& unquote() { return quote(""); }

  /// Plain text is broken at `columns` characters, where spaces are.
  Draft& wrap(std::size_t columns) {
    columns_ = columns;
    return *this;
  }
  /// How paragraphs are marked up: "<p>", "</p>", and what parts them.
  Draft& paragraph(std::string open, std::string close, std::string gap = "") {
    open_ = std::move(open), close_ = std::move(close), gap_ = std::move(gap);
    return *this;
  }

  const Language& language;
  std::string text;
  std::vector<Word> labels;
  std::string flags;  ///< further parameters of the content type
  std::string to;     ///< to whom the mail is; the other where it is empty

  bool is_html() const { return is_html_; }

 private:
  void put(char c) {
    if (at_line_start_) text += prefix_;
    at_line_start_ = c == '\n';
    text += c;
  }

  Draft& paragraphs(const std::vector<std::string>& all, Whose whose) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0) raw(is_html_ ? gap_ : "\n\n");
      raw(open_);
      words(all[i], whose);
      raw(close_);
    }
    if (!is_html_) raw("\n");
    return *this;
  }

  Draft& words(std::string_view said, Whose whose) {
    const std::string whole = filled(std::string(said), language);
    for (const std::string& word : split_words(whole)) labels.push_back({word, whose});
    std::size_t column = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const char c = whole[i];
      if (is_html_) {
        raw(c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '\n' ? "<br>" : whole.substr(i, 1));
        continue;
      }
      const std::size_t next = std::min(whole.find_first_of(" \n", i + 1), whole.size()) - i;
      column = c == '\n' ? 0 : column + ((c & 0xC0) != 0x80);
      if (c == ' ' && columns_ > 0 && column + next > columns_) {
        column = 0;
        raw(flags.empty() ? "\n" : " \n");
      } else {
        put(c);
      }
    }
    return *this;
  }

  bool is_html_, at_line_start_ = true;
  std::string prefix_, open_, close_, gap_;
  std::size_t columns_ = 0;
};

/// A mail of the set.
struct LabelledMail {
  std::string language, program, form, bytes;
  std::vector<Word> words;
};

/// What a program writes in one of its forms.
struct Form {
  const char* program;
  const char* name;
  bool is_html;
  void (*write)(Draft&);
};

inline LabelledMail written(const Language& language, const Form& form) {
  Draft draft(language, form.is_html);
  form.write(draft);
  return {language.name, form.program, form.name,
          "From: " + language.self + " <self@example.org>\nTo: " +
              (draft.to.empty() ? language.other + " <other@example.org>" : draft.to) + "\nSubject: Re: " + language.subject +
              "\nDate: Tue, 3 May 2022 12:30:00 +0200\nMIME-Version: 1.0\nContent-Type: text/" +
              (form.is_html ? "html" : "plain") + "; charset=utf-8" + draft.flags +
              "\nContent-Transfer-Encoding: 8bit\n\n" + draft.text,
          draft.labels};
}

/// What came out of a mail, against its labels.
struct Tally {
  std::size_t own = 0, others = 0, lost = 0, kept = 0;
  Tally& operator+=(const Tally& more) {
    own += more.own, others += more.others, lost += more.lost, kept += more.kept;
    return *this;
  }
  double lost_share() const { return own == 0 ? 0 : 100.0 * static_cast<double>(lost) / static_cast<double>(own); }
  double kept_share() const {
    return others == 0 ? 0 : 100.0 * static_cast<double>(kept) / static_cast<double>(others);
  }
};

/// Aligns what was read with the mail's words: the longest common subsequence, own words first where several are as
/// long. A word that was read and matches none counts as another's.
inline Tally tally(const std::vector<Word>& labels, const std::vector<std::string>& read) {
  const std::size_t n = labels.size(), m = read.size();
  std::vector<std::vector<std::uint32_t>> best(n + 1, std::vector<std::uint32_t>(m + 1, 0));
  const auto gain = [&](std::size_t i) { return 65536u + (labels[i].whose == Whose::own ? 1u : 0u); };
  for (std::size_t i = n; i-- > 0;)
    for (std::size_t j = m; j-- > 0;) {
      best[i][j] = std::max(best[i + 1][j], best[i][j + 1]);
      if (labels[i].text == read[j]) best[i][j] = std::max(best[i][j], best[i + 1][j + 1] + gain(i));
    }
  Tally result;
  std::size_t own_kept = 0, matched = 0;
  for (std::size_t i = 0, j = 0; i < n && j < m;) {
    if (labels[i].text == read[j] && best[i][j] == best[i + 1][j + 1] + gain(i)) {
      ++matched;
      own_kept += labels[i].whose == Whose::own;
      result.kept += labels[i].whose == Whose::other;
      ++i, ++j;
    } else if (best[i][j] == best[i + 1][j]) {
      ++i;
    } else {
      ++j;
    }
  }
  for (const Word& word : labels) {
    result.own += word.whose == Whose::own;
    result.others += word.whose == Whose::other;
  }
  result.lost = result.own - own_kept;
  result.kept += m - matched;
  return result;
}

}  // namespace tern::test::mails
