#pragma once
/// Train, validation and held-out text of one person: never shuffled sentences, the same at every run.
///
/// - *by time*, where documents are dated: the past trains, the future is scored. In the order of their times the first
///   80% of the bytes train, the next 10% validate, the rest is held out; documents of one time stay together. Undated
///   documents, at most a tenth of the bytes, train.
/// - *by document*: a document goes whole where its own hash falls, 80 : 10 : 10, so adding one moves no other. One
/// longer
///   than `long_bytes` would decide the proportions alone; it is cut instead, as below.
/// - *contiguous*: each document is cut in itself: its head trains, its tail is held out, validation lies between. Cuts
///   fall on ends of paragraphs, else of lines, else of words.
/// - A document to be cut whose lines are sorted (sentences in alphabetical order) has no head or tail: its lines go in
///   blocks of those that begin with the same word, each block where that word's hash falls.
/// The first of these rules holds that finds several documents and leaves enough in each part; the third always can. By
/// time, later documents move the borders. By document none moves but in a single case, the one with which a folder
/// grows from few to several: `method` changes from "contiguous" to "by document", and never back, because its
/// conditions (a number of documents, bytes in each part) only grow. An edited document is another one.
///
/// Then lines of train that share a shingle (deduplicate.hpp) with held-out or validation text are removed, and those
/// of validation that share one with held-out text.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/content_hash.hpp"
#include "tern/text/cut.hpp"
#include "tern/text/deduplicate.hpp"
#include "tern/text/document.hpp"

namespace tern {

struct SplitOptions {
  double validation = 0.1;  ///< share of the text
  double held_out = 0.1;
  bool by_time = true;        ///< false: at random, by document, dated ones too
  Index several = 8;          ///< documents from which on they are split whole
  Index long_bytes = 65'536;  ///< longer documents are cut nevertheless
  Index shingle_words = 13;
  /// A person with less is left out.
  Index min_train_bytes = 2'048, min_validation_bytes = 256, min_held_out_bytes = 768;
};

/// One person's parts. Pieces stand in the order of their documents' names, by time in that of their times.
struct Split {
  struct Piece {
    std::string document;
    std::string text;
  };
  std::vector<Piece> train, validation, held_out;
  std::string method;  ///< "by time", "by document" or "contiguous"
  /// All that is scored comes from works that were trained on, too: what holds is said of them, not of the person.
  bool one_work = false;
  Index duplicates_removed = 0;         ///< lines
  std::uint64_t hash = 0;               ///< of all the parts' text; results name it in hex
  std::optional<std::string> left_out;  ///< why this person cannot take part
};

namespace detail {

enum class Part { train, validation, held_out };

inline Part part_of(std::uint64_t hash, const SplitOptions& options) {
  const double u = static_cast<double>(hash >> 11) * 0x1p-53;
  if (u < options.held_out) return Part::held_out;
  return u < options.held_out + options.validation ? Part::validation : Part::train;
}

inline std::vector<Split::Piece>& pieces(Split& split, Part part) {
  return part == Part::train ? split.train : part == Part::validation ? split.validation : split.held_out;
}

inline Index total_bytes(const std::vector<Split::Piece>& pieces) {
  Index bytes = 0;
  for (const Split::Piece& piece : pieces) bytes += static_cast<Index>(piece.text.size());
  return bytes;
}

inline void add_piece(Split& split, Part part, const std::string& document, std::string text) {
  if (!trim(text).empty()) pieces(split, part).push_back({document, std::move(text)});
}

inline void cut_document(Split& split, const Document& document, const SplitOptions& options) {
  const std::string_view text = document.text;
  if (is_sorted_by_line(text)) {
    std::array<std::string, 3> parts;
    for (std::string_view line : lines(text))
      parts[static_cast<std::size_t>(part_of(content_hash(first_word(line)), options))].append(line) += '\n';
    for (Part part : {Part::train, Part::validation, Part::held_out})
      add_piece(split, part, document.name, std::move(parts[static_cast<std::size_t>(part)]));
    return;
  }
  const auto size = static_cast<double>(text.size());
  const std::size_t first =
      cut_near(text, static_cast<std::size_t>(size * (1 - options.held_out - options.validation)));
  const std::size_t second = std::max(first, cut_near(text, static_cast<std::size_t>(size * (1 - options.held_out))));
  add_piece(split, Part::train, document.name, std::string(text.substr(0, first)));
  add_piece(split, Part::validation, document.name, std::string(text.substr(first, second - first)));
  add_piece(split, Part::held_out, document.name, std::string(text.substr(second)));
}

/// Which part is too small to work with; none if all will do.
inline std::optional<std::string> shortage(const Split& split, const SplitOptions& options) {
  const auto lacking = [](const char* part, Index bytes, Index least) {
    return std::string(part) + " text: expected at least " + std::to_string(least) + " bytes, got " +
           std::to_string(bytes);
  };
  const Index train = total_bytes(split.train), validation = total_bytes(split.validation),
              held_out = total_bytes(split.held_out);
  if (train < options.min_train_bytes) return lacking("training", train, options.min_train_bytes);
  if (validation < options.min_validation_bytes) return lacking("validation", validation, options.min_validation_bytes);
  if (held_out < options.min_held_out_bytes) return lacking("held-out", held_out, options.min_held_out_bytes);
  return std::nullopt;
}

enum class Method { by_time, by_document, contiguous };

inline std::string_view name(Method method) {
  constexpr std::string_view names[] = {"by time", "by document", "contiguous"};
  return names[static_cast<std::size_t>(method)];
}

/// Places documents in order of time: those of one time go together, where the middle of their bytes lies.
inline void assign_by_time(std::vector<const Document*> documents, const SplitOptions& options, Split& split) {
  std::stable_sort(documents.begin(), documents.end(),
                   [](const Document* a, const Document* b) { return a->time < b->time; });  // undated ones first
  const auto dated =
      std::find_if(documents.begin(), documents.end(), [](const Document* d) { return d->time.has_value(); });
  double all = 0, before = 0;
  for (auto d = dated; d != documents.end(); ++d) all += static_cast<double>((*d)->text.size());
  for (auto d = documents.begin(); d != dated; ++d) add_piece(split, Part::train, (*d)->name, (*d)->text);
  for (auto first = dated; first != documents.end();) {
    double bytes = 0;
    auto last = first;
    for (; last != documents.end() && (*last)->time == (*first)->time; ++last)
      bytes += static_cast<double>((*last)->text.size());
    const double middle = (before + bytes / 2) / all;
    const Part part = middle < 1 - options.held_out - options.validation ? Part::train
                      : middle < 1 - options.held_out                    ? Part::validation
                                                                         : Part::held_out;
    for (; first != last; ++first) add_piece(split, part, (*first)->name, (*first)->text);
    before += bytes;
  }
}

inline Split assign(const std::vector<const Document*>& documents, Method method, const SplitOptions& options) {
  Split split;
  split.method = name(method);
  split.one_work = documents.size() == 1 || method == Method::contiguous;
  if (method == Method::by_time) {
    assign_by_time(documents, options, split);
    return split;
  }
  for (const Document* document : documents) {
    if (method == Method::by_document && static_cast<Index>(document->text.size()) <= options.long_bytes)
      add_piece(split, part_of(content_hash(document->text), options), document->name, document->text);
    else
      cut_document(split, *document, options);
  }
  return split;
}

/// Whether dated documents are several and nine tenths of the bytes.
inline bool is_dated(const std::vector<const Document*>& documents, const SplitOptions& options) {
  Index dated = 0;
  std::size_t bytes = 0, dated_bytes = 0;
  for (const Document* d : documents) {
    bytes += d->text.size();
    if (!d->time) continue;
    ++dated;
    dated_bytes += d->text.size();
  }
  return dated >= options.several && 10 * dated_bytes >= 9 * bytes;
}

inline void deduplicate(Split& split, Index shingle_words) {
  Shingles known;
  const auto learn = [&](const std::vector<Split::Piece>& part) {
    for (const Split::Piece& piece : part) add_shingles(piece.text, shingle_words, known);
  };
  const auto forget = [&](std::vector<Split::Piece>& part) {
    for (Split::Piece& piece : part) split.duplicates_removed += remove_shared(piece.text, shingle_words, known);
    std::erase_if(part, [](const Split::Piece& piece) { return trim(piece.text).empty(); });
  };
  learn(split.held_out);
  forget(split.validation);
  learn(split.validation);
  forget(split.train);
}

inline std::uint64_t hash_of(const Split& split) {
  std::uint64_t hash = content_hash("tern split 2");
  for (const auto* part : {&split.train, &split.validation, &split.held_out}) {
    hash = content_hash("part", hash);
    for (const Split::Piece& piece : *part) hash = content_hash(piece.text, hash + piece.text.size());
  }
  return hash;
}

}  // namespace detail

/// Splits one person's documents; their order does not matter. Too little text is no error: see `left_out`. Throws
/// ValueError if an option is outside its meaning.
inline Split split(const std::vector<Document>& documents, const SplitOptions& options = {}) {
  if (!(options.validation > 0 && options.held_out > 0 && options.validation + options.held_out < 1))
    throw ValueError("split: expected shares of validation and held-out text above 0 that leave some to train");
  if (options.shingle_words < 1)
    throw ValueError("split: expected at least one word a shingle, got " + std::to_string(options.shingle_words));
  std::vector<const Document*> ordered;
  for (const Document& document : documents) ordered.push_back(&document);
  std::sort(ordered.begin(), ordered.end(), [](const Document* a, const Document* b) {
    return std::tie(a->name, a->text) < std::tie(b->name, b->text);
  });

  using detail::Method;
  std::vector<Method> methods;
  if (options.by_time && detail::is_dated(ordered, options)) methods.push_back(Method::by_time);
  if (static_cast<Index>(ordered.size()) >= options.several) methods.push_back(Method::by_document);
  methods.push_back(Method::contiguous);
  Split result;
  for (const Method method : methods) {
    result = detail::assign(ordered, method, options);
    if (!detail::shortage(result, options)) break;
  }
  detail::deduplicate(result, options.shingle_words);
  result.left_out = detail::shortage(result, options);
  result.hash = detail::hash_of(result);
  return result;
}

}  // namespace tern
