#pragma once
/// JSON of any size in bounded memory: elements of arrays called "messages" are handed over one by one and forgotten.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"
#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/json.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// The characters of a JSON file, mended: no byte order mark, U+FFFD for what is no character and for halves of
/// surrogate pairs, whose number is `replaced`.
class JsonCharacters {
 public:
  struct End {};

  /// Throws IoError where the file cannot be read.
  explicit JsonCharacters(const std::filesystem::path& path) : path_(path), file_(path, std::ios::binary) { refill(); }
  /// Of a text in memory.
  explicit JsonCharacters(std::string text) : next_raw_(std::move(text)), ended_(true) { refill(); }

  bool at_end() const { return at_ == buffer_.size(); }
  char get() const { return buffer_[at_]; }
  void advance() {
    if (++at_ == buffer_.size()) refill();
  }

  Index replaced = 0;
  std::size_t bytes = 0;

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 20;

  void refill() {
    const bool is_first = bytes == 0;
    buffer_.clear();
    at_ = 0;
    if (!ended_) {
      const std::size_t from = next_raw_.size();
      next_raw_.resize(from + chunk);
      errno = 0;
      file_.read(next_raw_.data() + from, static_cast<std::streamsize>(chunk));
      if (file_.bad() || !(file_ || file_.eof()))
        throw IoError("file " + in_quotes(path_.string()) + ": cannot read: " + std::strerror(errno));
      next_raw_.resize(from + static_cast<std::size_t>(file_.gcount()));
      ended_ = file_.eof();
    }
    std::size_t cut = next_raw_.size();
    if (!ended_)  // no escape and no character of several bytes goes on after one of these
      if (const std::size_t last = next_raw_.find_last_of(" ,\n{}"); last != std::string::npos && last > 0) cut = last;
    std::string_view raw = std::string_view(next_raw_).substr(0, cut);
    bytes += raw.size();
    if (is_first && raw.starts_with(byte_order_mark)) raw.remove_prefix(byte_order_mark.size());
    Utf8Result text = decode_utf8(raw, "", BadBytes::replace);
    replaced += text.replaced + mend_surrogates(text.text);
    buffer_ = std::move(text.text);
    next_raw_.erase(0, cut);
  }

  std::filesystem::path path_;
  std::ifstream file_;
  std::string buffer_, next_raw_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

/// What the parser reads them through.
class JsonIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit JsonIterator(JsonCharacters* source = nullptr) : source_(source) {}
  char operator*() const { return source_->get(); }
  JsonIterator& operator++() {
    source_->advance();
    return *this;
  }
  JsonIterator operator++(int) {
    source_->advance();
    return *this;
  }
  bool is_end() const { return source_ == nullptr || source_->at_end(); }
  friend bool operator==(const JsonIterator& a, const JsonIterator& b) { return a.is_end() == b.is_end(); }

 private:
  JsonCharacters* source_;
};

/// Builds a JSON value from the parser's events, without the elements of its arrays called "messages": each of them
/// goes to take(number of the array, element), and the array then holds that number alone. Of an element that is an
/// object only `wanted` members are kept.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  using Take = std::function<void(std::size_t, Json&)>;

  /// Throws FormatError for more than `most_bytes` of strings and values at any moment, and for 64 levels.
  JsonBuilder(std::string source, std::vector<std::string> wanted, std::size_t most_bytes, Take take)
      : source_(std::move(source)), wanted_(std::move(wanted)), most_bytes_(most_bytes), take_(std::move(take)) {}

  Json& root() { return root_; }

  bool null() override { return put(nullptr, 0); }
  bool boolean(bool value) override { return put(value, 0); }
  bool number_integer(number_integer_t value) override { return put(value, 0); }
  bool number_unsigned(number_unsigned_t value) override { return put(value, 0); }
  bool number_float(number_float_t value, const string_t&) override { return put(value, 0); }
  bool string(string_t& value) override {
    const std::size_t bytes = value.size();
    return put(std::move(value), bytes);
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (skipping_ > 0) return true;
    pay(name.size());
    key_ = std::move(name);
    is_unwanted_ = open_.size() == element_level_ + 1 && element_level_ > 0 &&
                   std::find(wanted_.begin(), wanted_.end(), key_) == wanted_.end();
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception& error) override {
    broken_ = "json " + in_quotes(source_) + " at byte " + std::to_string(at) + ": " + shown(error.what());
    return false;
  }

  /// What broke off the reading; empty where nothing did.
  const std::string& broken() const { return broken_; }
  /// Ends what is open, after a break.
  void end() {
    skipping_ = 0;
    if (open_.size() > element_level_ && element_level_ > 0) {  // an element of which only a part came
      open_.resize(element_level_);
      open_.back()->clear();
    }
    while (!open_.empty()) close();
  }

 private:
  static constexpr std::size_t deepest = 64, cost_of_value = 64;

  void pay(std::size_t bytes) {
    bytes_ += bytes + cost_of_value;
    if (bytes_ > most_bytes_)
      throw FormatError("json " + in_quotes(source_) + ": expected at most " + std::to_string(most_bytes_) +
                        " bytes beside messages, got more");
  }

  /// Where the value that comes is kept; none where it is not.
  Json* place(Json&& value) {
    if (open_.empty()) return &(root_ = std::move(value));
    Json& holder = *open_.back();
    if (holder.is_array()) return &holder.emplace_back(std::move(value));
    return &(holder[key_] = std::move(value));
  }

  template <class Value>
  bool put(Value&& value, std::size_t bytes) {
    if (skipping_ > 0 || std::exchange(is_unwanted_, false)) return true;
    pay(bytes);
    place(Json(std::forward<Value>(value)));
    if (open_.size() == element_level_ && element_level_ > 0) give();
    return true;
  }

  bool open(Json&& value) {
    if (skipping_ > 0 || std::exchange(is_unwanted_, false)) {
      ++skipping_;
      expect_depth();
      return true;
    }
    pay(0);
    const bool holds_messages =
        element_level_ == 0 && value.is_array() && !open_.empty() && open_.back()->is_object() && key_ == "messages";
    open_.push_back(place(std::move(value)));
    expect_depth();
    if (holds_messages) {
      element_level_ = open_.size();
      bytes_before_ = bytes_;
      ++arrays_;
    }
    return true;
  }

  bool close() {
    if (skipping_ > 0) {
      --skipping_;
      return true;
    }
    if (element_level_ > 0 && open_.size() == element_level_) {
      open_.back()->push_back(arrays_ - 1);
      element_level_ = 0;
    }
    open_.pop_back();
    if (element_level_ > 0 && open_.size() == element_level_) give();
    return true;
  }

  void expect_depth() const {
    if (open_.size() + skipping_ > deepest)
      throw FormatError("json " + in_quotes(source_) + ": expected at most " + std::to_string(deepest) + " levels");
  }

  /// The array of messages has one element: hands it over and forgets it.
  void give() {
    Json& array = *open_.back();
    take_(arrays_ - 1, array.back());
    array.clear();
    bytes_ = bytes_before_;
  }

  std::string source_, key_, broken_;
  std::vector<std::string> wanted_;
  std::size_t most_bytes_, bytes_ = 0, bytes_before_ = 0, element_level_ = 0, arrays_ = 0, skipping_ = 0;
  Take take_;
  Json root_;
  std::vector<Json*> open_;  ///< the objects and arrays that are open; the outermost first
  bool is_unwanted_ = false;
};

/// Reads `characters` as JSON, see JsonBuilder. Throws FormatError naming `source`; where the JSON breaks, only if
/// `broken` is null: else it then holds why, and the result what came before.
inline Json read_json_stream(JsonCharacters& characters, const std::string& source, std::vector<std::string> wanted,
                             std::size_t most_bytes, JsonBuilder::Take take, std::string* broken = nullptr) {
  JsonBuilder builder(source, std::move(wanted), most_bytes, std::move(take));
  Json::sax_parse(JsonIterator(&characters), JsonIterator(), &builder);
  if (!builder.broken().empty()) {
    if (broken == nullptr) throw FormatError(builder.broken());
    *broken = builder.broken();
    builder.end();
  }
  return std::move(builder.root());
}

}  // namespace tern::detail
