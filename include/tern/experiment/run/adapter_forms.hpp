#pragma once
/// Adapters in the forms that a Setting may ask for.
#include <algorithm>
#include <string>
#include <vector>

#include "tern/experiment/form.hpp"
#include "tern/experiment/run/adapter_values.hpp"

namespace tern::detail {

/// An adapter that another task left.
struct Source {
  std::string user;
  AdapterValues values;
};

/// What `values` are changed into for `user`; `group` gets the number of the user's cluster.
inline AdapterValues in_form(const Form& form, const std::vector<Source>& sources, const std::string& user, Index& group) {
  std::vector<const AdapterValues*> all, others;
  const AdapterValues* own = nullptr;
  for (const Source& s : sources) {
    all.push_back(&s.values);
    if (s.user == user)
      own = &s.values;
    else
      others.push_back(&s.values);
  }
  if (own == nullptr) throw ValueError("the user's own adapter is not there");
  AdapterValues values = *own;
  if (form.source == Form::Source::mean) values = average(all);
  if (form.source == Form::Source::others && !others.empty()) values = average(others);
  if (form.source == Form::Source::cluster || form.source == Form::Source::residual) {
    const auto clusters = clusters_of(all, cluster_count(all.size()));
    const std::size_t mine = clusters[static_cast<std::size_t>(std::find(all.begin(), all.end(), own) - all.begin())];
    group = static_cast<Index>(mine) + 1;
    std::vector<const AdapterValues*> members;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (clusters[i] == mine && (form.source == Form::Source::residual || all[i] != own)) members.push_back(all[i]);
    values = average(members.empty() ? others.empty() ? all : others : members);
  }
  if (form.source == Form::Source::residual) {
    AdapterValues left = *own;
    add(left, values, -1);
    store_as(left, form.stored);
    add(values, left, 1);
  } else {
    store_as(values, form.stored);
  }
  return values;
}

}  // namespace tern::detail
