#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tern/core/quote.hpp"
#include "tern/experiment/base.hpp"
#include "tern/text/ingest.hpp"
#include "tern/text/language.hpp"
#include "tern/text/split.hpp"

namespace tern {

/// One person's text before a base's tokenizer reads it: what was found, and its parts.
struct Person {
  std::string name;      ///< of the folder, fit to be shown
  std::string kind;      ///< that most of the bytes are
  std::string language;  ///< a guess
  Ingested found;        ///< scrubbed
  Split parts;           ///< of its documents; empty where there are none
};

/// One person's text as the shootout uses it.
struct User {
  std::string name, kind, language, split_hash, method;
  Index files = 0, bytes = 0, duplicates_removed = 0, replaced = 0;
  std::vector<std::vector<Token>> train;      ///< one a piece
  std::vector<Token> validation;
  std::vector<std::vector<Token>> held_out;   ///< the eval texts
  std::vector<std::pair<std::string, Index>> scrubbed;
  std::vector<Skipped> skipped;
  std::vector<Owner> owners;

  Index train_tokens() const {
    Index n = 0;
    for (const auto& piece : train) n += static_cast<Index>(piece.size());
    return n;
  }
};

/// Someone whose text cannot be used, and why.
struct LeftOut {
  std::string name, reason;
};

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

}  // namespace detail

/// Reads one person's folder and splits what it holds. Throws as ingest().
inline Person read_person(const std::filesystem::path& folder, std::string name, Index texts,
                          const IngestOptions& options = {}) {
  Person person{std::move(name), "", "", ingest(folder, options), {}};
  person.kind = detail::main_kind(person.found.documents);
  std::string sample;
  for (const Document& d : person.found.documents)
    if (sample.size() < 200'000) sample.append(std::string_view(d.text).substr(0, 20'000)) += '\n';
  person.language = guess_language(sample);
  SplitOptions split_options;
  split_options.texts = texts;
  if (!person.found.documents.empty()) person.parts = split(person.found.documents, split_options);
  return person;
}

namespace detail {

/// Token ids have no paragraphs: each document's first 80% trains, the next 10% validates, the rest is held out.
inline void split_tokens(const std::vector<TokenDocument>& documents, Index texts, User& user) {
  std::vector<Token> held_out;
  for (const TokenDocument& d : documents) {
    const auto n = d.tokens.size();
    const auto a = d.tokens.begin() + static_cast<std::ptrdiff_t>(n * 8 / 10);
    const auto b = d.tokens.begin() + static_cast<std::ptrdiff_t>(n * 9 / 10);
    user.train.emplace_back(d.tokens.begin(), a);
    user.validation.insert(user.validation.end(), a, b);
    held_out.insert(held_out.end(), b, d.tokens.end());
  }
  user.held_out.resize(static_cast<std::size_t>(texts));
  for (Index i = 0; i < texts; ++i) {
    const auto at = [&](Index k) {
      return held_out.begin() + static_cast<std::ptrdiff_t>(held_out.size()) * k / texts;
    };
    auto& text = user.held_out[static_cast<std::size_t>(i)];
    text.insert(text.end(), at(i), at(i + 1));
  }
}

/// "email" for Pii::email.
inline std::string pii_label(Pii kind) { return lower(placeholder(kind).substr(1, placeholder(kind).size() - 2)); }

/// Reads one user's folder; returns why the user is left out, or nothing.
inline std::optional<std::string> load_user(const std::filesystem::path& folder, const Base& base, Index texts,
                                            const IngestOptions& options, User& user) {
  Person person = read_person(folder, user.name, texts, options);
  Ingested& found = person.found;
  user.files = static_cast<Index>(found.documents.size() + found.token_documents.size());
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
  if (!found.documents.empty()) {
    const Split& parts = person.parts;
    if (parts.left_out) return parts.left_out;
    user.method = parts.method;
    user.duplicates_removed = parts.duplicates_removed;
    hash = parts.hash;
    for (const Split::Piece& piece : parts.train) user.train.push_back(base.tokenizer->encode(piece.text));
    for (const Split::Piece& piece : parts.validation) {
      const auto tokens = base.tokenizer->encode(piece.text);
      user.validation.insert(user.validation.end(), tokens.begin(), tokens.end());
    }
    for (const std::string& text : parts.texts) user.held_out.push_back(base.tokenizer->encode(text));
  }
  if (!found.token_documents.empty()) {
    split_tokens(found.token_documents, texts, user);
    for (const TokenDocument& d : found.token_documents)
      hash = content_hash({reinterpret_cast<const char*>(d.tokens.data()), d.tokens.size() * sizeof(Token)}, hash);
  }
  user.split_hash = hex(hash);
  std::vector<const std::vector<Token>*> scored = {&user.validation};
  for (const auto& text : user.held_out) scored.push_back(&text);
  for (const auto* tokens : scored)
    if (tokens->size() < 2)
      return "expected at least 2 tokens of validation and of each eval text, got " + std::to_string(tokens->size());
  const auto foreign = [&](const std::vector<Token>& tokens) {
    return std::find_if(tokens.begin(), tokens.end(), [&](Token t) { return t < 0 || t >= base.model.config.vocabulary; });
  };
  std::vector<const std::vector<Token>*> all = {&user.validation};
  for (const auto* parts : {&user.train, &user.held_out})
    for (const auto& tokens : *parts) all.push_back(&tokens);
  for (const auto* tokens : all)
    if (const auto at = foreign(*tokens); at != tokens->end())
      return "expected token ids in [0, " + std::to_string(base.model.config.vocabulary) + "), got " + std::to_string(*at);
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

/// The users below `folder`, see list_people. Who cannot be read or has too little text is left out, with the reason.
/// Throws ValueError where nobody is left, IoError where `folder` cannot be read.
inline Users load_users(const std::filesystem::path& folder, const Base& base, Index texts,
                        const IngestOptions& options = {}) {
  Users result;
  for (const PersonFolder& person : list_people(folder, result.left_out)) {
    User user;
    user.name = person.name;
    try {
      if (auto reason = detail::load_user(person.path, base, texts, options, user))
        result.left_out.push_back({user.name, *reason});
      else
        result.users.push_back(std::move(user));
    } catch (const Error& e) {
      result.left_out.push_back({user.name, shown(e.what())});
    } catch (const std::filesystem::filesystem_error& e) {
      result.left_out.push_back({user.name, shown(e.what())});
    }
  }
  if (result.users.empty()) {
    std::string why = "--users " + in_quotes(folder.string()) +
                      ": expected a folder with a folder of text for each user, found no usable one";
    for (const LeftOut& l : result.left_out) why += "\n  " + l.name + ": " + l.reason;
    throw ValueError(why);
  }
  return result;
}

}  // namespace tern
