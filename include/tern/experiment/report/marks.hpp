#pragma once
/// The answers as signs: each has a shape and a colour of its own, all as strong as each other, none of them praise or
/// blame.
#include <string>
#include <string_view>

#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/escape.hpp"

namespace tern::report {

/// Path data around 0, 0, within 6 pixels. Triangles up and down, an equals sign, an open lozenge, a dot, a cross.
constexpr std::string_view mark(Answer answer) {
  constexpr std::string_view shapes[] = {
      "M-5.5 4.5L0 -5.5L5.5 4.5Z",           "M-5.5 -4.5L0 5.5L5.5 -4.5Z",
      "M-5 -4H5V-1H-5ZM-5 1H5V4H-5Z",        "M0 -6L6 0L0 6L-6 0ZM0 -2.6L-2.6 0L0 2.6L2.6 0Z",
      "M-4 0A4 4 0 0 0 4 0A4 4 0 0 0 -4 0Z", "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z"};
  return shapes[static_cast<std::size_t>(answer)];
}

/// The answer's word beside its sign, in a field of its colour.
inline std::string badge(Answer answer) {
  return "<span class=\"badge " + std::string(name(answer)) +
         "\"><svg width=\"12\" height=\"12\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\"><path d=\"" +
         std::string(mark(answer)) + "\"/></svg>" + std::string(name(answer)) + "</span>";
}

}  // namespace tern::report
