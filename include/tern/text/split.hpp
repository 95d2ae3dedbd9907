#pragma once
/// Train, validation and held-out text of one person: never shuffled sentences, the same at every run.
///
/// What decides is each document's own content, so adding a document moves no other one:
/// - *by document*: a document goes whole where its hash falls, 80 : 10 : 10. One longer than `long_bytes` would decide
///   the proportions alone; it is cut instead.
/// - *contiguous*: each document is cut in itself: its head trains, its tail is held out, validation lies between. Cuts
///   fall on ends of paragraphs, else of lines, else of words.
/// - A document to be cut whose lines are sorted (sentences in alphabetical order) has no head or tail: its lines go in
///   blocks of those that begin with the same word, each block where that word's hash falls.
/// The first needs several documents and enough in each part; otherwise the second holds for all. One rule for both
/// cannot be had, since few documents by hash leave parts empty. So there is a single exception, the document with
/// which a folder grows from few to several: `method` changes from "contiguous" to "by document", and never back,
/// because its conditions (a number of documents, bytes in each part) only grow. An edited document is another one.
///
/// Then lines of train that share a shingle (deduplicate.hpp) with held-out or validation text are removed, and those
/// of validation that share one with held-out text. The held-out part is cut into eval texts of nearly equal size.
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
  Index texts = 3;            ///< eval texts
  Index several = 8;          ///< documents from which on they are split whole
  Index long_bytes = 65'536;  ///< longer documents are cut nevertheless
  Index shingle_words = 13;
  /// A person with less is left out.
  Index min_train_bytes = 2'048, min_validation_bytes = 256, min_held_out_bytes = 768;
};

/// One person's parts. Pieces stand in the order of their documents' names.
struct Split {
  struct Piece {
    std::string document;
    std::string text;
  };
  std::vector<Piece> train, validation, held_out;
  std::vector<std::string> texts;       ///< the held-out pieces, joined and cut anew
  std::string method;                   ///< "by document" or "contiguous"
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

inline Split assign(const std::vector<const Document*>& documents, bool by_document, const SplitOptions& options) {
  Split split;
  split.method = by_document ? "by document" : "contiguous";
  for (const Document* document : documents) {
    if (by_document && static_cast<Index>(document->text.size()) <= options.long_bytes)
      add_piece(split, part_of(content_hash(document->text), options), document->name, document->text);
    else
      cut_document(split, *document, options);
  }
  return split;
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

/// The pieces' texts, a blank line between documents.
inline std::string joined(const std::vector<Split::Piece>& pieces) {
  std::string text;
  for (const Split::Piece& piece : pieces) {
    if (!text.empty()) text += '\n';
    text += piece.text;
    if (text.back() != '\n') text += '\n';
  }
  return text;
}

inline std::uint64_t hash_of(const Split& split) {
  std::uint64_t hash = content_hash("tern split 1");
  for (const auto* part : {&split.train, &split.validation, &split.held_out}) {
    hash = content_hash("part", hash);
    for (const Split::Piece& piece : *part) hash = content_hash(piece.text, hash + piece.text.size());
  }
  for (const std::string& text : split.texts) hash = content_hash(text, hash + text.size());
  return hash;
}

}  // namespace detail

/// Splits one person's documents; their order does not matter. Too little text is no error: see `left_out`. Throws
/// ValueError if an option is outside its meaning.
inline Split split(const std::vector<Document>& documents, const SplitOptions& options = {}) {
  if (!(options.validation > 0 && options.held_out > 0 && options.validation + options.held_out < 1))
    throw ValueError("split: expected shares of validation and held-out text above 0 that leave some to train");
  if (options.texts < 1 || options.shingle_words < 1)
    throw ValueError("split: expected at least one eval text and one word a shingle, got " +
                     std::to_string(options.texts) + " and " + std::to_string(options.shingle_words));
  std::vector<const Document*> ordered;
  for (const Document& document : documents) ordered.push_back(&document);
  std::sort(ordered.begin(), ordered.end(), [](const Document* a, const Document* b) {
    return std::tie(a->name, a->text) < std::tie(b->name, b->text);
  });

  Split result = detail::assign(ordered, true, options);
  if (static_cast<Index>(ordered.size()) < options.several || detail::shortage(result, options))
    result = detail::assign(ordered, false, options);
  detail::deduplicate(result, options.shingle_words);
  result.left_out = detail::shortage(result, options);
  if (!result.held_out.empty()) result.texts = detail::cut_evenly(detail::joined(result.held_out), options.texts);
  result.hash = detail::hash_of(result);
  return result;
}

}  // namespace tern
