#pragma once
/// What a byte-level BPE tokenizer is made of, as plain data. Loaders fill it (tokenizer_json.hpp, gguf_vocabulary.hpp,
/// tiktoken.hpp), ByteBpe runs it.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/token.hpp"

namespace tern {

/// Two adjacent tokens become one. Among the merges that apply, the lowest rank goes first, then the leftmost.
struct BpeMerge {
  Token left, right, merged;
  std::int32_t rank;
};

/// A token that is found in the text literally, before any splitting.
struct AddedToken {
  Token id;
  bool special = false;     ///< controls the model: found only where the caller asks for it, never in people's text
  bool normalized = false;  ///< searched after normalisation, not before
};

struct BpeVocabulary {
  std::vector<std::string> tokens;          ///< the bytes of each id; empty for an id that no text has
  std::vector<BpeMerge> merges;             ///< in any order
  std::vector<AddedToken> added;            ///< their bytes are in `tokens`, too
  std::vector<std::string> split_patterns;  ///< the pre-tokenizer's regexes, applied one after another
  bool nfc = false;                         ///< normalise to NFC first
  bool ignore_merges = false;               ///< a piece that is a token stays whole whatever the merges say
  bool add_bos = false;                     ///< the model expects `bos` at the start of a document
  std::optional<Token> bos, eos;
  std::optional<Token> unknown;  ///< stands for a byte without a token; without it such a byte is dropped
};

namespace detail {

/// Byte-level vocabularies write each byte as a printable character: itself where it has one in Latin-1, otherwise
/// the next from U+0100 on (GPT-2's convention: a space is U+0120). This is that alphabet, each letter in UTF-8.
inline std::array<std::string, 256> byte_alphabet() {
  std::array<std::string, 256> letters;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    const unsigned code = printable ? byte : next++;
    if (code < 0x80)
      letters[byte] = {static_cast<char>(code)};
    else
      letters[byte] = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
  }
  return letters;
}

/// The bytes that a token's name in the byte alphabet stands for; nothing if a character is not of that alphabet.
inline std::optional<std::string> bytes_of_name(std::string_view name) {
  static const std::unordered_map<std::string, char> byte_of = [] {
    std::unordered_map<std::string, char> map;
    const auto letters = byte_alphabet();
    for (std::size_t byte = 0; byte < letters.size(); ++byte) map[letters[byte]] = static_cast<char>(byte);
    return map;
  }();
  std::string bytes;
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t length = static_cast<unsigned char>(name[i]) < 0x80 ? 1 : 2;
    const auto found = byte_of.find(std::string(name.substr(i, length)));
    if (found == byte_of.end()) return std::nullopt;
    bytes += found->second;
    i += length;
  }
  return bytes;
}

/// Turns merges given by name into ids, for a vocabulary that came from `source`. The rank of a merge is its place.
class MergeResolver {
 public:
  /// `id_of` maps names (in the byte alphabet) to ids and must outlive this.
  MergeResolver(const std::unordered_map<std::string, Token>& id_of, std::string source, std::string field)
      : id_of_(id_of), source_(std::move(source)), field_(std::move(field)) {}

  BpeMerge operator()(std::string_view left, std::string_view right, std::size_t index) const {
    return {id(left, index), id(right, index), id(std::string(left).append(right), index),
            static_cast<std::int32_t>(index)};
  }

  /// As above from "left right".
  BpeMerge operator()(std::string_view pair, std::size_t index) const {
    const std::size_t space = pair.find(' ');
    const bool is_pair = space != std::string_view::npos && space == pair.rfind(' ');
    if (!is_pair || space == 0 || space + 1 == pair.size()) fail(index, "two names with a space between", pair);
    return (*this)(pair.substr(0, space), pair.substr(space + 1), index);
  }

 private:
  Token id(std::string_view name, std::size_t index) const {
    const auto found = id_of_.find(std::string(name));
    if (found == id_of_.end()) fail(index, "names of tokens", name);
    return found->second;
  }

  [[noreturn]] void fail(std::size_t index, std::string_view expected, std::string_view got) const {
    throw FormatError("tokenizer '" + source_ + "': " + field_ + "[" + std::to_string(index) + "]: expected " +
                      std::string(expected) + ", got '" + std::string(got.substr(0, 80)) + "'");
  }

  const std::unordered_map<std::string, Token>& id_of_;
  std::string source_, field_;
};

}  // namespace detail
}  // namespace tern
