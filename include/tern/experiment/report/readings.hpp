#pragma once
/// What the results document says, asked by name. Whatever is absent, null or not finite is missing, never zero.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "tern/experiment/report/text.hpp"

namespace tern::report {

using Json = nlohmann::json;

/// A member of an object; null where there is none.
inline const Json& member(const Json& object, const char* key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

/// The elements of an array member; none where there is none.
inline const Json& list(const Json& object, const char* key) {
  static const Json none = Json::array();
  const Json& found = member(object, key);
  return found.is_array() ? found : none;
}

inline Maybe number(const Json& value) {
  if (!value.is_number() || !std::isfinite(value.get<double>())) return std::nullopt;
  return value.get<double>();
}
inline Maybe number(const Json& object, const char* key) { return number(member(object, key)); }

/// A string as it is, a number as written, nothing else.
inline std::string words(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  const Maybe v = number(value);
  return v ? general(*v, 6) : "";
}
inline std::string words(const Json& object, const char* key) { return words(member(object, key)); }

/// The middle value; the mean of the middle two.
inline Maybe median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// 1 - a/b.
inline Maybe margin_over(const Maybe& a, const Maybe& b) {
  if (!a || !b || !(*b > 0)) return std::nullopt;
  return 1 - *a / *b;
}

/// Which adapter: what determines it among those of one document.
struct Which {
  std::string format, user, data = "real";
  std::string weights = {};  // those of the protocol, unless named
  std::string seed = {};     // the first, unless named
};

/// An index over one results document, which must outlive it.
class Readings {
 public:
  explicit Readings(const Json& results) : document_(results) {
    if (const std::string weights = words(member(results, "protocol"), "weights"); !weights.empty()) weights_ = weights;
    for (const Json& user : list(results, "users")) add(users_, words(user, "name"));
    for (const Json& format : list(member(results, "protocol"), "formats")) add(formats_, words(format));
    for (const Json& adapter : list(results, "adapters")) {
      add(users_, words(adapter, "user"));
      add(formats_, words(adapter, "format"));
      add(seeds_, words(adapter, "seed"));
      adapters_.emplace(key({words(adapter, "format"), words(adapter, "user"), words(adapter, "data"),
                             words(adapter, "weights"), words(adapter, "seed")}),
                        &adapter);
    }
    std::sort(seeds_.begin(), seeds_.end(), [](const std::string& a, const std::string& b) {
      return std::tuple(a.size(), a) < std::tuple(b.size(), b);
    });
    for (const Json& cell : list(results, "cells")) {
      const Maybe nll = number(cell, "nll"), tokens = number(cell, "tokens");
      if (!nll || !tokens || !(*tokens > 0)) continue;
      const std::string text = member(cell, "text").is_null() ? "0" : words(cell, "text");
      add(texts_, text);
      for (const std::string& t : {text, std::string()})  // the text alone, and all texts together
        sums_[{words(cell, "adapter"), words(cell, "weights"), words(cell, "user"), t}].add(
            *nll, *tokens, number(cell, "bytes").value_or(0));
    }
    std::sort(texts_.begin(), texts_.end());
  }

  const Json& document() const { return document_; }
  /// What all experiments but E6 ran on.
  const std::string& weights() const { return weights_; }
  const std::vector<std::string>& users() const { return users_; }
  const std::vector<std::string>& formats() const { return formats_; }
  const std::vector<std::string>& seeds() const { return seeds_; }
  const std::vector<std::string>& texts() const { return texts_; }

  const Json* adapter(Which which) const {
    if (which.weights.empty()) which.weights = weights_;
    if (which.seed.empty() && !seeds_.empty()) which.seed = seeds_.front();
    const auto found = adapters_.find(key(which));
    return found == adapters_.end() ? nullptr : found->second;
  }

  bool failed(const Which& which) const {
    const Json* a = adapter(which);
    return a != nullptr && words(*a, "status") == "failed";
  }

  /// exp(sum nll / sum tokens) of the base on a user's texts, or on one of them.
  Maybe base(const std::string& user, const std::string& weights = {}, const std::string& text = {}) const {
    return ppl({"", weights.empty() ? weights_ : weights, user, text});
  }

  /// The same of an adapter, on the texts of `user`.
  Maybe on(const Which& which, const std::string& user, const std::string& text = {}) const {
    const Json* a = adapter(which);
    return a == nullptr ? std::nullopt : ppl({words(*a, "id"), words(*a, "weights"), user, text});
  }

  /// The same of an adapter, on its own user's texts.
  Maybe own(const Which& which, const std::string& text = {}) const { return on(which, which.user, text); }

  /// Over all users at once, on own texts; missing where one user's is.
  Maybe pooled(const std::string& format, const std::string& seed, const std::string& text) const {
    Sum all;
    for (const std::string& user : users_) {
      const Json* a = adapter({format, user, "real", {}, seed});
      const auto found = a == nullptr ? sums_.end() : sums_.find({words(*a, "id"), weights_, user, text});
      if (found == sums_.end()) return std::nullopt;
      all.add(found->second.nll, found->second.tokens, 0);
    }
    return all.ppl();
  }

  /// nll in bits over the bytes of the text.
  Maybe base_bits_per_byte(const std::string& user) const {
    const auto found = sums_.find({"", weights_, user, ""});
    if (found == sums_.end() || !(found->second.bytes > 0)) return std::nullopt;
    return found->second.nll / std::log(2.0) / found->second.bytes;
  }

  Maybe tokens(const std::string& user) const {
    const auto found = sums_.find({"", weights_, user, ""});
    return found == sums_.end() ? std::nullopt : Maybe(found->second.tokens);
  }

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  using CellKey = std::tuple<std::string, std::string, std::string, std::string>;  // adapter, weights, user, text

  struct Sum {
    double nll = 0, tokens = 0, bytes = 0;
    void add(double n, double t, double b) { nll += n, tokens += t, bytes += b; }
    Maybe ppl() const {
      const double p = tokens > 0 ? std::exp(nll / tokens) : 0;
      return p > 0 && std::isfinite(p) ? Maybe(p) : std::nullopt;
    }
  };

  static Key key(const Which& w) { return {w.format, w.user, w.data, w.weights, w.seed}; }

  static void add(std::vector<std::string>& to, const std::string& what) {
    if (!what.empty() && std::find(to.begin(), to.end(), what) == to.end()) to.push_back(what);
  }

  Maybe ppl(const CellKey& cell) const {
    const auto found = sums_.find(cell);
    return found == sums_.end() ? std::nullopt : found->second.ppl();
  }

  const Json& document_;
  std::string weights_ = "dense";
  std::vector<std::string> users_, formats_, seeds_, texts_;
  std::map<Key, const Json*> adapters_;
  std::map<CellKey, Sum> sums_;
};

}  // namespace tern::report
