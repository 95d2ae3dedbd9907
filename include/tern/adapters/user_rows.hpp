#pragma once
#include "tern/core/pass.hpp"

namespace tern {

/// The user of a row; user 0 where the pass names none.
inline Index user_of(const Pass& pass, Index row) {
  return pass.user.empty() ? 0 : pass.user[static_cast<std::size_t>(row)];
}

/// Calls f(user, first row, rows) for rows of one user that follow each other.
template <class F>
void each_run_of_a_user(const Pass& pass, Index rows, F&& f) {
  if (pass.user.empty()) return f(Index{0}, Index{0}, rows);
  for (Index first = 0, end; first < rows; first = end) {
    const Index user = user_of(pass, first);
    for (end = first + 1; end < rows && user_of(pass, end) == user;) ++end;
    f(user, first, end - first);
  }
}

}  // namespace tern
