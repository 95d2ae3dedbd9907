#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "tern/core/pass.hpp"
#include "tern/core/token.hpp"
#include "tern/layers/attached.hpp"

namespace tern {

/// Rows that meet the vocabulary at once, at the most: their logits never fill more than 40 MB in float, however many
/// tokens there are. Fewer would read, and decode, the head's weights more often.
inline constexpr Index most_head_rows = 512, most_logits = Index{10} << 20;

/// Of `rows`, as many as meet the vocabulary at once: parts of one size.
constexpr Index head_rows(Index rows, Index vocabulary) {
  const Index most = std::clamp<Index>(most_logits / vocabulary, 1, most_head_rows);
  const Index parts = (rows + most - 1) / most;
  return parts > 0 ? (rows + parts - 1) / parts : most;
}

/// The rows at the head, some at a time, in and out, and their gradients.
template <std::floating_point S, class T>
struct HeadCache {
  Matrix<S> in, din, logits;     // [rows x hidden], [rows x hidden], [rows x vocabulary]
  std::vector<Index> scored;     // rows with a target
  std::vector<Index> users;      // of the rows of a part
  typename T::Cache table;
  std::size_t bytes() const { return detail::bytes_of(in, din, logits, scored, users, table); }
};

/// Copies some rows of `hidden` to the first of c.in, which has room for them; returns their pass.
template <std::floating_point S, class T>
Pass gather_rows(const Pass& pass, const Matrix<S>& hidden, std::span<const Index> rows, HeadCache<S, T>& c) {
  Pass part = pass;
  part.sequences = {};
  if (!pass.user.empty()) {
    c.users.clear();
    for (const Index t : rows) c.users.push_back(pass.user[static_cast<std::size_t>(t)]);
    part.user = c.users;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) c.in.row(static_cast<Index>(i)) = hidden.row(rows[i]);
  return part;
}

/// Gathers the scored rows of `hidden`, some at a time, into c.in and calls f(their pass, their numbers); c.din and
/// c.logits have room for as many.
template <std::floating_point S, class Cache, class F>
void each_scored(const Pass& pass, const Matrix<S>& hidden, std::span<const Token> targets, Index vocabulary, Cache& c,
                 F&& f) {
  c.scored.clear();
  for (std::size_t t = 0; t < targets.size(); ++t)
    if (targets[t] != ignored) c.scored.push_back(static_cast<Index>(t));
  const Index at_once = head_rows(static_cast<Index>(c.scored.size()), vocabulary);
  const auto scored = std::span<const Index>(c.scored);
  for (std::size_t begin = 0; begin < scored.size(); begin += static_cast<std::size_t>(at_once)) {
    const auto rows = scored.subspan(begin, std::min(static_cast<std::size_t>(at_once), scored.size() - begin));
    reshape(c.in, at_once, hidden.cols());
    reshape(c.din, at_once, hidden.cols());
    reshape(c.logits, at_once, vocabulary);
    f(gather_rows(pass, hidden, rows, c), rows);
  }
}

}  // namespace tern
