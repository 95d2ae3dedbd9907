#pragma once
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/pass.hpp"

namespace tern {

/// Throws ShapeError "<place>: ..." unless the pass's sequences have `rows` rows in all, none negative, each from a
/// position of 0 or more, and its users, where there are any, are one a row.
inline void expect_rows(std::string_view place, const Pass& pass, Index rows) {
  if (!pass.user.empty() && static_cast<Index>(pass.user.size()) != rows)
    throw ShapeError(std::string(place) + ": expected a user for each of " + std::to_string(rows) + " rows, got " +
                     std::to_string(pass.user.size()));
  if (rows < 0) throw ShapeError(std::string(place) + ": expected 0 rows or more, got " + std::to_string(rows));
  if (pass.sequences.empty()) return;
  constexpr Index most = Index{1} << 40;
  Index left = rows;
  for (std::size_t i = 0; i < pass.sequences.size(); ++i) {
    const Sequence& s = pass.sequences[i];
    if (s.rows < 0 || s.start < 0 || s.start > most)
      throw ShapeError(std::string(place) + ": sequence " + std::to_string(i) +
                       ": expected 0 rows or more from a position in [0, 2^40], got " + std::to_string(s.rows) +
                       " from " + std::to_string(s.start));
    if (s.rows > left)
      throw ShapeError(std::string(place) + ": expected sequences of " + std::to_string(rows) +
                       " rows in all, got more by sequence " + std::to_string(i));
    left -= s.rows;
  }
  if (left != 0)
    throw ShapeError(std::string(place) + ": expected sequences of " + std::to_string(rows) + " rows in all, got " +
                     std::to_string(rows - left));
}

/// Throws ValueError "<place>: ..." unless every user of the pass is in [0, users).
inline void expect_users(std::string_view place, const Pass& pass, Index users) {
  for (const Index u : pass.user)
    if (u < 0 || u >= users)
      throw ValueError(std::string(place) + ": expected a user in [0, " + std::to_string(users) + "), got " +
                       std::to_string(u));
}

}  // namespace tern
