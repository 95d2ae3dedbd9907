#pragma once
/// One list per layer. A layer's `fields(self, f)` calls f(name, member) for each child, parameter and packed storage;
/// the free functions here derive everything else from it: optimisers, counting, saving, gradient checks.
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tern/core/parameter.hpp"

namespace tern {

namespace detail {

template <class T>
inline constexpr bool is_parameter = false;
template <std::floating_point S>
inline constexpr bool is_parameter<Parameter<S>> = true;

struct IgnoreField {
  template <class T>
  void operator()(std::string_view, T&) const {}
};

template <class T>
concept HasFields = requires(T& t) { std::remove_const_t<T>::fields(t, IgnoreField{}); };

template <class T, class F>
void walk(std::string& path, T& node, F& f) {
  using Plain = std::remove_const_t<T>;
  const auto descend = [&](std::string_view name, auto& child) {
    const std::size_t length = path.size();
    if (!path.empty() && !name.empty()) path += '.';
    path += name;
    walk(path, child, f);
    path.resize(length);
  };
  if constexpr (is_parameter<Plain>) {
    f(std::string_view(path), node);
  } else if constexpr (HasFields<T>) {
    Plain::fields(node, descend);
  } else if constexpr (requires { node.has_value(); *node; }) {
    if (node.has_value()) walk(path, *node, f);
  } else if constexpr (requires { node.begin(); node.size(); node[0]; }) {
    for (std::size_t i = 0; i < node.size(); ++i) descend(std::to_string(i), node[i]);
  }  // anything else is packed storage: it has no parameters
}

}  // namespace detail

/// Calls f(path, parameter) for every parameter below `layer`, in the order of the `fields` lists.
/// Paths join names with dots: "blocks.3.query.weight".
template <class L, class F>
void for_each_parameter(L&& layer, F&& f) {
  std::string path;
  detail::walk(path, layer, f);
}

/// How many numbers the parameters hold.
template <class L>
Index count_parameters(const L& layer) {
  Index n = 0;
  for_each_parameter(layer, [&](std::string_view, const auto& p) { n += p.value.size(); });
  return n;
}

}  // namespace tern
