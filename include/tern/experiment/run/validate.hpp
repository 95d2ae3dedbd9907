#pragma once
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tern/experiment/experiments/all.hpp"
#include "tern/experiment/options.hpp"

namespace tern {

namespace detail {

inline void expect_names(const char* field, const std::vector<std::string>& names,
                         const std::vector<std::string>& known) {
  std::set<std::string> seen;
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw ValueError(std::string(field) + ": expected some of " + all + ", got " + in_quotes(name));
    if (!seen.insert(name).second)
      throw ValueError(std::string(field) + ": expected each once, got " + in_quotes(name) + " twice");
  }
}

}  // namespace detail

/// `o`, or a ValueError naming the field that cannot be.
inline const ShootoutOptions& validate(const ShootoutOptions& o, const std::vector<Contender>& table) {
  const auto at_least = [](const char* field, Index got, Index least) {
    if (got < least)
      throw ValueError(std::string(field) + ": expected at least " + std::to_string(least) + ", got " +
                       std::to_string(got));
  };
  expect_positive("budget", o.budget);
  at_least("seeds", o.seeds, 1);
  at_least("context", o.context, 8);
  at_least("eval_tokens", o.eval_tokens, 2);
  at_least("validation_tokens", o.validation_tokens, 2);
  at_least("pilots", o.pilots, 1);
  at_least("most_rates", o.most_rates, 3);
  at_least("sweep_users", o.sweep_users, 0);
  at_least("seed_users", o.seed_users, 0);
  at_least("threads", o.threads, 1);
  if (!(o.margin > 0 && o.margin < 1))
    throw ValueError("margin: expected a share of perplexity in (0, 1), got " + std::to_string(o.margin));
  std::vector<std::string> names, ids;
  for (const Contender& c : table) {
    names.push_back(c.name);
    if (c.rates.empty())
      throw ValueError("contender " + in_quotes(c.name) + ": rates: expected at least one, got none");
    for (std::size_t i = 0; i < c.rates.size(); ++i)
      if (!(c.rates[i] > 0) || (i > 0 && !(c.rates[i] > c.rates[i - 1])))
        throw ValueError("contender " + in_quotes(c.name) + ": rates: expected ascending ones above 0, got " +
                         std::to_string(c.rates[i]));
  }
  for (const experiments::Experiment& e : experiments::all()) ids.emplace_back(e.id);
  {
    std::vector<std::string> once = names;
    std::sort(once.begin(), once.end());
    if (const auto twice = std::adjacent_find(once.begin(), once.end()); twice != once.end())
      throw ValueError("contenders: expected each name once in the table, got " + in_quotes(*twice) + " twice");
  }
  if (o.contenders.empty()) throw ValueError("contenders: expected at least one, got none");
  detail::expect_names("contenders", o.contenders, names);
  detail::expect_names("experiments", o.experiments, ids);
  detail::expect_names("controls", o.controls, ShootoutOptions{}.controls);
  detail::expect_names("roles.rivals", o.roles.rivals, names);
  if (std::find(o.roles.rivals.begin(), o.roles.rivals.end(), o.roles.champion) != o.roles.rivals.end())
    throw ValueError("roles.rivals: expected others than the champion, got " + in_quotes(o.roles.champion));
  detail::expect_names("roles.champion", {o.roles.champion}, o.contenders);
  if (!o.roles.fallback.empty()) detail::expect_names("roles.fallback", {o.roles.fallback}, names);
  return o;
}

}  // namespace tern
