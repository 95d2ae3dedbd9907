#pragma once
/// The times of chat lines whose dates are written in the phone's own fashion: 12/31/20, 31.12.2020, 2020/12/31,
/// "31 de dez. de 2020", with a clock of twelve hours or of twenty-four.
#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/document.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// The numbers of a line's date, as they stand, and its clock. Which number is the day shows only in all lines
/// together.
struct ChatStamp {
  std::array<int, 3> numbers{};  ///< of a date with a month's name the last is 0
  int month = 0;                 ///< if it has a name
  Time clock = -1;               ///< seconds of the day; -1: not understood
  bool twelve_hours = false;     ///< the clock says which half of the day it is
};

/// Runs of ASCII digits, at most three of at most four digits.
inline std::array<int, 3> three_numbers(std::string_view text) {
  std::array<int, 3> numbers{-1, -1, -1};
  for (int& n : numbers) {
    while (!text.empty() && !is_digit(text.front())) text.remove_prefix(1);
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == 0 || end > 4) break;
    n = static_cast<int>(number(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return numbers;
}

inline ChatStamp read_stamp(std::string_view day, std::string_view clock) {
  ChatStamp stamp;
  stamp.numbers = three_numbers(day);
  if (stamp.numbers[2] < 0) {  // a month's name, then
    std::string_view rest = day;
    while (!rest.empty() && stamp.month == 0) {
      const std::size_t begin = std::min(rest.find_first_not_of(" .,-/0123456789"), rest.size());
      rest.remove_prefix(begin);
      const std::size_t end = std::min(rest.find_first_of(" .,-/0123456789"), rest.size());
      stamp.month = month_named(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    stamp.numbers[2] = 0;
  }
  const std::array<int, 3> time = three_numbers(clock);
  const std::string words = lower(clock);
  const auto says = [&](std::initializer_list<std::string_view> marks) {
    return std::any_of(marks.begin(), marks.end(),
                       [&](std::string_view m) { return words.find(m) != std::string::npos; });
  };
  const bool is_pm = says({"pm", "p.m", "p. m", "下午", "晚上", "오후", "午後", "μ.μ", "م"});
  const bool is_am = !is_pm && says({"am", "a.m", "a. m", "上午", "凌晨", "早上", "오전", "午前", "π.μ", "ص"});
  int hour = time[0];
  if (hour < 0 || hour > 24 || time[1] < 0 || time[1] > 59) return stamp;
  stamp.twelve_hours = is_pm || is_am;
  if (stamp.twelve_hours && hour <= 12) hour = hour % 12 + (is_pm ? 12 : 0);
  stamp.clock = 3600 * hour + 60 * time[1] + std::max(0, time[2]);
  return stamp;
}

enum class DateOrder { day_first, month_first, year_first };

/// The moment that a stamp means; nothing where that is no date.
inline std::optional<Time> time_of(const ChatStamp& stamp, DateOrder order) {
  const auto& n = stamp.numbers;
  if (stamp.clock < 0) return std::nullopt;
  if (n[0] > 999) order = DateOrder::year_first;
  Date date = stamp.month > 0                   ? Date{n[1], stamp.month, n[0]}
              : order == DateOrder::day_first   ? Date{n[2], n[1], n[0]}
              : order == DateOrder::month_first ? Date{n[2], n[0], n[1]}
                                                : Date{n[0], n[1], n[2]};
  if (date.year >= 0 && date.year < 100) date.year += 2000;
  if (date.year > 2400) date.year -= 543;  // years of the Buddha
  return is_date(date) ? std::optional(midnight(date) + stamp.clock) : std::nullopt;
}

/// The order of a chat's dates, found in all of its stamps: the one under which most of them exist and time steps back
/// the least. Where that leaves a choice, days come first, but months before a clock of twelve hours.
class DateOrders {
 public:
  void add(const ChatStamp& stamp) {
    twelve_ = twelve_ || stamp.twelve_hours;
    for (Tried& tried : tried_) {
      const std::optional<Time> time = time_of(stamp, tried.order);
      if (!time || (tried.previous && *time < *tried.previous)) ++tried.wrong;
      if (time) tried.previous = time;
    }
  }

  DateOrder best() const {
    const auto rank = [&](const Tried& tried) {
      const bool is_second = tried.order == (twelve_ ? DateOrder::day_first : DateOrder::month_first);
      return std::pair(tried.wrong, tried.order == DateOrder::year_first ? 2 : is_second ? 1 : 0);
    };
    return std::min_element(tried_.begin(), tried_.end(),
                            [&](const Tried& a, const Tried& b) { return rank(a) < rank(b); })
        ->order;
  }

 private:
  struct Tried {
    DateOrder order;
    std::size_t wrong = 0;
    std::optional<Time> previous = {};
  };
  std::array<Tried, 3> tried_ = {{{DateOrder::day_first}, {DateOrder::month_first}, {DateOrder::year_first}}};
  bool twelve_ = false;
};

}  // namespace tern::detail
