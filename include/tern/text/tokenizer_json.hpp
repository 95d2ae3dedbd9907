#pragma once
/// Reads Hugging Face's tokenizer.json where it describes a byte-level BPE tokenizer.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/bpe_vocabulary.hpp"
#include "tern/text/pre_tokenizer.hpp"

namespace tern {

namespace detail {

/// One reading of one file. Every component that would change the ids is either understood or refused by name.
class TokenizerJsonReader {
 public:
  using Json = nlohmann::json;

  TokenizerJsonReader(std::string_view content, std::string_view source) : source_(source), root_(parse(content)) {
    if (!root_.is_object()) fail("", "expected an object");
  }

  BpeVocabulary read() {
    read_normalizer(member(root_, "normalizer"), "normalizer");
    read_pre_tokenizer(member(root_, "pre_tokenizer"), "pre_tokenizer");
    if (!byte_level_) fail("pre_tokenizer", "expected ByteLevel at its end");
    read_model(member(root_, "model"));
    read_post_processor(member(root_, "post_processor"), "post_processor");
    return std::move(vocabulary_);
  }

 private:
  static constexpr int deepest = 64;
  static constexpr const char* gpt2_pattern_name = "gpt-2";

  [[noreturn]] void fail(const std::string& field, const std::string& problem) const {
    throw FormatError("tokenizer '" + source_ + "': " + (field.empty() ? "" : field + ": ") + problem);
  }

  /// nlohmann's parser keeps the last of two equal keys and any depth; here both are errors.
  Json parse(std::string_view content) const {
    std::vector<std::size_t> keys;  // seen in each object that is open
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      if (depth > deepest) fail("", "expected at most " + std::to_string(deepest) + " levels of JSON");
      if (event == Json::parse_event_t::object_start) keys.push_back(0);
      if (event == Json::parse_event_t::key) ++keys.back();
      if (event == Json::parse_event_t::object_end) {
        if (keys.back() != value.size()) fail("", "a JSON object has a key a second time");
        keys.pop_back();
      }
      return true;
    };
    try {
      return Json::parse(content, watch);
    } catch (const Json::exception& e) {
      fail("", e.what());
    }
  }

  /// The member, or null where it is missing.
  static const Json& member(const Json& object, const char* key) {
    static const Json null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
  }

  std::string text(const Json& object, const char* key, const std::string& field) const {
    const Json& value = member(object, key);
    if (!value.is_string()) fail(field + "." + key, "expected a string, got " + shown(value));
    return value.get<std::string>();
  }

  bool flag(const Json& object, const char* key, bool fallback, const std::string& field) const {
    const Json& value = member(object, key);
    if (value.is_null()) return fallback;
    if (!value.is_boolean()) fail(field + "." + key, "expected true or false, got " + shown(value));
    return value.get<bool>();
  }

  static std::string shown(const Json& value) {
    if (value.is_structured()) return value.type_name();
    return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80);
  }

  std::string type_of(const Json& component, const std::string& field) const {
    if (!component.is_object()) fail(field, "expected an object, got " + shown(component));
    return text(component, "type", field);
  }

  /// The list in a Sequence, each with its field's name.
  template <class F>
  void for_each(const Json& sequence, const char* key, const std::string& field, F&& f) const {
    const Json& list = member(sequence, key);
    const std::string name = field + "." + key;
    if (!list.is_array()) fail(name, "expected an array, got " + shown(list));
    for (std::size_t i = 0; i < list.size(); ++i) f(list[i], name + "[" + std::to_string(i) + "]");
  }

  void read_normalizer(const Json& normalizer, const std::string& field) {
    if (normalizer.is_null()) return;
    const std::string type = type_of(normalizer, field);
    if (type == "Sequence")
      for_each(normalizer, "normalizers", field,
               [this](const Json& part, const std::string& name) { read_normalizer(part, name); });
    else if (type == "NFC")
      vocabulary_.nfc = true;
    else
      fail(field, "expected NFC, got '" + type + "'");
  }

  void read_pre_tokenizer(const Json& splitter, const std::string& field) {
    if (byte_level_) fail(field, "expected nothing after ByteLevel");
    const std::string type = type_of(splitter, field);
    if (type == "Sequence") {
      for_each(splitter, "pretokenizers", field,
               [this](const Json& part, const std::string& name) { read_pre_tokenizer(part, name); });
    } else if (type == "Digits") {
      add_pattern(flag(splitter, "individual_digits", false, field) ? R"(\p{N})" : R"(\p{N}+)");
    } else if (type == "Split") {
      read_split(splitter, field);
    } else if (type == "ByteLevel") {
      if (flag(splitter, "add_prefix_space", true, field))
        fail(field + ".add_prefix_space", "expected false, got true");
      if (flag(splitter, "use_regex", true, field)) add_pattern(named_split_patterns(gpt2_pattern_name).front());
      byte_level_ = true;
    } else {
      fail(field, "expected Sequence, Digits, Split or ByteLevel, got '" + type + "'");
    }
  }

  void read_split(const Json& split, const std::string& field) {
    const std::string behavior = text(split, "behavior", field);
    if (behavior != "Isolated") fail(field + ".behavior", "expected 'Isolated', got '" + behavior + "'");
    if (flag(split, "invert", false, field)) fail(field + ".invert", "expected false, got true");
    const Json& pattern = member(split, "pattern");
    if (!pattern.is_object()) fail(field + ".pattern", "expected an object, got " + shown(pattern));
    add_pattern(text(pattern, "Regex", field + ".pattern"));
  }

  void add_pattern(std::string pattern) { vocabulary_.split_patterns.push_back(std::move(pattern)); }

  void read_model(const Json& model) {
    if (!model.is_object()) fail("model", "expected an object, got " + shown(model));
    if (const std::string type = text(model, "type", "model"); type != "BPE")
      fail("model.type", "expected 'BPE', got '" + type + "'");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (const Json& value = member(model, key); !value.is_null() && value != "")
        fail(std::string("model.") + key, "expected none, got " + shown(value));
    for (const char* key : {"byte_fallback", "fuse_unk"})
      if (flag(model, key, false, "model")) fail(std::string("model.") + key, "expected false, got true");
    if (const Json& dropout = member(model, "dropout"); !dropout.is_null() && dropout != 0)
      fail("model.dropout", "expected none, got " + shown(dropout));
    vocabulary_.ignore_merges = flag(model, "ignore_merges", false, "model");
    read_tokens(member(model, "vocab"));
    read_merges(member(model, "merges"));
    if (!member(model, "unk_token").is_null())
      vocabulary_.unknown = id_of(text(model, "unk_token", "model"), "model.unk_token");
  }

  /// model.vocab and added_tokens together name each id once, without a gap.
  void read_tokens(const Json& vocab) {
    const Json& added = member(root_, "added_tokens");
    if (!vocab.is_object()) fail("model.vocab", "expected an object, got " + shown(vocab));
    if (!added.is_null() && !added.is_array()) fail("added_tokens", "expected an array, got " + shown(added));
    const std::size_t most = vocab.size() + added.size();
    std::vector<std::optional<std::string>> name_of(most);
    const auto name_id = [&](const std::string& name, const Json& value, const std::string& field) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= most)
        fail(field, "expected an id below " + std::to_string(most) + ", got " + shown(value));
      std::optional<std::string>& slot = name_of[value.get<std::size_t>()];
      if (slot && *slot != name) fail(field, "id " + shown(value) + " is that of '" + *slot + "', too");
      slot = name;
      const auto id = static_cast<Token>(value.get<std::int64_t>());
      if (ids_.emplace(name, id).first->second != id) fail(field, "'" + name + "' has another id, too");
      return id;
    };
    for (const auto& item : vocab.items()) name_id(item.key(), item.value(), "model.vocab['" + item.key() + "']");
    for (std::size_t i = 0; i < added.size(); ++i) {
      const std::string field = "added_tokens[" + std::to_string(i) + "]";
      if (!added[i].is_object()) fail(field, "expected an object, got " + shown(added[i]));
      for (const char* key : {"single_word", "lstrip", "rstrip"})
        if (flag(added[i], key, false, field)) fail(field + "." + key, "expected false, got true");
      const bool special = flag(added[i], "special", false, field);
      const Token id = name_id(text(added[i], "content", field), member(added[i], "id"), field + ".id");
      vocabulary_.added.push_back({id, special, flag(added[i], "normalized", !special, field)});
    }

    vocabulary_.tokens.resize(ids_.size());
    for (std::size_t id = 0; id < ids_.size(); ++id) {
      if (!name_of[id]) fail("model.vocab", "expected ids without a gap, got none of " + std::to_string(id));
      vocabulary_.tokens[id] = *name_of[id];
    }
    std::vector<bool> is_literal(ids_.size(), false);
    for (const AddedToken& token : vocabulary_.added) is_literal[static_cast<std::size_t>(token.id)] = true;
    for (std::size_t id = 0; id < ids_.size(); ++id) {
      if (is_literal[id]) continue;
      const auto bytes = bytes_of_name(vocabulary_.tokens[id]);
      if (!bytes) fail("model.vocab['" + vocabulary_.tokens[id] + "']", "expected characters of the byte alphabet");
      vocabulary_.tokens[id] = *bytes;
    }
  }

  void read_merges(const Json& merges) {
    if (!merges.is_array()) fail("model.merges", "expected an array, got " + shown(merges));
    const MergeResolver resolve(ids_, source_, "model.merges");
    for (std::size_t i = 0; i < merges.size(); ++i) {
      const Json& merge = merges[i];
      if (merge.is_string())
        vocabulary_.merges.push_back(resolve(merge.get_ref<const std::string&>(), i));
      else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
        vocabulary_.merges.push_back(
            resolve(merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>(), i));
      else
        fail("model.merges[" + std::to_string(i) + "]",
             "expected \"left right\" or [left, right], got " + shown(merge));
    }
  }

  /// Only a template tells of BOS: whether a special token stands before the text.
  void read_post_processor(const Json& processor, const std::string& field) {
    if (processor.is_null()) return;
    const std::string type = type_of(processor, field);
    if (type == "Sequence") {
      for_each(processor, "processors", field,
               [this](const Json& part, const std::string& name) { read_post_processor(part, name); });
    } else if (type == "TemplateProcessing") {
      bool before_text = true;
      for_each(processor, "single", field, [&](const Json& part, const std::string& name) {
        if (!part.is_object()) fail(name, "expected an object, got " + shown(part));
        const Json& special = member(part, "SpecialToken");
        if (special.is_null()) {
          before_text = false;
          return;
        }
        if (!special.is_object()) fail(name + ".SpecialToken", "expected an object, got " + shown(special));
        const std::string where = name + ".SpecialToken";
        (before_text ? vocabulary_.bos : vocabulary_.eos) = id_of(text(special, "id", where), where + ".id");
        if (before_text) vocabulary_.add_bos = true;
      });
    } else if (type != "ByteLevel") {
      fail(field, "expected Sequence, TemplateProcessing or ByteLevel, got '" + type + "'");
    }
  }

  Token id_of(const std::string& name, const std::string& field) const {
    const auto found = ids_.find(name);
    if (found == ids_.end()) fail(field, "expected a token's name, got '" + name + "'");
    return found->second;
  }

  std::string source_;
  Json root_;
  BpeVocabulary vocabulary_;
  std::unordered_map<std::string, Token> ids_;
  bool byte_level_ = false;
};

}  // namespace detail

/// The vocabulary in a tokenizer.json's content; `source` is its path, for messages. Understood are model BPE without
/// affixes, normalizer NFC, pre-tokenizers Digits, Split (isolating a regex) and ByteLevel and Sequences of them, and
/// added tokens that match exactly. Throws FormatError naming the field on anything else and on broken content.
inline BpeVocabulary read_tokenizer_json(std::string_view content, std::string_view source) {
  return detail::TokenizerJsonReader(content, source).read();
}

}  // namespace tern
