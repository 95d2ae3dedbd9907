#pragma once
#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/quote.hpp"

namespace tern {

/// What an adapter is trained on.
struct Data {
  enum class Kind {
    real,      ///< the user's own text
    uniform,   ///< ids drawn uniformly, as many as the user's own
    shuffled,  ///< the user's own ids in random order
    generic,   ///< text of the same language and kind that is nobody's here; `name` says which
    others,    ///< the other users of the same language, pooled
  };
  // A constructor, because GCC 12 sees uninitialised strings in nested aggregates of Settings that are not there.
  Data(Kind k = Kind::real, std::string n = {}) : kind(k), name(std::move(n)) {}

  Kind kind;
  std::string name;  ///< of the generic text, else empty

  auto operator<=>(const Data&) const = default;
};

constexpr std::string_view name(Data::Kind kind) {
  constexpr std::string_view names[] = {"real", "uniform", "shuffled", "generic", "others"};
  return names[static_cast<std::size_t>(kind)];
}

/// As results.json has it: "real", "generic:en-prose".
inline std::string to_string(const Data& data) {
  return std::string(name(data.kind)) + (data.name.empty() ? "" : ":" + data.name);
}

/// Throws ValueError where `text` is none.
inline Data parse_data(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  for (const auto k : {Data::Kind::real, Data::Kind::uniform, Data::Kind::shuffled, Data::Kind::generic, Data::Kind::others})
    if (kind == name(k) && (k == Data::Kind::generic) == (colon != std::string_view::npos))
      return {k, colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1))};
  throw ValueError("data: expected real, uniform, shuffled, generic:NAME or others, got " + in_quotes(text));
}

/// The one key of a run: everything that tells two adapters of a shootout apart.
struct Setting {
  std::string contender = {};  ///< empty: the bare base, which nobody trains
  std::string user = {};       ///< whose adapter it is; empty: everybody's
  Index seed = 0;
  Data data = {};
  std::string weights = "stored";  ///< of the base: "stored", or the name of a weight format
  double budget = 1;               ///< in budgets of the protocol
  Index tokens = 0;                ///< of training text that may be used; 0: all
  std::string form = {};           ///< in which it is scored: empty, as it was trained; else see form.hpp

  bool is_base() const { return contender.empty(); }
  /// One user's, on the own text, in nothing else different.
  bool is_ordinary() const { return *this == Setting{.contender = contender, .user = user}; }
  auto operator<=>(const Setting&) const = default;
};

/// The bare base; under noise where the form says so.
inline Setting base_setting(std::string weights = "stored", std::string form = {}) {
  return {.weights = std::move(weights), .form = std::move(form)};
}

/// "norm for anna, seed 1, shuffled, ternary weights, 0.2 budgets, 4096 tokens": what differs from the ordinary run.
inline std::string describe(const Setting& s) {
  const std::string form = s.form.empty() ? "" : ", " + s.form;
  if (s.is_base()) return "base, " + s.weights + " weights" + form;
  std::string text = s.contender + " for " + (s.user.empty() ? "everybody" : s.user);
  if (s.seed != 0) text += ", seed " + std::to_string(s.seed);
  if (s.data.kind != Data::Kind::real) text += ", " + to_string(s.data);
  if (s.weights != "stored") text += ", " + s.weights + " weights";
  if (s.budget != 1) {
    std::string budget = std::to_string(s.budget);
    budget.erase(budget.find_last_not_of("0.") + 1);
    text += ", " + budget + " budgets";
  }
  if (s.tokens != 0) text += ", " + std::to_string(s.tokens) + " tokens";
  return text + form;
}

}  // namespace tern
