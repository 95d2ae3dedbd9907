#pragma once
#include <algorithm>

#include "tern/core/matrix.hpp"
#include "tern/core/pass.hpp"

namespace tern {

namespace detail {

/// Calls f(begin, rows) for parts of m's rows, as many at a time as repay another thread.
template <class M, class F>
void each_rows(const Pass& pass, const M& m, F&& f) {
  constexpr Index least_numbers = 16384;
  const Index columns = std::max<Index>(m.cols(), 1);
  pass.parallel.ranges(m.rows(), (least_numbers + columns - 1) / columns,
                       [&](Index begin, Index end) { f(begin, end - begin); });
}

}  // namespace detail

/// Gives d the shape of m and fills it with zeros.
template <class M, std::floating_point S>
void zeros_like(const Pass& pass, const M& m, Matrix<S>& d) {
  reshape(d, m.rows(), m.cols());
  detail::each_rows(pass, d, [&](Index begin, Index rows) { d.middleRows(begin, rows).setZero(); });
}

/// to = from.
template <std::floating_point S>
void copy_rows(const Pass& pass, In<S> from, Matrix<S>& to) {
  reshape(to, from.rows(), from.cols());
  detail::each_rows(pass, to, [&](Index begin, Index rows) { to.middleRows(begin, rows) = from.middleRows(begin, rows); });
}

/// to += from, of one shape.
template <std::floating_point S>
void add_rows(const Pass& pass, In<S> from, Out<S> to) {
  detail::each_rows(pass, to, [&](Index begin, Index rows) { to.middleRows(begin, rows) += from.middleRows(begin, rows); });
}

}  // namespace tern
