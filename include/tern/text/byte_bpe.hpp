#pragma once
/// Byte-level byte-pair encoding: text to token ids and back (GPT-2, Llama 3, SmolLM2, Qwen 2, BitNet).
#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/added_tokens.hpp"
#include "tern/text/bpe_vocabulary.hpp"
#include "tern/text/merge_table.hpp"
#include "tern/text/normalize.hpp"
#include "tern/text/pre_tokenizer.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

/// Whether special tokens written in the text, such as <|im_start|>, become their ids. In people's text they must not:
/// nobody may speak as the system by typing its markers.
enum class SpecialTokens { as_text, parse };

/// A tokenizer. Immutable; one object serves many threads.
///   text -> added tokens cut out -> NFC, if the vocabulary wants it -> pieces (PreTokenizer) -> bytes -> merges
/// Merging a piece of n bytes takes O(n log n).
class ByteBpe {
 public:
  /// Throws FormatError if an id is out of range, a merge's bytes are not those of its parts, or two tokens are equal.
  explicit ByteBpe(BpeVocabulary vocabulary)
      : vocabulary_(std::move(vocabulary)), merges_(checked_merges()), pieces_(vocabulary_.split_patterns) {
    check_special_ids();
    add_added_tokens();
    index_tokens();
  }

  /// The ids of `text`, without BOS or EOS. Throws FormatError on ill-formed UTF-8 and ValueError beyond 2^31 bytes or
  /// the pre-tokenizer's limits. A byte that has no token becomes `unknown`, or is dropped if there is none.
  std::vector<Token> encode(std::string_view text, SpecialTokens specials = SpecialTokens::as_text) const {
    if (text.size() > std::numeric_limits<std::int32_t>::max())
      throw ValueError("tokenizer: expected a text below 2^31 bytes, got " + std::to_string(text.size()));
    if (const std::size_t bad = detail::find_ill_formed(text); bad != std::string_view::npos)
      throw FormatError("tokenizer: text at byte " + std::to_string(bad) + ": expected well-formed UTF-8");

    std::vector<Token> ids;
    Workspace work;
    const bool parse = specials == SpecialTokens::parse;
    const auto found = [&](Token id) { ids.push_back(id); };
    const auto plain = [&](std::string_view gap) {
      pieces_.split(gap, [&](std::string_view piece) { encode_piece(piece, work, ids); });
    };
    const auto normalized = [&](std::string_view gap) {
      if (vocabulary_.nfc)
        added_normalized_.split(nfc(gap), parse, plain, found);
      else
        added_normalized_.split(gap, parse, plain, found);
    };
    added_.split(text, parse, normalized, found);
    return ids;
  }

  /// The bytes of `ids`: UTF-8 if they are whole texts, perhaps cut inside a character otherwise.
  /// Throws ValueError on an id outside the vocabulary.
  std::string decode(std::span<const Token> ids) const {
    std::string bytes;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!contains(ids[i]))
        throw ValueError("tokenizer: decode: ids[" + std::to_string(i) + "]: expected below " +
                         std::to_string(vocabulary_.tokens.size()) + ", got " + std::to_string(ids[i]));
      bytes += vocabulary_.tokens[static_cast<std::size_t>(ids[i])];
    }
    return bytes;
  }

  Index size() const { return static_cast<Index>(vocabulary_.tokens.size()); }
  const BpeVocabulary& vocabulary() const { return vocabulary_; }

 private:
  /// A run of the piece's bytes that is one token so far; a doubly linked list by position in the piece.
  struct Symbol {
    Token id;
    std::int32_t previous, next;
  };

  /// Two neighbours that may merge. It is stale once either has merged otherwise.
  struct Candidate {
    std::int32_t rank, at;
    Token left, right, merged;
    bool operator<(const Candidate& other) const {  // the heap's top is the lowest rank, then the leftmost
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };

  struct Workspace {
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
  };

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };

  static constexpr Token none = -1;

  bool contains(Token id) const { return id >= 0 && static_cast<std::size_t>(id) < vocabulary_.tokens.size(); }

  const std::string& bytes(Token id) const { return vocabulary_.tokens[static_cast<std::size_t>(id)]; }

  [[noreturn]] static void fail(std::string_view field, std::size_t index, const std::string& problem) {
    throw FormatError("tokenizer: " + std::string(field) + "[" + std::to_string(index) + "]: " + problem);
  }

  void expect_id(std::string_view field, std::size_t index, Token id) const {
    if (!contains(id))
      fail(field, index,
           "expected an id below " + std::to_string(vocabulary_.tokens.size()) + ", got " + std::to_string(id));
  }

  const std::vector<BpeMerge>& checked_merges() const {
    const std::vector<BpeMerge>& merges = vocabulary_.merges;
    for (std::size_t i = 0; i < merges.size(); ++i) {
      const BpeMerge& m = merges[i];
      for (Token id : {m.left, m.right, m.merged}) expect_id("merges", i, id);
      const std::string &left = bytes(m.left), &right = bytes(m.right), &merged = bytes(m.merged);
      if (left.empty() || right.empty() || merged.size() != left.size() + right.size() || !merged.starts_with(left) ||
          !merged.ends_with(right))
        fail("merges", i,
             "expected the bytes of tokens " + std::to_string(m.left) + " and " + std::to_string(m.right) +
                 ", got those of " + std::to_string(m.merged));
    }
    return merges;
  }

  void check_special_ids() const {
    const auto check = [&](std::string_view name, std::optional<Token> id) {
      if (id && !contains(*id))
        throw FormatError("tokenizer: " + std::string(name) + ": expected an id below " +
                          std::to_string(vocabulary_.tokens.size()) + ", got " + std::to_string(*id));
    };
    check("bos", vocabulary_.bos);
    check("eos", vocabulary_.eos);
    check("unknown", vocabulary_.unknown);
    if (vocabulary_.add_bos && !vocabulary_.bos) throw FormatError("tokenizer: add_bos: expected a bos id, got none");
  }

  void add_added_tokens() {
    is_added_.assign(vocabulary_.tokens.size(), false);
    std::vector<detail::AddedTokenMatcher::Entry> raw, normalized;
    for (std::size_t i = 0; i < vocabulary_.added.size(); ++i) {
      const AddedToken& added = vocabulary_.added[i];
      expect_id("added", i, added.id);
      if (is_added_[static_cast<std::size_t>(added.id)])
        fail("added", i, "expected an id of its own, got " + std::to_string(added.id) + " again");
      is_added_[static_cast<std::size_t>(added.id)] = true;
      if (!added.normalized)
        raw.push_back({bytes(added.id), added.id, added.special});
      else
        normalized.push_back({vocabulary_.nfc ? nfc(bytes(added.id)) : bytes(added.id), added.id, added.special});
    }
    added_ = detail::AddedTokenMatcher(raw);
    added_normalized_ = detail::AddedTokenMatcher(normalized);
  }

  void index_tokens() {
    id_of_.reserve(vocabulary_.tokens.size());
    for (std::size_t i = 0; i < vocabulary_.tokens.size(); ++i) {
      if (is_added_[i] || vocabulary_.tokens[i].empty()) continue;
      const auto [at, is_new] = id_of_.emplace(vocabulary_.tokens[i], static_cast<Token>(i));
      if (!is_new) fail("tokens", i, "expected bytes of its own, got those of token " + std::to_string(at->second));
    }
    for (std::size_t byte = 0; byte < token_of_byte_.size(); ++byte) {
      const auto found = id_of_.find(std::string(1, static_cast<char>(byte)));
      token_of_byte_[byte] = found != id_of_.end() ? found->second : vocabulary_.unknown.value_or(none);
    }
  }

  void encode_piece(std::string_view piece, Workspace& work, std::vector<Token>& ids) const {
    if (vocabulary_.ignore_merges) {
      if (const auto whole = id_of_.find(piece); whole != id_of_.end()) {
        ids.push_back(whole->second);
        return;
      }
    }
    std::vector<Symbol>& symbols = work.symbols;
    symbols.clear();
    for (const char c : piece) {
      const Token id = token_of_byte_[static_cast<unsigned char>(c)];
      const auto at = static_cast<std::int32_t>(symbols.size());
      if (id != none) symbols.push_back({id, at - 1, at + 1});
    }
    if (symbols.empty()) return;
    symbols.back().next = none;
    merge(work);
    for (std::int32_t at = 0; at != none; at = symbols[static_cast<std::size_t>(at)].next)
      ids.push_back(symbols[static_cast<std::size_t>(at)].id);
  }

  /// Merges work.symbols until no merge applies. A symbol absorbs its right neighbour and keeps its place.
  void merge(Workspace& work) const {
    const auto symbol = [&](std::int32_t at) -> Symbol& { return work.symbols[static_cast<std::size_t>(at)]; };
    const auto propose = [&](std::int32_t at) {
      const std::int32_t next = symbol(at).next;
      if (next == none) return;
      if (const auto* merge = merges_.find(symbol(at).id, symbol(next).id)) {
        work.heap.push_back({merge->rank, at, symbol(at).id, symbol(next).id, merge->merged});
        std::push_heap(work.heap.begin(), work.heap.end());
      }
    };
    work.heap.clear();
    for (std::size_t at = 0; at < work.symbols.size(); ++at) propose(static_cast<std::int32_t>(at));
    while (!work.heap.empty()) {
      std::pop_heap(work.heap.begin(), work.heap.end());
      const Candidate best = work.heap.back();
      work.heap.pop_back();
      Symbol& left = symbol(best.at);
      if (left.id != best.left || left.next == none || symbol(left.next).id != best.right) continue;
      Symbol& right = symbol(left.next);
      right.id = none;  // candidates that start here are stale
      left.id = best.merged;
      left.next = right.next;
      if (left.next != none) symbol(left.next).previous = best.at;
      if (left.previous != none) propose(left.previous);
      propose(best.at);
    }
  }

  BpeVocabulary vocabulary_;
  detail::MergeTable merges_;
  PreTokenizer pieces_;
  detail::AddedTokenMatcher added_, added_normalized_;
  std::vector<bool> is_added_;
  std::unordered_map<std::string, Token, Hash, std::equal_to<>> id_of_;  // ordinary tokens
  std::array<Token, 256> token_of_byte_{};
};

}  // namespace tern
