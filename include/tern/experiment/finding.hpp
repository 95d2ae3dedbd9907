#pragma once
/// What an experiment found: answers with their numbers, and what a report shows of them as data. Reports render it and
/// know no experiment.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tern/core/matrix.hpp"
#include "tern/statistics/answer.hpp"
#include "tern/statistics/margin.hpp"

namespace tern {

enum class Answer {
  better,
  worse,
  equivalent,
  undecided,
  measured,  ///< a measurement, no claim
  voided,    ///< its control is void
};

constexpr std::string_view name(Answer answer) {
  constexpr std::string_view names[] = {"better", "worse", "equivalent", "undecided", "measured", "void"};
  return names[static_cast<std::size_t>(answer)];
}

/// One comparison of `a` with `b` over users.
struct Claim {
  std::string a, b;               ///< as a sentence calls them: "norm-only gains", "LoRA rank 4"
  std::string family = {};        ///< comparisons of one family are adjusted together (Holm); empty: by itself
  statistics::Comparison users = {};   ///< of differences in nats per token; positive: a is better
  std::optional<statistics::Interval> bootstrap = {};  ///< hierarchical, of the same difference
  double p_adjusted = 1;
  Index comparisons = 1;          ///< in the family
  Answer answer = Answer::undecided;
  std::string reason = {};        ///< why undecided or void, a clause without its stop
  bool within_margin = false;     ///< better or worse, and by less than the margin
  std::optional<Index> users_needed = {};
  Index strict = 0;               ///< users for whom a is ahead
  statistics::Reason obstacle = statistics::Reason::none;
  std::vector<std::string> names = {};      ///< of the users
  std::vector<double> differences = {};     ///< one a user
  std::vector<std::string> failed = {};     ///< users left out because a run of theirs failed
  std::vector<std::string> missing = {};    ///< users left out because a run of theirs is not there

  /// 1 - ppl(a)/ppl(b), with its interval.
  statistics::Interval margin() const { return statistics::margin(users.difference); }
};

/// Plain text; whoever renders it escapes it.
struct TableCell {
  TableCell(std::string t = {}, bool s = false) : text(std::move(t)), strong(s) {}  // NOLINT: a string is a cell
  TableCell(const char* t, bool s = false) : text(t), strong(s) {}                  // NOLINT
  std::string text;
  bool strong = false;
};

/// The first column holds names, the others numbers unless `numbers` is false.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<TableCell>> rows = {};
  std::string note = {};
  bool numbers = true;
};

/// Groups of horizontal bars from a common zero line, values are shares (0.05 is 5%).
struct BarChart {
  struct Bar {
    std::size_t series;           ///< index into `series`
    std::optional<double> value;  ///< none draws the label alone
    std::string label;
    std::optional<std::pair<double, double>> interval = {};
  };
  struct Group {
    std::string name, note;
    std::vector<Bar> bars;
  };
  std::vector<std::string> series;
  std::vector<Group> groups;
};

/// Each row is a whole, cut into parts that follow one another from zero: base -> generic -> own.
struct StackChart {
  struct Row {
    std::string name, note;
    std::vector<std::optional<double>> parts;  ///< one a series, in `unit`; may be negative
  };
  std::vector<std::string> series;
  std::vector<Row> rows;
  std::string unit;
};

/// Lines over a logarithmic or linear x.
struct CurveChart {
  struct Line {
    std::size_t series;
    std::vector<std::pair<double, double>> points;
    std::string name;
    bool thick = false;
  };
  std::vector<std::string> series;
  std::vector<Line> lines;
  std::string x, y;
  bool log_x = false, log_y = false, y_is_share = true;
};

/// Rows by columns of shares, coloured from worse to better around zero; `outlined` cells are a row's own.
struct HeatMap {
  std::vector<std::string> rows, columns, row_groups;  ///< a group's name where a new one begins, else empty
  std::vector<std::vector<std::optional<double>>> values;
  std::string row_title, column_title;
};

struct Figure {
  std::string title, caption;
  std::variant<BarChart, StackChart, CurveChart, HeatMap> picture;
};

/// What one experiment says.
struct Finding {
  std::string id, title, question;
  Answer answer = Answer::undecided;
  std::string reason = {};    ///< why undecided or void
  std::string sentence = {};  ///< what a person reads
  std::vector<Claim> claims = {};
  std::vector<std::pair<std::string, std::optional<double>>> numbers = {};  ///< further ones, by name
  std::vector<std::string> notes = {};  ///< what a reader must know: failed runs, users that are not testable
  std::vector<Table> tables = {};
  std::vector<Figure> figures = {};
};

/// The default that follows from all findings and the costs.
struct Decision {
  std::string contender = {};  ///< empty: none
  std::string storage = {};    ///< "fp32", or what E7 allows
  std::string sentence = {}, reason = {};
  std::vector<Table> tables = {};
};

struct Findings {
  std::vector<Finding> experiments;  ///< in the protocol's order
  Decision decision;

  const Finding* find(std::string_view id) const {
    for (const Finding& f : experiments)
      if (f.id == id) return &f;
    return nullptr;
  }
};

}  // namespace tern
