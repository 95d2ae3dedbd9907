#pragma once
/// One piece of work, done once by whichever process comes first.
#include <optional>
#include <string>

#include "tern/experiment/run/work_claim.hpp"
#include "tern/experiment/run/journal.hpp"

namespace tern {

enum class Came { done, earlier, elsewhere, interrupted };

/// Does `work`, which gives an outcome or, interrupted, none, unless the journal has the outcome of `id` or another
/// process is at it (`holder` then says which). Throws IoError, and what `work` throws; the claim is given back.
template <class Work>
Came do_once(const Journal& journal, const WorkClaims& claims, const std::string& id, Work&& work,
             std::string* holder = nullptr) {
  if (journal.done(id)) return Came::earlier;
  const auto claim = claims.take(id, holder);
  if (!claim) return Came::elsewhere;
  if (journal.done(id)) return Came::earlier;  // between the two
  const std::optional<Outcome> outcome = work();
  if (!outcome) return Came::interrupted;
  journal.write(*outcome);
  return Came::done;
}

}  // namespace tern
