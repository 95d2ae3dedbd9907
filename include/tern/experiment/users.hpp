#pragma once
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tern/core/quote.hpp"
#include "tern/eval/scored_chunks.hpp"
#include "tern/experiment/base.hpp"
#include "tern/experiment/results.hpp"
#include "tern/text/ingest.hpp"
#include "tern/text/language.hpp"
#include "tern/text/placeholder_mask.hpp"
#include "tern/text/split.hpp"

namespace tern {

/// How people's folders become users.
struct PopulationOptions {
  IngestOptions ingest{};
  SplitOptions split{};
  std::string population{};  ///< what results call these users together
  /// By user's name, in place of what was found.
  std::map<std::string, std::string> kinds{}, languages{};
};

/// One person's text before a base's tokenizer reads it: what was found, and its parts.
struct Person {
  std::string name;      ///< of the folder, fit to be shown
  std::string kind;      ///< that most of the bytes are; "tokens" without text
  std::string language;  ///< a guess
  Ingested found;        ///< scrubbed
  Split parts;           ///< of its documents; empty where there are none
};

/// One person's text as the shootout uses it.
struct User {
  std::string name, population, kind, language;
  std::vector<Owner> owners;  ///< whose words were kept, and how that was found
  Index documents = 0, bytes = 0;
  std::string split_hash, method;
  bool one_work = false;  ///< see Split
  Index duplicates_removed = 0, replaced = 0;
  std::vector<std::pair<std::string, Index>> scrubbed;
  std::vector<Skipped> skipped;

  std::vector<std::vector<Token>> train;             ///< one a piece; placeholders as in the text
  std::vector<ScoredDocument> validation, held_out;  ///< placeholders are context

  Index train_tokens() const { return count(train); }
  Index validation_tokens() const { return count(validation); }
  Index held_out_tokens() const { return count(held_out); }

  /// How many parts were left out, by reason.
  std::map<std::string, Index> skipped_by_reason() const {
    std::map<std::string, Index> counts;
    for (const Skipped& s : skipped) counts[s.reason] += s.count;
    return counts;
  }

 private:
  static std::size_t size(const std::vector<Token>& tokens) { return tokens.size(); }
  static std::size_t size(const ScoredDocument& document) { return document.tokens.size(); }
  template <class Piece>
  static Index count(const std::vector<Piece>& pieces) {
    std::size_t n = 0;
    for (const Piece& piece : pieces) n += size(piece);
    return static_cast<Index>(n);
  }
};

/// The seed of the order in which a user's windows are drawn: of the user's text and the run's seed, of nothing else,
/// so that every contender sees the same windows.
inline std::uint64_t window_seed(const User& user, std::uint64_t seed) {
  return content_hash("windows " + user.split_hash, seed);
}

struct Users {
  std::vector<User> users;
  std::vector<LeftOut> left_out;
};

namespace detail {

/// The kind that most of a user's bytes are.
inline std::string main_kind(const std::vector<Document>& documents) {
  std::map<std::string, std::size_t> bytes;
  for (const Document& d : documents) bytes[std::string(name(d.kind))] += d.text.size();
  std::string best = "tokens";
  std::size_t most = 0;
  for (const auto& [kind, n] : bytes)
    if (n > most) most = n, best = kind;
  return best;
}

/// The language that most of a user's text is in: of the beginnings of documents, so that no long one decides alone.
inline std::string main_language(const std::vector<Document>& documents) {
  std::string sample;
  for (const Document& d : documents) {
    if (sample.size() > 200'000) break;
    const std::string_view text = d.text;
    std::size_t end = std::min<std::size_t>(text.size(), 20'000);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    sample.append(text.substr(0, end)) += '\n';
  }
  return guess_language(sample);
}

}  // namespace detail

/// What was found of one person: its kind, its language and its parts.
inline Person make_person(std::string name, Ingested ingested, const PopulationOptions& options = {}) {
  Person person{std::move(name), "", "", std::move(ingested), {}};
  const auto given = [&](const std::map<std::string, std::string>& values) {
    const auto found = values.find(person.name);
    return found == values.end() ? std::string() : found->second;
  };
  person.kind = given(options.kinds);
  person.language = given(options.languages);
  if (person.kind.empty()) person.kind = detail::main_kind(person.found.documents);
  if (person.language.empty()) {
    person.language = detail::main_language(person.found.documents);
  }
  if (!person.found.documents.empty()) person.parts = split(person.found.documents, options.split);
  return person;
}

/// Reads one person's folder. Throws as ingest().
inline Person read_person(const std::filesystem::path& folder, std::string name,
                          const PopulationOptions& options = {}) {
  return make_person(std::move(name), ingest(folder, options.ingest), options);
}

namespace detail {

inline ScoredDocument scored_document(std::string name, std::vector<Token> tokens, const Base& base) {
  std::vector<bool> mask = placeholder_mask(*base.tokenizer, tokens);
  std::vector<Index> bytes = base.token_bytes(tokens);
  return {std::move(name), std::move(tokens), std::move(mask), std::move(bytes)};
}

/// Token ids have no paragraphs: each document's first 80% trains, the next 10% validates, the rest is held out.
/// Returns what is wrong with them, or nothing.
inline std::optional<std::string> split_tokens(const std::vector<TokenDocument>& documents, const Base& base,
                                               User& user) {
  const Index known = std::min(base.model.config.vocabulary, base.tokenizer->size());
  for (const TokenDocument& d : documents) {
    for (const Token t : d.tokens)
      if (t < 0 || t >= known)
        return "expected token ids in [0, " + std::to_string(known) + "), got " + std::to_string(t);
    const auto n = d.tokens.size();
    const auto a = d.tokens.begin() + static_cast<std::ptrdiff_t>(n * 8 / 10);
    const auto b = d.tokens.begin() + static_cast<std::ptrdiff_t>(n * 9 / 10);
    user.train.emplace_back(d.tokens.begin(), a);
    user.validation.push_back(scored_document(d.name, {a, b}, base));
    user.held_out.push_back(scored_document(d.name, {b, d.tokens.end()}, base));
  }
  return std::nullopt;
}

/// "email" for Pii::email.
inline std::string pii_label(Pii kind) { return lower(placeholder(kind).substr(1, placeholder(kind).size() - 2)); }

/// A person as a user; returns why the user is left out, or nothing.
inline std::optional<std::string> make_user(Person person, const Base& base, User& user) {
  Ingested& found = person.found;
  user.documents = static_cast<Index>(found.documents.size() + found.token_documents.size());
  user.kind = person.kind;
  user.language = person.language;
  user.replaced = found.replaced;
  user.skipped = std::move(found.skipped);
  user.owners = std::move(found.owners);
  for (const Pii kind : pii_classes)
    user.scrubbed.emplace_back(pii_label(kind), found.scrubbed[static_cast<std::size_t>(kind)]);
  for (const Document& d : found.documents) user.bytes += d.bytes;
  std::uint64_t hash = 0;
  user.method = "contiguous";
  user.one_work = true;
  if (!found.documents.empty()) {
    const Split& parts = person.parts;
    if (parts.left_out) return parts.left_out;
    user.method = parts.method;
    user.one_work = parts.one_work;
    user.duplicates_removed = parts.duplicates_removed;
    hash = parts.hash;
    for (const Split::Piece& piece : parts.train) user.train.push_back(base.tokenizer->encode(piece.text));
    for (const Split::Piece& piece : parts.validation)
      user.validation.push_back(scored_document(piece.document, base.tokenizer->encode(piece.text), base));
    for (const Split::Piece& piece : parts.held_out)
      user.held_out.push_back(scored_document(piece.document, base.tokenizer->encode(piece.text), base));
  }
  if (auto wrong = split_tokens(found.token_documents, base, user)) return wrong;
  for (const TokenDocument& d : found.token_documents)
    hash = content_hash({reinterpret_cast<const char*>(d.tokens.data()), d.tokens.size() * sizeof(Token)}, hash);
  user.split_hash = hex(hash);
  const auto has_targets = [](const std::vector<ScoredDocument>& documents) {
    return !draw_chunks(documents, 1 << 30, 1).empty();
  };
  if (!has_targets(user.validation) || !has_targets(user.held_out))
    return "expected validation and held-out documents of at least 2 tokens with something to score, got none";
  return std::nullopt;
}

}  // namespace detail

/// Someone's folder and the name to show for it.
struct PersonFolder {
  std::filesystem::path path;
  std::string name;
};

/// Every folder directly below `folder`, in the order of names, each name once; what else lies there, but for hidden
/// things and notes, is named in `left_out`. Throws IoError where `folder` cannot be read.
inline std::vector<PersonFolder> list_people(const std::filesystem::path& folder, std::vector<LeftOut>& left_out) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  const auto refuse = [&] { throw IoError("--users " + in_quotes(folder.string()) + ": " + error.message()); };
  if (error) refuse();
  std::vector<PersonFolder> people;
  for (; entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = shown(entry->path().filename().string());
    if (name.starts_with('.')) continue;
    std::error_code unreadable;  // a link may lead nowhere, or to itself
    const bool is_folder = entry->is_directory(unreadable);
    if (is_folder)
      people.push_back({entry->path(), name});
    else if (unreadable || entry->is_symlink(unreadable))
      left_out.push_back({name, "a link that leads to no folder"});
  }
  if (error) refuse();
  std::sort(people.begin(), people.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  for (std::size_t i = 0; i < people.size(); ++i) {  // names that are not UTF-8 may be shown alike
    const std::string name = people[i].name;
    for (int n = 2; std::any_of(people.begin(), people.begin() + static_cast<std::ptrdiff_t>(i),
                                [&](const PersonFolder& p) { return p.name == people[i].name; });
         ++n)
      people[i].name = name + '~' + std::to_string(n);
  }
  return people;
}

/// Somebody of a population, read when it is asked for. Throws as ingest().
struct PersonSource {
  std::string name;
  std::function<Person(const std::string& name, const PopulationOptions&)> read;
};
/// People whom results call together.
struct Population {
  std::string name;
  std::vector<PersonSource> people;
  std::vector<LeftOut> left_out{};  ///< who was seen to be none
};

/// The people below `folder`, see list_people().
inline Population folder_population(std::string name, const std::filesystem::path& folder) {
  Population population{std::move(name), {}, {}};
  for (PersonFolder& person : list_people(folder, population.left_out))
    population.people.push_back({person.name, [path = std::move(person.path)](const std::string& as, const PopulationOptions& options) {
                                   return read_person(path, as, options);
                                 }});
  return population;
}

namespace detail {

/// Throws ValueError where a kind or language is given to somebody unknown, or the kind is none.
inline void check_given(const PopulationOptions& options, const std::vector<std::string>& people) {
  const auto check = [&](const char* what, const std::map<std::string, std::string>& values) {
    for (const auto& [user, value] : values)
      if (std::find(people.begin(), people.end(), user) == people.end())
        throw ValueError(std::string(what) + " of " + in_quotes(user) + ": expected a user, found no such folder");
  };
  check("kind", options.kinds);
  check("language", options.languages);
  for (const auto& [user, kind] : options.kinds) {
    std::string known;
    bool is_known = false;
    for (const Kind k : all_kinds) {
      known += (known.empty() ? "" : ", ") + std::string(name(k));
      is_known = is_known || name(k) == kind;
    }
    if (!is_known)
      throw ValueError("kind of " + in_quotes(user) + ": expected one of " + known + ", got " + in_quotes(kind));
  }
}

inline bool holds_files(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error))
    if (std::error_code unreadable; entry->is_regular_file(unreadable)) return true;
  return false;
}

}  // namespace detail

/// The users of several populations, each name once: of two alike the later one gets "~2". Who cannot be read or has too
/// little text is left out, with the reason. Throws ValueError where `options` speak of somebody who is not there, or of
/// an unknown kind.
inline Users load_users(const std::vector<Population>& populations, const Base& base, const PopulationOptions& options = {}) {
  Users result;
  std::vector<std::string> names;
  for (const Population& population : populations)
    for (const PersonSource& person : population.people) {
      std::string name = person.name;
      for (int n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n)
        name = person.name + '~' + std::to_string(n);
      names.push_back(std::move(name));
    }
  detail::check_given(options, names);
  auto next = names.begin();
  for (const Population& population : populations) {
    result.left_out.insert(result.left_out.end(), population.left_out.begin(), population.left_out.end());
    for (const PersonSource& person : population.people) {
      User user;
      user.name = *next++;
      user.population = population.name;
      try {
        if (auto reason = detail::make_user(person.read(user.name, options), base, user))
          result.left_out.push_back({user.name, *reason});
        else
          result.users.push_back(std::move(user));
      } catch (const Error& e) {
        result.left_out.push_back({user.name, shown(e.what())});
      } catch (const std::filesystem::filesystem_error& e) {
        result.left_out.push_back({user.name, shown(e.what())});
      }
    }
  }
  return result;
}

/// The users below `folder`. Throws besides ValueError where nobody is left, and IoError where `folder` cannot be read.
inline Users load_users(const std::filesystem::path& folder, const Base& base, const PopulationOptions& options = {}) {
  const Population population = folder_population(options.population, folder);
  Users result = load_users(std::vector{population}, base, options);
  if (result.users.empty()) {
    std::string why = "--users " + in_quotes(folder.string()) +
                      ": expected a folder with a folder of text for each user, found no usable one";
    if (population.people.empty() && detail::holds_files(folder))
      why += "; it holds files itself: if it is one person's own, give the folder above it";
    for (const LeftOut& l : result.left_out) why += "\n  " + l.name + ": " + l.reason;
    throw ValueError(why);
  }
  return result;
}

}  // namespace tern
