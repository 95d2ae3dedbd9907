#include "tern/text/split.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tern/core/random.hpp"

namespace {

using tern::Document;
using tern::Index;
using tern::Random;
using tern::Split;
using tern::split;

/// `bytes` or a little more of invented words in lines and paragraphs, none like another seed's.
std::string prose(std::uint64_t seed, std::size_t bytes) {
  Random random(seed);
  std::string text;
  while (text.size() < bytes) {
    for (Index words = 4 + random.below(9); words > 0; --words) {
      for (Index letters = 2 + random.below(7); letters > 0; --letters)
        text += static_cast<char>('a' + random.below(26));
      text += words > 1 ? ' ' : '\n';
    }
    if (random.below(5) == 0) text += '\n';
  }
  return text;
}

std::vector<Document> documents(std::size_t count, std::size_t bytes, std::uint64_t seed = 1) {
  std::vector<Document> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({"d" + std::to_string(i), prose(1000 * seed + i, bytes), {}, 0});
  return all;
}

Document sorted_document(std::uint64_t seed, int count) {
  std::vector<std::string> words;
  for (int i = 0; i < count; ++i) words.push_back(prose(seed + static_cast<std::uint64_t>(i), 20));
  for (std::string& word : words) std::replace(word.begin(), word.end(), '\n', ' ');
  std::sort(words.begin(), words.end());
  Document document{"sorted", "", {}, 0};
  for (const std::string& word : words) document.text += word + '\n';
  return document;
}

/// Every line of every document, and the part it went to.
std::map<std::string, std::string> places(const Split& result) {
  std::map<std::string, std::string> all;
  const auto add = [&](const char* part, const std::vector<Split::Piece>& pieces) {
    for (const auto& piece : pieces)
      for (std::string_view line : tern::detail::lines(piece.text)) all[std::string(line)] = part;
  };
  add("train", result.train);
  add("validation", result.validation);
  add("held-out", result.held_out);
  return all;
}

/// Lines of `before` that lie elsewhere in `after`.
Index moved(const Split& before, const Split& after) {
  const auto was = places(before), is = places(after);
  Index count = 0;
  for (const auto& [line, part] : was) count += !line.empty() && (is.count(line) == 0 || is.at(line) != part);
  return count;
}

tern::Shingles shingles(const std::vector<Split::Piece>& pieces, Index words) {
  tern::Shingles all;
  for (const auto& piece : pieces) tern::add_shingles(piece.text, words, all);
  return all;
}

Index shared(const tern::Shingles& a, const tern::Shingles& b) {
  return std::count_if(a.begin(), a.end(), [&](std::uint64_t shingle) { return b.count(shingle) > 0; });
}

Index bytes(const std::vector<Split::Piece>& pieces) { return tern::detail::total_bytes(pieces); }

}  // namespace

TEST_CASE("split: several documents go whole, about 80 : 10 : 10") {
  const auto all = documents(400, 600);
  const Split result = split(all);
  CHECK(result.method == "by document");
  CHECK_FALSE(result.left_out);
  CHECK(result.train.size() + result.validation.size() + result.held_out.size() == all.size());
  const auto whole = static_cast<double>(bytes(result.train) + bytes(result.validation) + bytes(result.held_out));
  CHECK(static_cast<double>(bytes(result.held_out)) / whole == doctest::Approx(0.1).epsilon(0.4));
  CHECK(static_cast<double>(bytes(result.validation)) / whole == doctest::Approx(0.1).epsilon(0.4));
}

TEST_CASE("split: few documents are cut, head to tail") {
  const auto all = documents(2, 50'000);
  const Split result = split(all);
  CHECK(result.method == "contiguous");
  REQUIRE(result.train.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto &train = result.train[i].text, &validation = result.validation[i].text,
               &held_out = result.held_out[i].text;
    CHECK(train + validation + held_out == all[i].text);
    CHECK(static_cast<double>(held_out.size()) / static_cast<double>(all[i].text.size()) ==
          doctest::Approx(0.1).epsilon(0.15));
    CHECK(train.substr(train.size() - 2) == "\n\n");  // at the end of a paragraph
    CHECK(validation.substr(validation.size() - 2) == "\n\n");
  }
}

TEST_CASE("split: the same at every run, in any order of documents") {
  for (std::size_t count : {1u, 3u, 60u}) {
    auto all = documents(count, 9'000);
    const Split first = split(all);
    CHECK(split(all).hash == first.hash);
    std::reverse(all.begin(), all.end());
    CHECK(split(all).hash == first.hash);
    all[0].text += "one more line of words\n";
    CHECK(split(all).hash != first.hash);
  }
}

TEST_CASE("split: a renamed document stays") {
  auto all = documents(60, 2'000);
  const Split before = split(all);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].name = "renamed" + std::to_string(97 * i % 61);
  CHECK(moved(before, split(all)) == 0);
}

TEST_CASE("split: adding documents moves nothing") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto all = documents(40, 1'500, seed);
    all.push_back({"long", prose(seed + 77, 150'000), {}, 0});
    Split before = split(all);
    REQUIRE(before.method == "by document");
    for (std::size_t added = 0; added < 12; ++added) {
      all.push_back({"a" + std::to_string(added), prose(9'000 + 100 * seed + added, 500 + 9'000 * added), {}, 0});
      const Split after = split(all);
      CHECK(after.method == "by document");
      CHECK(moved(before, after) == 0);
      before = after;
    }
  }
}

TEST_CASE("split: a growing folder changes its method at most once") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::vector<Document> all;
    bool was_by_document = false;
    Split before;
    for (std::size_t i = 0; i < 40; ++i) {
      all.push_back({"d" + std::to_string(i), prose(500 * seed + i, 3'000), {}, 0});
      const Split after = split(all);
      const bool by_document = after.method == "by document";
      CHECK_FALSE((was_by_document && !by_document));
      if (i > 0 && by_document == was_by_document) CHECK(moved(before, after) == 0);
      if (i < 7) CHECK_FALSE(by_document);
      was_by_document = by_document;
      before = after;
    }
    CHECK(was_by_document);
  }
}

TEST_CASE("split: sorted lines go in blocks of one first word, and stay there") {
  const Document document = sorted_document(5'000, 3'000);
  REQUIRE(tern::detail::is_sorted_by_line(document.text));
  const Split result = split({document});
  CHECK_FALSE(result.left_out);
  std::map<std::string, std::set<std::string>> parts_of_word;
  for (const auto& [line, part] : places(result))
    parts_of_word[std::string(tern::detail::first_word(line))].insert(part);
  for (const auto& entry : parts_of_word) CHECK(entry.second.size() == 1);
  // Held-out lines come from all over the alphabet.
  std::set<char> initials;
  for (std::string_view line : tern::detail::lines(result.held_out.at(0).text)) initials.insert(line.front());
  CHECK(initials.size() > 20);
  // A line more moves no other.
  Document more = document;
  more.text.insert(more.text.find('\n') + 1, "a quite new line\n");
  CHECK(moved(result, split({more})) == 0);
}

TEST_CASE("split: prose, code and logs are not sorted") {
  CHECK_FALSE(tern::detail::is_sorted_by_line(prose(3, 50'000)));
  std::string code, log, same;
  for (int i = 0; i < 200; ++i) {
    code += i % 3 == 0 ? "for (int i = 0;\n" : i % 3 == 1 ? "  a[i] += b;\n" : "}\n";
    log += "2020-01-01 10:" + std::to_string(10 + i % 50) + " words\n";
    same += "the same word first " + std::to_string(i) + "\n";
  }
  CHECK_FALSE(tern::detail::is_sorted_by_line(code));
  CHECK_FALSE(tern::detail::is_sorted_by_line(log));
  CHECK_FALSE(tern::detail::is_sorted_by_line(same));
  CHECK_FALSE(tern::detail::is_sorted_by_line("a\nb\nc\n"));
}

TEST_CASE("split: nothing in train stands in held-out or validation text") {
  auto all = documents(60, 3'000);
  const Split clean = split(all);
  CHECK(clean.duplicates_removed == 0);
  // Copies with one word changed, and a paragraph that is everywhere.
  const std::string creed = prose(31'337, 200);
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; i += 2) {
    Document copy = all[i];
    copy.name += "-copy";
    copy.text.insert(copy.text.size() / 2, " inserted ");
    all.push_back(copy);
  }
  for (Document& document : all) document.text += "\n" + creed;
  for (Index words : {8, 13}) {
    tern::SplitOptions options;
    options.shingle_words = words;
    const Split result = split(all, options);
    CHECK(result.duplicates_removed > 0);
    const auto train = shingles(result.train, words), validation = shingles(result.validation, words),
               held_out = shingles(result.held_out, words);
    CHECK(shared(train, held_out) == 0);
    CHECK(shared(train, validation) == 0);
    CHECK(shared(validation, held_out) == 0);
    CHECK(places(result).at(std::string(tern::detail::lines(creed).front())) == "held-out");
  }
}

TEST_CASE("split: too little text is left out with the reason") {
  CHECK(split({}).left_out == "training text: expected at least 2048 bytes, got 0");
  CHECK(split({{"a", "word", {}, 0}}).left_out.value_or("").find("expected at least") != std::string::npos);
  CHECK(split(documents(1, 600)).left_out.has_value());
  CHECK(split(documents(9, 100)).left_out.has_value());
  CHECK_FALSE(split(documents(1, 12'000)).left_out);
  tern::SplitOptions options;
  options.shingle_words = 0;
  CHECK_THROWS_AS(split(documents(1, 9'000), options), tern::ValueError);
  options = {};
  options.held_out = 0.95;
  CHECK_THROWS_AS(split(documents(1, 9'000), options), tern::ValueError);
}

TEST_CASE("split: the hash of content is pinned") {
  CHECK(tern::hex(tern::content_hash("")) == "f52a15e9a9b5e89b");
  CHECK(tern::hex(tern::content_hash("tern")) != tern::hex(tern::content_hash("ternn")));
}

namespace {

/// A document a day, each of `bytes` bytes.
std::vector<Document> diary(std::size_t days, std::size_t bytes, std::uint64_t seed = 1) {
  auto all = documents(days, bytes, seed);
  for (std::size_t i = 0; i < days; ++i) all[i].time = static_cast<tern::Time>(86'400 * (i * 7 % days));
  return all;
}

/// The times of the documents in a part: the first and the last.
std::pair<tern::Time, tern::Time> span(const std::vector<Document>& all, const std::vector<Split::Piece>& pieces) {
  std::pair<tern::Time, tern::Time> span{1LL << 60, -1};
  for (const auto& piece : pieces)
    for (const Document& document : all)
      if (document.name == piece.document && document.time)
        span = {std::min(span.first, *document.time), std::max(span.second, *document.time)};
  return span;
}

}  // namespace

TEST_CASE("split: dated documents train on the past and score the future") {
  const auto all = diary(100, 600);
  const Split result = split(all);
  CHECK(result.method == "by time");
  CHECK_FALSE(result.one_work);
  CHECK(result.train.size() == 80);
  CHECK(result.validation.size() == 10);
  CHECK(result.held_out.size() == 10);
  CHECK(span(all, result.train).second < span(all, result.validation).first);
  CHECK(span(all, result.validation).second < span(all, result.held_out).first);
  auto reversed = all;
  std::reverse(reversed.begin(), reversed.end());
  CHECK(split(reversed).hash == result.hash);

  tern::SplitOptions random;
  random.by_time = false;
  CHECK(split(all, random).method == "by document");
}

TEST_CASE("split: undated documents of a dated person train; many of them end the order of time") {
  auto all = diary(50, 600);
  const auto undated = documents(4, 600, 9);
  for (std::size_t i = 0; i < 4; ++i) {
    all.push_back(undated[i]);
    all.back().name = "undated" + std::to_string(i);
  }
  const Split result = split(all);
  CHECK(result.method == "by time");
  for (std::size_t i = 0; i < 4; ++i) CHECK(result.train.at(i).document.starts_with("undated"));
  for (int i = 0; i < 3; ++i) all[static_cast<std::size_t>(i)].time.reset();
  CHECK(split(all).method == "by document");
}

TEST_CASE("split: documents of one time stay together, and one time for all is no order") {
  auto all = diary(100, 600);
  for (Document& document : all) document.time = *document.time / (86'400 * 10);  // ten times ten
  const Split result = split(all);
  CHECK(result.method == "by time");
  CHECK(span(all, result.train) == std::pair<tern::Time, tern::Time>(0, 7));
  CHECK(span(all, result.validation) == std::pair<tern::Time, tern::Time>(8, 8));
  CHECK(span(all, result.held_out) == std::pair<tern::Time, tern::Time>(9, 9));
  for (Document& document : all) document.time = 7;
  CHECK(split(all).method == "by document");
}

TEST_CASE("split: one work is a single document, or documents that are cut") {
  CHECK(split(documents(1, 50'000)).one_work);
  CHECK(split(documents(2, 50'000)).one_work);
  CHECK_FALSE(split(documents(60, 3'000)).one_work);
}
