#include "tern/experiment/report.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>

using namespace tern;

namespace {

const std::string hostile = "<img src=x onerror=\"a('b')\">&|*_`\n#\xe2\x80\xae\xff";
constexpr double no_number = std::numeric_limits<double>::quiet_NaN(),
                 infinite = std::numeric_limits<double>::infinity();

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// Every element that is opened is closed, in order; attributes are quoted; every & begins an entity: enough of a
/// parser for what the reports write. Empty where all is well, else the place.
std::string fault(const std::string& markup) {
  std::vector<std::string> open;
  for (auto at = markup.find('&'); at != std::string::npos; at = markup.find('&', at + 1)) {
    bool entity = false;
    for (const char* e : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
      entity = entity || markup.compare(at, std::string(e).size(), e) == 0;
    if (!entity) return markup.substr(at, 40);
  }
  for (auto at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1)) {
    const auto end = markup.find('>', at);
    if (end == std::string::npos) return markup.substr(at, 40);
    const std::string tag = markup.substr(at + 1, end - at - 1);
    if (occurrences(tag, "\"") % 2 != 0 || has(tag, "<")) return tag;
    if (tag[0] == '!' || tag.back() == '/' || tag.rfind("meta", 0) == 0) continue;
    if (tag[0] != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else {
      if (open.empty() || open.back() != tag.substr(1)) return tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

/// No number that is none has leaked into either report, the page parses and fetches nothing.
void check_sound(const Results& results, const Findings& findings) {
  const std::string page = report_html(results, findings), text = report_markdown(results, findings);
  for (const char* bad : {"nan", "NaN", "inf%", "inf\"", "-inf", "−inf", ">inf", " inf "}) {
    CAPTURE(bad);
    CHECK_FALSE(has(page, bad));
    CHECK_FALSE(has(text, bad));
  }
  CHECK(fault(page) == "");
  for (const char* fetched : {"<script", "<link", "url(", "src=\"", "@import"}) CHECK_FALSE(has(page, fetched));
}

/// a is ahead by 10% for 12 users, or by what is asked for.
Claim claim(double share = 0.1, Answer answer = Answer::better) {
  Claim c;
  c.a = "norm-only gains", c.b = "LoRA rank 4", c.answer = answer;
  c.users.users = 12;
  c.users.difference = {statistics::difference_of(share), statistics::difference_of(share - 0.04),
                        statistics::difference_of(share + 0.04)};
  c.users.p = 0.004, c.p_adjusted = 0.012, c.strict = 11;
  for (int u = 0; u < 12; ++u) c.names.push_back("user " + std::to_string(u)), c.differences.push_back(0.01 * u);
  return c;
}

Finding finding(const std::string& id, Answer answer, const std::string& sentence) {
  Finding f;
  f.id = id, f.title = "Title of " + id, f.question = "Question of " + id + "?", f.answer = answer,
  f.sentence = sentence;
  return f;
}

HeatMap square(std::size_t n) {
  HeatMap m;
  m.row_title = "whose text", m.column_title = "whose adapter";
  for (std::size_t i = 0; i < n; ++i) {
    m.rows.push_back("user-" + std::to_string(i));
    m.row_groups.push_back(i % 10 == 0 ? "language " + std::to_string(i / 10) : "");
    m.values.emplace_back();
    for (std::size_t j = 0; j < n; ++j) m.values.back().push_back(i == j ? 0.25 : -0.05);
  }
  m.columns = m.rows;
  return m;
}

/// Two people, a contender and a rival, everything well.
Results sound_results() {
  Results r;
  r.tern = {"0.3.0", "abc", "GCC 12", "avx2", "a <CPU>", 2};
  r.base.name = "SmolLM2-135M-Instruct", r.base.parameters = 134'515'008,
  r.base.types = {{"q4_0", 0.75}, {"f32", 0.25}};
  r.protocol.hash = "0123abcd", r.protocol.roles = {"norm", {"lora-r4"}, "lora-r4"}, r.protocol.seeds = 2;
  r.protocol.contenders = {{"norm", "norm-only gains", false, 2304, "every norm"},
                           {"lora-r4", "LoRA rank 4", false, 99, "every linear"}};
  r.protocol.budget = Budget::of_seconds(300);
  for (int u = 0; u < 24; ++u) {
    UserRecord user;
    user.name = "user-" + std::to_string(u), user.population = "people", user.kind = "mail",
    user.language = u % 2 ? "English" : "Malayalam";
    user.documents = 7, user.owners = {"mail: anna@example.org"}, user.split = "by time",
    user.split_hash = "feedfacefeedface";
    r.users.push_back(user);
    r.protocol.generic[user.name] = "en";
    CellRecord cell{"", "stored", user.name, 100, 50, 200, {}};
    for (int chunk = 0; chunk < 12; ++chunk) cell.chunks.push_back({chunk % 3, 8, 4});
    r.cells.push_back(cell);
    for (const char* contender : {"norm", "lora-r4"})
      for (const auto kind :
           {Data::Kind::real, Data::Kind::uniform, Data::Kind::shuffled, Data::Kind::generic, Data::Kind::others}) {
        AdapterRecord a;
        a.id = std::to_string(r.adapters.size());
        a.setting = {contender, user.name, 0, {kind, kind == Data::Kind::generic ? "en" : ""}};
        a.curve = {{0, 0, 20}, {30, 3, 15}, {40, 4, 14.99}};
        r.adapters.push_back(a);
      }
  }
  for (const ContenderRecord& c : r.protocol.contenders) {
    r.protocol.calibration[c.name] = {0.5, 600, "a CPU"};
    PilotRecord pilot{
        {"user-0", "user-1"}, {{0.001, {3.0, 3.2}}, {0.003, {2.5, std::nullopt}}}, 0.001, {0.001, 0.003}, true, "", {}};
    r.protocol.pilots[c.name] = pilot;
  }
  return r;
}

std::string limits_of(const Results& r) {
  std::string all;
  for (const std::string& limit : report::limits(r)) all += limit + "\n";
  return all;
}

}  // namespace

TEST_CASE("report: names stay names") {
  CHECK(report::escape_html("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
  CHECK(report::escape_html(std::string("a\x01"
                                        "b\nc")) ==
        "a\xef\xbf\xbd"
        "b c");
  CHECK(report::escape_html("a\xe2\x80\xae\xff") ==
        "a\xef\xbf\xbd\xef\xbf\xbd");  // a turn of direction, ill-formed UTF-8
  CHECK(report::escape_markdown("a|b*c_[d](e)<f>\n# g") == "a\\|b\\*c\\_\\[d\\](e)\\<f\\> \\# g");
  CHECK(report::shorten("Дарья Волкова", 6) == "Дарья…");
  CHECK(report::shorten("short", 5) == "short");
}

TEST_CASE("report: hostile text stays text wherever it stands") {
  Results r = sound_results();
  Findings f;
  r.base.name = r.base.architecture = r.base.fingerprint = r.tern.cpu = r.tern.compiler = r.protocol.hash = hostile;
  r.base.types = {{hostile, 1}};
  r.left_out = {{hostile, hostile}};
  r.protocol.contenders[0].title = r.protocol.contenders[0].sites = hostile;
  r.protocol.pilots["norm"].users = {hostile}, r.protocol.pilots["norm"].candidate = hostile;
  r.protocol.pilots["norm"].candidates[hostile] = 1, r.protocol.calibration["norm"].cpu = hostile;
  UserRecord& u = r.users[0];
  u.name = u.population = u.kind = u.language = u.split = u.split_hash = hostile;
  u.owners = {hostile}, u.scrubbed[hostile] = 1, u.skipped[hostile] = 1, u.files = {{hostile, hostile}},
  u.one_work = true;
  r.adapters[0].ok = false, r.adapters[0].reason = r.adapters[0].setting.user = hostile;

  Finding e = finding("E1", Answer::undecided, hostile);
  e.title = e.question = e.reason = hostile, e.notes = {hostile}, e.numbers = {{hostile, 1}};
  Claim c = claim();
  c.a = c.b = c.reason = hostile, c.names[0] = hostile;
  e.claims = {c};
  e.tables = {{hostile, {hostile, hostile}, {{hostile, TableCell(hostile, true)}}, hostile}};
  HeatMap map = square(2);
  map.rows[0] = map.columns[1] = map.row_groups[0] = map.row_title = map.column_title = hostile;
  e.figures = {
      {hostile, hostile, BarChart{{hostile, "b"}, {{hostile, hostile, {{0, 0.1, hostile, {}}}}}}},
      {hostile, hostile, StackChart{{hostile, "b"}, {{hostile, hostile, {0.1, std::nullopt}}}, hostile}},
      {hostile, hostile,
       CurveChart{
           {hostile, "b"}, {{0, {{1, 0.1}, {2, 0.2}}, hostile}, {0, {{1, 0.1}, {2, 0.2}}, hostile}}, hostile, hostile}},
      {hostile, hostile, map}};
  f.experiments = {e};
  f.decision = {hostile, hostile, hostile, hostile, {{hostile, {hostile}, {{TableCell(hostile)}}}}};
  check_sound(r, f);

  const std::string page = report_html(r, f), text = report_markdown(r, f);
  CHECK_FALSE(has(page, "<img"));
  CHECK(occurrences(page, "&lt;img src=x") > 50);
  CHECK(occurrences(text, "<img") == occurrences(text, "\\<img"));
  for (const std::string& all : {page, text}) {
    CHECK_FALSE(has(all, "\xe2\x80\xae"));
    CHECK_FALSE(has(all, "\xff"));
  }
  CHECK_FALSE(has(report::heat_map_svg(map, hostile), "<img"));
  CHECK(fault(report::heat_map_svg(map, hostile)) == "");

  // A row of a table stays one line of as many cells as the table has.
  const Table table{"", {"a", "b"}, {{hostile, hostile}}};
  const std::string rows = report::markdown(table);
  CHECK(occurrences(rows, "\n") == 4);
  CHECK(occurrences(rows, "|") - occurrences(rows, "\\|") == 9);
}

TEST_CASE("report: answers come first, each as clear as the others") {
  Findings f;
  f.decision.sentence = "LoRA rank 4 becomes the default.";
  f.decision.tables = {{"What decides", {"contender"}, {{TableCell("norm")}}}};
  const Answer answers[] = {Answer::better,    Answer::worse,    Answer::equivalent,
                            Answer::undecided, Answer::measured, Answer::voided};
  for (std::size_t i = 0; i < 6; ++i)
    f.experiments.push_back(
        finding("E" + std::to_string(i + 1), answers[i], "Sentence " + std::to_string(i + 1) + "."));
  f.experiments[3].reason = "too few users: 4";
  f.experiments[5].reason = "the control is void",
  f.experiments[5].sentence = "As the control is void, nothing is said.";
  f.experiments[0].claims = {claim()}, f.experiments[0].tables = {{"In numbers", {"", "p"}, {{"a row", "0.004"}}}};
  const Results r = sound_results();
  check_sound(r, f);

  const std::string page = report_html(r, f);
  for (const std::string& report : {page, report_markdown(r, f)}) {
    auto at = report.find("LoRA rank 4 becomes the default.");
    for (std::size_t i = 0; i < 5; ++i) {
      const auto next = report.find("Sentence " + std::to_string(i + 1) + ".");
      CHECK(at < next);
      at = next;
    }
    CHECK(at < report.find("In numbers"));
    CHECK(report.find("In numbers") < report.find("this run cannot say"));
    CHECK(report.find("this run cannot say") < report.find("Fixed before the first run"));
    CHECK(has(report, "Reason: too few users: 4."));
    for (const Answer a : answers) CHECK(has(report, name(a)));
  }
  CHECK(occurrences(page, "Reason: the control is void.") == 1);  // in its section; the sentence at the top has it

  std::set<std::string_view> shapes;
  for (const Answer a : answers) {
    shapes.insert(report::mark(a));
    const std::string badge = "class=\"badge " + std::string(name(a)) + "\"";
    CHECK(occurrences(page, badge) >= 3);  // tally, answer, section
    CHECK(has(std::string(report::page_style),
              "." + std::string(name(a)) + ".badge{background:var(--" + std::string(name(a)) + ")}"));
    for (const char* place : {":root{", "dark){:root{"}) {
      const auto root = report::palette.find(place);
      CHECK(report::palette.find("--" + std::string(name(a)) + ":#", root) != std::string_view::npos);
    }
  }
  CHECK(shapes.size() == 6);
}

TEST_CASE("report: the first sentence stands out, and long words in tables have room") {
  Findings f;
  f.decision.sentence = "No default. Nobody is admissible.";
  f.experiments = {finding("E1", Answer::better, "It is better. By much.")};
  f.experiments[0].tables = {{"t", {"", "a", "b"}, {{"row", "1", "undecided: too few users, 4"}}}};
  const std::string page = report_html({}, f);
  CHECK(has(page, "<p class=\"decision\">No default.</p><p>Nobody is admissible.</p>"));
  CHECK(has(page, "<p><strong>It is better.</strong> By much.</p>"));
  CHECK(has(page,
            "<th scope=\"row\">row</th><td class=\"n\">1</td><td class=\"n long\">undecided: too few users, 4</td>"));
  CHECK(has(report_markdown({}, f), "**No default.** Nobody is admissible.\n"));
}

TEST_CASE("report: nothing measured, nobody there, nothing to draw") {
  check_sound({}, {});
  CHECK(has(report_markdown({}, {}), "No experiment has evidence"));
  CHECK(has(report_html({}, {}), "Nobody&#39;s text could be used"));

  Findings f;
  Finding e = finding("E1", Answer::measured, "");
  e.claims.resize(1), e.tables.resize(1), e.tables[0].rows.resize(1);
  e.figures = {{"a", "", BarChart{}},
               {"b", "", StackChart{}},
               {"c", "", CurveChart{}},
               {"d", "", HeatMap{}},
               {"e", "", BarChart{{}, {{"group", "", {}}}}},
               {"f", "", StackChart{{}, {{"row", "", {}}}, ""}},
               {"g", "", CurveChart{{"s"}, {{0, {}, ""}}, "x", "y"}},
               {"h", "", HeatMap{{"r"}, {"c"}, {}, {}, "", ""}}};
  f.experiments = {e};
  check_sound({}, f);
  for (const char* empty : {">a</h3>", ">b</h3>", ">c</h3>", ">d</h3>", ">g</h3>"})
    CHECK_FALSE(has(report_html({}, f), empty));
}

TEST_CASE("report: what is missing or not finite draws no number") {
  Results r = sound_results();
  Findings f;
  Finding e = finding("E1", Answer::undecided, "One user.");
  Claim alone = claim();
  alone.users = {1, {0.1, -infinite, infinite}, infinite, 1, {}};
  Claim nobody = claim();
  nobody.users = {0, {no_number, -infinite, infinite}, infinite, 1, {}};
  nobody.differences = {no_number, infinite, -infinite};
  e.claims = {alone, nobody};
  e.numbers = {{"a number", no_number}, {"another", std::nullopt}, {"third", infinite}};
  HeatMap map = square(2);
  map.values = {{no_number, infinite}, {-infinite}};
  for (const bool log : {false, true})
    e.figures.push_back(
        {"curve", "",
         CurveChart{{"s"},
                    {{0, {{no_number, 1}, {0, 0}, {-1, -1}, {1, infinite}, {1, 0.1}, {1, 0.1}}, ""}, {9, {{2, 1}}, ""}},
                    "x",
                    "y",
                    log,
                    log,
                    !log}});
  e.figures.push_back({"bars", "",
                       BarChart{{"s"},
                                {{"g",
                                  "",
                                  {{0, no_number, "–", {{no_number, infinite}}},
                                   {7, infinite, "–", {}},
                                   {0, 0.1, "+10%", {{-infinite, infinite}}}}}}}});
  e.figures.push_back(
      {"stack", "",
       StackChart{
           {"s"}, {{"g", "", {no_number, 0.1}}, {"h", "", {0.1, infinite}}, {"i", "", {0.1, 0.1, 0.1}}}, "nats"}});
  e.figures.push_back({"map", "", map});
  f.experiments = {e};
  r.base.types["odd"] = 0;
  r.adapters[0].curve = {{0, 0, no_number}, {30, 1, infinite}, {40, 2, 1}};
  r.protocol.pilots["norm"].rates = {{0.001, {no_number}}, {0.003, {}}};
  r.protocol.pilots["norm"].candidates = {{"x", no_number}, {"y", std::nullopt}};
  check_sound(r, f);
  CHECK(has(report_html(r, f), "no interval"));
  CHECK(has(report_markdown(r, f), "diverged"));
}

TEST_CASE("report: comparisons are drawn on one axis with the band of equivalence") {
  const std::vector<Claim> claims = {claim(0.1), claim(-0.1, Answer::worse)};
  const std::string picture = report::claims_picture(claims, 0.05);
  CHECK(fault(picture) == "");
  // The axis runs from 1.08 times the lowest end to 1.08 times the highest: -0.1512 to 0.1512.
  const report::Axis axis(-0.14 * 1.08, 0.14 * 1.08);
  CHECK(has(picture, "<rect x=\"" + axis.at(-0.05).text + "\" y=\"0\" width=\"" +
                         report::Extent::share(0.1 / 0.3024).text + "\" height=\"100%\" class=\"band\""));
  CHECK(has(picture, "x1=\"" + axis.at(0.06).text + "\""));  // the first one's lower end
  CHECK(has(picture, "x2=\"" + axis.at(-0.06).text + "\""));
  CHECK(occurrences(picture, "class=\"user\"") == 24);
  CHECK(has(picture, "user 3: +3.0%"));
  CHECK(has(picture, "+10.0% [+6.0%, +14.0%]"));
  CHECK(has(picture, "norm-only gains against LoRA rank 4: worse, −10.0% [−14.0%, −6.0%]"));
  for (const Claim& c : claims)
    CHECK(occurrences(picture, report::mark(c.answer)) == 2);  // beside the words, on the lane
  Claim alone = claim();
  alone.users.difference = {0.1, -infinite, infinite};
  CHECK(has(picture, "class=\"reach better\""));
  CHECK_FALSE(has(report::claims_picture(std::vector{alone}, 0.05), "class=\"reach"));
  // Even tiny differences show the whole band, and one that diverged leaves the axis within a whole.
  CHECK(has(report::claims_picture(std::vector{claim(0.0)}, 0.05), "<rect x=\"25%\" y=\"0\" width=\"50%\""));
  CHECK(has(report::claims_picture(std::vector{claim(-50)}, 0.05), "−100%"));
}

TEST_CASE("report: forty people's heat map stays readable") {
  const HeatMap map = square(40);
  const Figure figure{"forty", "", map};
  const double limit = report::colour_limit(std::vector{figure});
  const std::string svg = report::picture(map, "forty", limit);
  CHECK(fault(svg) == "");
  CHECK(occurrences(svg, "<title>") == 1600);
  CHECK(occurrences(svg, "class=\"own\"") == 40);
  CHECK(occurrences(svg, ">25</text>") == 40);
  CHECK(occurrences(svg, ">−5</text>") == 1560);
  CHECK(occurrences(svg, ">user-39</text>") == 2);
  CHECK(has(svg, ">language 3</text>"));
  CHECK(has(svg, "<title>user-3, user-5: −5.0%</title>"));
  const auto width = std::stod(svg.substr(svg.find("width=\"") + 7));
  CHECK(width <= 960);  // the page's column
  // A group stands apart from the one before it: 20 pixels for its name.
  const auto y_of = [&](const std::string& name) {
    const auto at = svg.find("class=\"end\">" + name + "<");
    return std::stod(svg.substr(svg.rfind("y=\"", at) + 3));
  };
  CHECK(y_of("user-9") - y_of("user-8") == doctest::Approx(20));
  CHECK(y_of("user-10") - y_of("user-9") == doctest::Approx(40));

  Findings f;
  f.experiments = {finding("E4", Answer::better, "Own.")};
  f.experiments[0].figures = {figure, {"two", "", square(2)}};
  check_sound(sound_results(), f);
  const std::string text = report_markdown(sound_results(), f);
  CHECK(has(text, "Drawn on the page only: forty."));
  CHECK(has(text, "| **+25%** |"));
  CHECK(has(report::heat_map_svg(map, "forty"), "prefers-color-scheme:dark"));
}

TEST_CASE("report: one diverged cell does not wash out the others") {
  HeatMap map = square(3);
  map.values[0][1] = -1e9;
  CHECK(report::colour_limit(std::vector{Figure{"", "", map}}) == doctest::Approx(std::log(2.0)));
  CHECK(report::colour_limit(std::vector{Figure{"", "", square(3)}}) == doctest::Approx(-std::log(0.75)));
  CHECK(report::colour_limit({}) == 0.05);
  CHECK(has(report::picture(map, "", std::log(2.0)), "user-0, user-1: ×1e+09"));
}

TEST_CASE("report: bars keep their intervals, and a diverged one is cut") {
  const std::string chart =
      report::picture(BarChart{{"s"}, {{"g", "", {{0, 0.2, "+20%", {{0.1, 0.4}}}, {0, -5.0, "−500%", {}}}}}});
  const report::Axis axis(-0.4, 0.4);
  CHECK(fault(chart) == "");
  CHECK(has(chart, "<rect x=\"" + axis.at(0).text + "\" y=\"5\" width=\"25%\""));
  CHECK(occurrences(chart, "class=\"whisker\"") == 3);
  CHECK(has(chart, "<line x1=\"62.5%\" y1=\"10.5\" x2=\"100%\""));
  CHECK(has(chart, "<rect x=\"0%\" y=\"18\" width=\"50%\""));
  CHECK(has(chart, "−500%"));
}

TEST_CASE("report: a stair leads on and back") {
  const StackChart chart{{"generic", "own"}, {{"ada", "", {0.4, -0.1}}, {"bo", "", {0.2, std::nullopt}}}, "nats"};
  const std::string picture = report::picture(chart);
  CHECK(fault(picture) == "");
  CHECK(has(picture, "<rect x=\"0%\" y=\"4\" width=\"100%\""));
  CHECK(has(picture, "<rect x=\"75%\" y=\"13\" width=\"25%\""));  // from 0.4 back to 0.3
  CHECK(has(picture, "ada; generic 0.400; own −0.100, in nats"));
  CHECK(has(picture, ">0.300</text>"));
  CHECK(has(picture, ">no own</text>"));
  CHECK(has(report::picture(StackChart{{"a", "b"}, {{"ada", "", {0.4}}, {"bo", "", {0.2, infinite}}}, ""}),
            "<rect x=\"0%\" y=\"4\" width=\"100%\""));
}

TEST_CASE("report: curves share a plot, or have one a series where users would hide each other") {
  CurveChart chart{{"a", "b"}, {{0, {{1, 0.1}, {100, 0.2}}, ""}, {1, {{1, 0.2}, {100, 0.3}}, ""}}, "seconds", "margin"};
  CHECK(report::pictures(chart).size() == 1);
  chart.lines.push_back({1, {{1, 0.2}, {0, 0.3}}, "anna"});
  CHECK(report::pictures(chart).size() == 2);
  chart.log_x = true;  // 0 has no place on it
  const auto plots = report::pictures(chart);
  CHECK(has(plots[0], ">10</text>"));
  CHECK(occurrences(plots[1], "<path") == 2);
  for (const std::string& plot : plots) CHECK(fault(plot) == "");
  CHECK(report::ticks(0, 0.23, 5) == std::vector<double>{0, 0.05, 0.1, 0.15000000000000002, 0.2});
  CHECK(report::log_ticks(1, 100, 4) == std::vector<double>{1, 10, 100});
  CHECK(report::log_ticks(20, 100, 4) == std::vector<double>{20, 50, 100});
  CHECK(report::log_ticks(1, 1e9, 4).size() <= 4);
}

TEST_CASE("report: what a run cannot say follows from what it did") {
  const Results sound = sound_results();
  CHECK(report::limits(sound).size() == 1);  // one base
  const auto with = [&](auto&& change) {
    Results r = sound;
    change(r);
    return limits_of(r);
  };
  CHECK(has(with([](Results& r) { r.protocol.seeds = 1; }), "One seed:"));
  CHECK(has(with([](Results& r) { r.users.resize(12); }), "12 users are few."));
  CHECK(has(with([](Results& r) { r.users.resize(3); }), "3 users: no claim about people is decided by fewer than 6."));
  CHECK(has(with([](Results& r) { r.users[1].one_work = true; }), "one work, for user-1:"));
  CHECK(has(with([](Results& r) {
              for (auto& u : r.users) u.one_work = true;
            }),
            "one work, for all 24 users:"));
  CHECK(has(with([](Results& r) { r.users[2].guessed_owner = true; }), "guessed for user-2."));
  CHECK(has(with([](Results& r) {
              for (auto& u : r.users) u.language = "English";
            }),
            "one language (English)"));
  CHECK(has(with([](Results& r) { r.left_out = {{"zoe", "too little text"}}; }), "no answer is about them: zoe."));
  CHECK(has(with([](Results& r) { r.cells[4].chunks.pop_back(); }), "about a single person: user-4."));
  CHECK(has(with([](Results& r) {
              for (auto& c : r.cells[5].chunks) c.document %= 2;
            }),
            "about a single person: user-5."));
  CHECK(has(with([](Results& r) { r.protocol.generic.erase("user-7"); }), "no generic text in English: for user-7,"));
  CHECK(has(with([](Results& r) { r.protocol.pilots["norm"].interior = false; }),
            "Not tuned, as the best learning rate tried lies at the end of the grid: norm-only gains."));
  CHECK(has(with([](Results& r) { r.protocol.pilots.erase("lora-r4"); }),
            "No pilot chose the learning rate of LoRA rank 4."));
  CHECK(has(with([](Results& r) { r.protocol.kind = "catalogue"; }), "Nothing was tuned"));
  CHECK(has(with([](Results& r) { r.protocol.roles.rivals.push_back("full"); }), "nothing is said of: full."));
  CHECK(has(with([](Results& r) { r.adapters[0].ok = false; }), "1 run failed"));
  const auto without = [&](Data::Kind kind) {
    return with([&](Results& r) {
      std::erase_if(r.adapters, [&](const AdapterRecord& a) { return a.setting.data.kind == kind; });
    });
  };
  CHECK(has(without(Data::Kind::shuffled), "Not trained on for comparison: the user's tokens in random order."));
  CHECK(has(without(Data::Kind::generic), "Not trained on for comparison: generic text of the same language."));
  CHECK(has(without(Data::Kind::real), "nothing is said of: LoRA rank 4 and norm-only gains."));
  CHECK(has(with([](Results& r) {
              for (auto& a : r.adapters)
                if (a.setting.contender == "norm") a.curve.back().validation_ppl = 14.8;  // 1.3% below 15
            }),
            "last quarter of the budget for norm-only gains (all 24 runs)"));
}

TEST_CASE("report: the method says how it was made") {
  Results r = sound_results();
  r.protocol.pilots["norm"].candidate = "lora-r1-down";
  r.protocol.pilots["norm"].candidates = {{"lora-r1-down", 2.5}, {"lora-xs", std::nullopt}};
  r.users[0].scrubbed = {{"email", 12}, {"phone", 3}}, r.users[0].skipped = {{"not text", 2}};
  r.users[0].files = {{"photo.jpg", "not text"}}, r.users[0].guessed_owner = true;
  r.left_out = {{"zoe", "too little text"}};
  r.adapters[0].ok = false, r.adapters[0].reason = "the loss is not finite at step 7";
  check_sound(r, {});
  for (const std::string& report : {report_html(r, {}), report_markdown(r, {})})
    for (const char* part : {"hash 0123abcd",
                             "SmolLM2-135M-Instruct",
                             "134,515,008",
                             "75%",
                             "±5% of perplexity",
                             "champion",
                             "rival, fallback",
                             "every norm",
                             "300 s of training an adapter",
                             "people: 24 users",
                             "600",
                             "3.100 at 0.001; diverged at 0.003",
                             "user-0 (0.001), user-1 (0.003)",
                             "lora-r1-down",
                             "photo.jpg",
                             "not text 2",
                             "email 12, phone 3",
                             "anna@example.org (guessed)",
                             "by time",
                             "feedfacefeed",
                             "the loss is not finite at step 7",
                             "norm for user-0",
                             "too little text",
                             "240, of which 1 failed",
                             "mail",
                             "Malayalam"}) {
      CAPTURE(part);
      CHECK((has(report, part) || has(report, report::escape_markdown(part))));
    }
  CHECK_FALSE(has(report_markdown(r, {}), "feedfacefeedf"));
}
