#pragma once
/// Dates and times as files write them. What is no date is none: no guess, no error.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/document.hpp"
#include "tern/text/ingest/json.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

struct Date {
  int year = 0, month = 0, day = 0;
};

inline bool is_date(const Date& d) {
  if (d.year < 1970 || d.year > 2100 || d.month < 1 || d.month > 12 || d.day < 1) return false;
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
  return d.day <= days[static_cast<std::size_t>(d.month - 1)] + (d.month == 2 && is_leap);
}

/// Midnight of a date that exists. Days are counted in years that begin with March (Howard Hinnant's days_from_civil).
inline Time midnight(const Date& date) {
  const Time year = date.year - (date.month <= 2);
  const Time day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  return 86'400 * (365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719'468);
}

/// A number of up to 18 digits; -1 where `digits` is none.
inline Time number(std::string_view digits) {
  Time value = -1;
  if (digits.empty() || digits.size() > 18 || !is_digit(digits.front())) return -1;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return end == digits.data() + digits.size() ? value : -1;
}

/// Of "2020-12-31T21:41:05+01:00" and its shorter forms down to the day.
inline std::optional<Time> iso_time(std::string_view text) {
  static const Pattern pattern("ISO time", R"re(
    ^ \s* (\d{4}) - (\d\d) - (\d\d) (?: [T ] (\d\d) : (\d\d) (?: : (\d\d) (?: [.,] \d+ )? )?
    (?: Z | ([+-]) (\d\d) :? (\d\d) )? )? \s* $ )re");
  if (text.size() > 64 || find_ill_formed(text) != std::string_view::npos) return std::nullopt;
  const auto match = pattern.find(text);
  if (!match) return std::nullopt;
  const auto part = [&](std::uint32_t group) { return std::max<Time>(0, number(match->group(group))); };
  const Date date{static_cast<int>(part(1)), static_cast<int>(part(2)), static_cast<int>(part(3))};
  if (!is_date(date) || part(4) > 23 || part(5) > 59 || part(6) > 60) return std::nullopt;
  const Time zone = (match->group(7) == "-" ? -1 : 1) * (3600 * part(8) + 60 * part(9));
  return midnight(date) + 3600 * part(4) + 60 * part(5) + part(6) - zone;
}

/// The month that a word of an English, German, Spanish, French, Italian, Portuguese or Dutch date names; 0: none.
inline int month_named(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, int>, 32> names = {
      {{"jan", 1}, {"ene", 1}, {"gen", 1}, {"feb", 2},  {"fev", 2},  {"fév", 2},  {"mar", 3},  {"mär", 3},
       {"maa", 3}, {"mrt", 3}, {"apr", 4}, {"avr", 4},  {"abr", 4},  {"may", 5},  {"mai", 5},  {"mei", 5},
       {"mag", 5}, {"jun", 6}, {"jui", 6}, {"giu", 6},  {"jul", 7},  {"lug", 7},  {"aug", 8},  {"ago", 8},
       {"aoû", 8}, {"sep", 9}, {"set", 9}, {"oct", 10}, {"okt", 10}, {"ott", 10}, {"out", 10}, {"nov", 11}}};
  const std::string plain = lower(word);
  if (plain.starts_with("juil")) return 7;
  if (plain.starts_with("dec") || plain.starts_with("dez") || plain.starts_with("déc") || plain.starts_with("dic"))
    return 12;
  for (const auto& [name, month] : names)
    if (plain.starts_with(name)) return month;
  return 0;
}

/// The day that a file's name begins with: daily notes ("2024-05-07.md", "20240507 Market.md", "2024_05_07.org") and
/// months ("2024-05.md", whose name must say no more).
inline std::optional<Time> time_of_name(std::string_view path) {
  static const Pattern day("daily note", R"re(^ (\d{4}) ([-_.]?) (\d\d) \2 (\d\d) (?!\d) )re");
  static const Pattern month("monthly note", R"re(^ (\d{4}) [-_.] (\d\d) (?: \.[^.]* )? $)re");
  const std::string_view file = path.substr(path.rfind('/') + 1);
  if (find_ill_formed(file) != std::string_view::npos) return std::nullopt;
  Date date;
  if (const auto found = day.find(file))
    date = {static_cast<int>(number(found->group(1))), static_cast<int>(number(found->group(3))),
            static_cast<int>(number(found->group(4)))};
  else if (const auto whole = month.find(file))
    date = {static_cast<int>(number(whole->group(1))), static_cast<int>(number(whole->group(2))), 1};
  return is_date(date) ? std::optional(midnight(date)) : std::nullopt;
}

/// The time of a record: of the first of its fields with a usual name that holds an ISO time, or seconds.
inline std::optional<Time> time_of_record(const Json& record) {
  for (const char* field : {"time", "date", "datetime", "timestamp", "created_at", "created"}) {
    const auto found = record.find(field);
    if (found == record.end()) continue;
    if (found->is_string())
      if (const auto time = iso_time(found->get_ref<const std::string&>())) return time;
    if (found->is_number_integer())
      if (const auto seconds = found->get<Time>(); seconds > 0 && seconds < 4'102'444'800) return seconds;
  }
  return std::nullopt;
}

}  // namespace tern::detail
