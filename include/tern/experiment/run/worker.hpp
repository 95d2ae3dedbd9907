#pragma once
/// One piece of work, done once by whichever process comes first.
#include <optional>
#include <string>

#include "tern/experiment/run/work_claim.hpp"
#include "tern/experiment/run/journal.hpp"

namespace tern {

/// How do_once() ended: it was done here, or before, or another process is at it, or it was interrupted.
enum class WorkStatus { done, earlier, elsewhere, interrupted };

/// Does `work`, which gives an outcome or, interrupted, none, unless the journal has the outcome of `id` or another
/// process is at it (`holder` then says which). Throws IoError, and what `work` throws; the claim is given back.
template <class Work>
WorkStatus do_once(const Journal& journal, const WorkClaims& claims, const std::string& id, Work&& work,
             std::string* holder = nullptr) {
  if (journal.done(id)) return WorkStatus::earlier;
  const auto claim = claims.take(id, holder);
  if (!claim) return WorkStatus::elsewhere;
  if (journal.done(id)) return WorkStatus::earlier;  // between the two
  const std::optional<Outcome> outcome = work();
  if (!outcome) return WorkStatus::interrupted;
  journal.write(*outcome);
  return WorkStatus::done;
}

}  // namespace tern
