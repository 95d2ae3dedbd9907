#pragma once
/// The tables of a report, for both of its forms: plain text, escaped by whoever writes it.
#include "tern/experiment/report/readings.hpp"

namespace tern::report {

struct Cell {
  Cell(std::string t = {}, bool s = false) : text(std::move(t)), strong(s) {}  // NOLINT: a string is a cell
  std::string text;
  bool strong = false;
};

/// The first column holds names, the others numbers unless `numbers` is false.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows = {};
  std::string note = {};
  bool numbers = true;
};

/// E4 in numbers: the margins of a user's own adapter, on the user's own text.
struct OwnMargins {
  Maybe base, mean, best;  // over the base, the geometric mean of the others' adapters, the best of them
  bool known() const { return base && mean && best; }
  bool personal() const { return known() && *base >= 0.05 && *mean >= 0.05 && *best >= 0.05; }
};

inline OwnMargins own_margins(const Readings& r, const std::string& format, const std::string& user) {
  const Maybe own = r.own({format, user});
  double sum_log = 0, n = 0;
  Maybe best;
  for (const std::string& other : r.users()) {
    const Maybe p = other == user ? std::nullopt : r.on({format, other}, user);
    if (!p) continue;
    sum_log += std::log(*p), ++n;
    best = best ? std::min(*best, *p) : *p;
  }
  return {margin_over(own, r.base(user)), n > 0 ? margin_over(own, std::exp(sum_log / n)) : std::nullopt,
          margin_over(own, best)};
}

/// The formats of which at least one adapter of this kind was meant to be trained.
inline std::vector<std::string> formats_with(const Readings& r, const std::string& data = "real",
                                             const std::string& weights = {}) {
  std::vector<std::string> found;
  for (const std::string& format : r.formats())
    if (std::any_of(r.users().begin(), r.users().end(), [&](const std::string& user) {
          return r.adapter({format, user, data, weights}) != nullptr;
        }))
      found.push_back(format);
  return found;
}

namespace detail {
/// A perplexity with its margin over `reference`; the word "failed" for a run that did.
inline std::string with_margin(const Readings& r, const Which& which, const Maybe& reference) {
  if (r.failed(which)) return "failed";
  const Maybe own = r.own(which), gain = margin_over(own, reference);
  return gain ? perplexity(own) + " (" + margin(gain) + ")" : perplexity(own);
}

/// The place of the smallest of the values that are there; the size of `values` where none is.
inline std::size_t lowest(const std::vector<Maybe>& values) {
  std::size_t best = values.size();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] && (best == values.size() || *values[i] < *values[best])) best = i;
  return best;
}

inline std::vector<Which> every_adapter(const Readings& r, const std::string& format, const std::string& data = "real",
                                        const std::string& weights = {}) {
  std::vector<Which> all;
  for (const std::string& user : r.users())
    for (const std::string& seed : r.seeds())
      if (r.adapter({format, user, data, weights, seed}) != nullptr) all.push_back({format, user, data, weights, seed});
  return all;
}

inline Maybe median_of(const Readings& r, const std::string& format, const char* field) {
  std::vector<double> values;
  for (const Which& which : every_adapter(r, format))
    if (const Maybe v = number(*r.adapter(which), field); v && !r.failed(which)) values.push_back(*v);
  return median(std::move(values));
}
}  // namespace detail

/// E1: a user a row, a format a column, the lowest in each row strong.
inline Table formats_table(const Readings& r) {
  const auto formats = formats_with(r);
  Table t{"Perplexity on own held-out text (margin over the base)", {"user", "base", "bits/byte"}};
  t.columns.insert(t.columns.end(), formats.begin(), formats.end());
  t.note =
      "Lower perplexity is better; the margin of a over b is 1 − ppl(a)/ppl(b), so a positive one is a gain. "
      "Bits per byte are the base's.";
  for (const std::string& user : r.users()) {
    const Maybe base = r.base(user), bits = r.base_bits_per_byte(user);
    std::vector<Maybe> values = {base};
    for (const std::string& format : formats) values.push_back(r.own({format, user}));
    const std::size_t best = detail::lowest(values);
    std::vector<Cell> row = {user, {perplexity(base), best == 0}, bits ? fixed(*bits, 3) : std::string(missing)};
    for (std::size_t f = 0; f < formats.size(); ++f)
      row.emplace_back(detail::with_margin(r, {formats[f], user}, base), best == f + 1);
    t.rows.push_back(std::move(row));
  }
  return t;
}

/// E2: a seed and text a row, all users' tokens together.
inline Table replication_table(const Readings& r) {
  const auto formats = formats_with(r);
  Table t{"Perplexity over all users, by seed and text", {"seed, text"}};
  t.columns.insert(t.columns.end(), formats.begin(), formats.end());
  t.note = "The lowest of each row is strong. A format with a failed run in a row has no number there.";
  for (const std::string& seed : r.seeds())
    for (const std::string& text : r.texts()) {
      std::vector<Maybe> values;
      for (const std::string& format : formats) values.push_back(r.pooled(format, seed, text));
      const std::size_t best = detail::lowest(values);
      if (best == values.size()) continue;
      std::vector<Cell> row = {"seed " + seed + ", text " + text};
      for (std::size_t f = 0; f < formats.size(); ++f) row.emplace_back(perplexity(values[f]), f == best);
      t.rows.push_back(std::move(row));
    }
  return t;
}

/// E3: the margin of the adapter trained on real text over the one trained on noise.
inline Table noise_table(const Readings& r) {
  Table t{"Margin of real text over noise, on own text", {"user"}};
  std::vector<std::pair<std::string, std::string>> kinds;
  for (const std::string& format : r.formats())
    for (const char* data : {"uniform", "shuffled"})
      if (!detail::every_adapter(r, format, data).empty()) kinds.emplace_back(format, data);
  for (const auto& kind : kinds) t.columns.push_back(kind.first + ", " + kind.second);
  if (kinds.empty()) return t;
  for (const std::string& user : r.users()) {
    std::vector<Cell> row = {user};
    for (const auto& kind : kinds)
      row.emplace_back(r.failed({kind.first, user, kind.second})
                           ? "failed"
                           : margin(margin_over(r.own({kind.first, user}), r.own({kind.first, user, kind.second}))));
    t.rows.push_back(std::move(row));
  }
  t.note = "Uniform: random tokens of the vocabulary. Shuffled: the user's own tokens in random order.";
  return t;
}

/// E4: a format a row.
inline Table personal_table(const Readings& r) {
  Table t{"Own adapter on own text, by format",
          {"format", "over base", "over mean of others", "over best of others", "users with all three ≥ 5%"}};
  t.note = "Medians over users.";
  for (const std::string& format : formats_with(r)) {
    std::vector<double> base, mean, best;
    std::size_t personal = 0, known = 0;
    for (const std::string& user : r.users()) {
      const OwnMargins m = own_margins(r, format, user);
      if (m.base) base.push_back(*m.base);
      if (m.mean) mean.push_back(*m.mean);
      if (m.best) best.push_back(*m.best);
      known += m.known(), personal += m.personal();
    }
    t.rows.push_back({format, margin(median(base)), margin(median(mean)), margin(median(best)),
                      std::to_string(personal) + " of " + std::to_string(known)});
  }
  return t;
}

/// E4: a user a row, one format.
inline Table personal_table(const Readings& r, const std::string& format) {
  Table t{"Own adapter on own text: " + format, {"user", "over base", "over mean of others", "over best of others"}};
  for (const std::string& user : r.users()) {
    const OwnMargins m = own_margins(r, format, user);
    t.rows.push_back({user, margin(m.base), margin(m.mean), margin(m.best)});
  }
  return t;
}

/// E4's picture in numbers: whose text a row, whose adapter a column.
inline Table confusion_table(const Readings& r, const std::string& format) {
  Table t{"Confusion matrix: " + format, {"text \\ adapter"}};
  t.columns.insert(t.columns.end(), r.users().begin(), r.users().end());
  t.note = "Margin over the base of each user's adapter (columns) on each user's text (rows), in percent.";
  for (const std::string& text : r.users()) {
    std::vector<Cell> row = {text};
    for (const std::string& user : r.users())
      row.emplace_back(margin(margin_over(r.on({format, user}, text), r.base(text)), 0), user == text);
    t.rows.push_back(std::move(row));
  }
  return t;
}

/// E6: the formats trained on ternary weights beside dense ones.
inline std::vector<std::string> ternary_formats(const Readings& r) {
  return r.weights() == "ternary" ? std::vector<std::string>{} : formats_with(r, "real", "ternary");
}

/// E6: the share of the gain, in log perplexity, that a ternary base keeps; missing where the dense base gains nothing.
inline Maybe recovery(const Readings& r, const std::string& format, const std::string& user) {
  const Maybe dense = r.base(user), dense_own = r.own({format, user});
  const Maybe ternary = r.base(user, "ternary"), ternary_own = r.own({format, user, "real", "ternary"});
  if (!dense || !dense_own || !ternary || !ternary_own || !(*dense > *dense_own)) return std::nullopt;
  return std::log(*ternary / *ternary_own) / std::log(*dense / *dense_own);
}

inline Table ternary_table(const Readings& r, const std::string& format) {
  Table t{"Ternary base: " + format,
          {"user", "dense base", "dense, own", "ternary base", "ternary, own", "recovery", "ternary / dense, own"}};
  t.note = "Recovery is the gain in log perplexity on the ternary base over that on the dense base.";
  for (const std::string& user : r.users()) {
    const Which dense{format, user}, ternary{format, user, "real", "ternary"};
    const Maybe gap = margin_over(r.own(ternary), r.own(dense));
    t.rows.push_back({user, perplexity(r.base(user)), detail::with_margin(r, dense, r.base(user)),
                      perplexity(r.base(user, "ternary")), detail::with_margin(r, ternary, r.base(user, "ternary")),
                      percent(recovery(r, format, user)), gap ? "×" + fixed(1 - *gap, 3) : std::string(missing)});
  }
  return t;
}

inline constexpr double small_fleet = 215'000, large_fleet = 10'000'000;

/// E9: bytes as stored.
inline Table storage_table(const Readings& r) {
  Table t{"Storage", {"format", "parameters", "a user", "215,000 users", "10,000,000 users"}};
  t.note = "Medians over adapters, as stored.";
  for (const std::string& format : formats_with(r)) {
    const Maybe size = detail::median_of(r, format, "bytes");
    t.rows.push_back({format, count(detail::median_of(r, format, "parameters")), bytes(size),
                      bytes(size ? Maybe(*size * small_fleet) : size),
                      bytes(size ? Maybe(*size * large_fleet) : size)});
  }
  return t;
}

/// E12: what the budget bought.
inline Table budget_table(const Readings& r) {
  Table t{"Training", {"format", "steps", "best step", "seconds", "runs", "failed"}};
  t.note = "Steps and seconds are medians over the runs on real text that did not fail.";
  for (const std::string& format : formats_with(r)) {
    const auto all = detail::every_adapter(r, format);
    const auto failed = std::count_if(all.begin(), all.end(), [&](const Which& w) { return r.failed(w); });
    t.rows.push_back(
        {format, count(detail::median_of(r, format, "steps")), count(detail::median_of(r, format, "best_step")),
         seconds(detail::median_of(r, format, "seconds")), std::to_string(all.size()), std::to_string(failed)});
  }
  return t;
}

/// Fair play: the learning rates that each format's search started from, and how often each was chosen.
inline Table rates_table(const Readings& r) {
  Table t{"Learning rates", {"format", "started from", "chosen"}};
  t.numbers = false;
  t.note = "Chosen on validation text, never on held-out text.";
  const Json& start = member(member(r.document(), "protocol"), "learning_rates");
  for (const std::string& format : r.formats()) {
    std::string rates, chosen;
    for (const Json& rate : list(start, format.c_str())) rates += (rates.empty() ? "" : ", ") + words(rate);
    std::map<double, int> times;
    for (const Json& adapter : list(r.document(), "adapters"))
      if (const Maybe rate = number(adapter, "learning_rate"); rate && words(adapter, "format") == format)
        ++times[*rate];
    for (const auto& [rate, n] : times)
      chosen += (chosen.empty() ? "" : ", ") + general(rate) + " (" + std::to_string(n) + "×)";
    t.rows.push_back(
        {format, rates.empty() ? std::string(missing) : rates, chosen.empty() ? std::string(missing) : chosen});
  }
  return t;
}

inline Table users_table(const Readings& r) {
  Table t{"Users",
          {"user", "kind", "files", "bytes", "train", "validation", "held out", "near-duplicates removed", "scrubbed",
           "files skipped", "split"}};
  t.note = "Train, validation and held out are in tokens; the split is the first digits of its hash.";
  for (const Json& user : list(r.document(), "users")) {
    const Json& tokens = member(user, "tokens");
    std::string held_out;
    for (const Json& n : list(tokens, "held_out")) held_out += (held_out.empty() ? "" : " + ") + count(number(n));
    double scrubbed = 0;
    if (const Json& classes = member(user, "scrubbed"); classes.is_object())
      for (const Json& n : classes) scrubbed += number(n).value_or(0);
    t.rows.push_back({words(user, "name"), words(user, "kind"), count(number(user, "files")),
                      bytes(number(user, "bytes")), count(number(tokens, "train")), count(number(tokens, "validation")),
                      held_out, count(number(user, "duplicates_removed")), grouped(scrubbed),
                      std::to_string(list(user, "skipped").size()), words(user, "split_hash").substr(0, 12)});
  }
  return t;
}

inline Table left_out_table(const Readings& r) {
  Table t{"Users left out", {"user", "reason"}};
  t.numbers = false;
  for (const Json& user : list(r.document(), "left_out"))
    t.rows.push_back({words(user, "name"), words(user, "reason")});
  return t;
}

inline Table skipped_table(const Readings& r) {
  Table t{"Files skipped", {"user", "file", "reason"}};
  t.numbers = false;
  for (const Json& user : list(r.document(), "users"))
    for (const Json& file : list(user, "skipped"))
      t.rows.push_back({words(user, "name"), words(file, "name"), words(file, "reason")});
  return t;
}

inline Table failed_table(const Readings& r) {
  Table t{"Runs that failed", {"user", "format", "seed", "trained on", "base", "reason"}};
  t.numbers = false;
  for (const Json& a : list(r.document(), "adapters"))
    if (words(a, "status") == "failed")
      t.rows.push_back({words(a, "user"), words(a, "format"), words(a, "seed"), words(a, "data"), words(a, "weights"),
                        words(a, "reason")});
  return t;
}

}  // namespace tern::report
