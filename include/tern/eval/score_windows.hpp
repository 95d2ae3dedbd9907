#pragma once
#include <span>
#include <vector>

#include "tern/core/language_model.hpp"

namespace tern {

/// Runs a model on windows of text; windows share a call up to `rows` rows, each call takes one at least.
///   rows_of(window)                      how many rows it has
///   append(window, inputs, targets)      adds as many ids to both; `ignored` targets are not scored
///   take(window, targets, nll)           its targets and -log p of each, 0 where ignored, in nats
/// `user` is that of every row. The model's cache is the caller's.
template <LanguageModel M, class Window, class RowsOf, class Append, class Take>
void score_windows(const M& model, const Pass& pass, std::span<const Window> windows, Index rows, Index user,
                   typename M::Cache& cache, RowsOf&& rows_of, Append&& append, Take&& take) {
  std::vector<Token> inputs, targets;
  std::vector<Sequence> sequences;
  std::vector<double> nll;
  std::vector<Index> users;
  for (std::size_t next = 0; next < windows.size();) {
    inputs.clear();
    targets.clear();
    sequences.clear();
    const std::size_t first = next;
    do {
      append(windows[next], inputs, targets);
      sequences.push_back({rows_of(windows[next]), 0});
      ++next;
    } while (next < windows.size() && static_cast<Index>(inputs.size()) + rows_of(windows[next]) <= rows);

    nll.assign(inputs.size(), 0.0);
    users.assign(user == 0 ? 0 : inputs.size(), user);
    Pass call = pass;
    call.sequences = sequences;
    call.user = users;
    model.nll(call, inputs, targets, cache, nll);

    std::size_t row = 0;
    for (std::size_t i = first; i < next; ++i) {
      const auto n = static_cast<std::size_t>(rows_of(windows[i]));
      take(windows[i], std::span<const Token>(targets).subspan(row, n), std::span<const double>(nll).subspan(row, n));
      row += n;
    }
  }
}

}  // namespace tern
