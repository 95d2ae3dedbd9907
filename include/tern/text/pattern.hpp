#pragma once
/// A compiled PCRE2 pattern over UTF-8, with a limit on the work of one match.
#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"

namespace tern::detail {

/// Const and free to share between threads. Texts must be well-formed UTF-8: check them once, matching does not.
class Pattern {
 public:
  /// One match: byte offsets into the searched text. `group` is empty where the group took no part.
  class Match {
   public:
    std::size_t begin() const { return offsets()[0]; }
    std::size_t end() const { return offsets()[1]; }
    std::string_view group(std::uint32_t i) const {
      const PCRE2_SIZE from = offsets()[2 * i];
      return from == PCRE2_UNSET ? std::string_view{} : text_.substr(from, offsets()[2 * i + 1] - from);
    }
    /// The group of that name, of several the one that took part; empty where there is none.
    std::string_view named(const char* name) const {
      PCRE2_SPTR first = nullptr, last = nullptr;
      const int size = pcre2_substring_nametable_scan(code_, reinterpret_cast<PCRE2_SPTR>(name), &first, &last);
      for (PCRE2_SPTR entry = first; size > 0 && entry <= last; entry += size)
        if (const std::string_view found = group(static_cast<std::uint32_t>(entry[0] << 8 | entry[1])); !found.empty())
          return found;
      return {};
    }

   private:
    friend class Pattern;
    Match(std::string_view text, const pcre2_code* code)
        : text_(text), code_(code), data_(pcre2_match_data_create_from_pattern(code, nullptr)) {}
    const PCRE2_SIZE* offsets() const { return pcre2_get_ovector_pointer(data_.get()); }

    struct Free {
      void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    };
    std::string_view text_;
    const pcre2_code* code_;
    std::unique_ptr<pcre2_match_data, Free> data_;
  };

  /// Compiles `source`, in which white space and # comments mean nothing. `name` stands in messages.
  /// Throws ValueError if it is no pattern.
  explicit Pattern(std::string_view name, std::string_view source, std::uint32_t options = 0) : name_(name) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                              options | PCRE2_UTF | PCRE2_EXTENDED, &error, &offset, nullptr));
    if (!code_) throw ValueError("pattern '" + name_ + "' at " + std::to_string(offset) + ": " + message(error));
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // ten times faster where it can be had, the same where not
    limits_.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(limits_.get(), match_limit);
  }

  /// The first match at or after byte `from`. Throws ValueError when it takes more than the limit of steps.
  std::optional<Match> find(std::string_view text, std::size_t from = 0) const {
    Match match(text, code_.get());
    const auto search = [&](std::uint32_t options) {
      return pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                         options | PCRE2_NO_UTF_CHECK, match.data_.get(), limits_.get());
    };
    int found = search(0);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = search(PCRE2_NO_JIT);  // the interpreter's memory is the heap
    if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (found < 0)
      throw ValueError("pattern '" + name_ + "' searching from byte " + std::to_string(from) + ": " + message(found));
    return match;
  }

  bool matches(std::string_view text) const { return find(text).has_value(); }
  const std::string& name() const { return name_; }

 private:
  static constexpr std::uint32_t match_limit = 1'000'000;

  static std::string message(int error) {
    PCRE2_UCHAR buffer[128];
    pcre2_get_error_message(error, buffer, sizeof buffer);
    return reinterpret_cast<const char*>(buffer);
  }
  struct FreeCode {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  };
  struct FreeLimits {
    void operator()(pcre2_match_context* limits) const { pcre2_match_context_free(limits); }
  };
  std::string name_;
  std::unique_ptr<pcre2_code, FreeCode> code_;
  std::unique_ptr<pcre2_match_context, FreeLimits> limits_;
};

}  // namespace tern::detail
