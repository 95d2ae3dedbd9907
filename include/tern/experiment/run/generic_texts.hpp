#pragma once
/// The generic texts that a shootout's users need, as token ids.
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "tern/experiment/base.hpp"
#include "tern/experiment/generic_text.hpp"
#include "tern/experiment/run/training_text.hpp"

namespace tern {

struct GenericTexts {
  std::map<std::string, TokenPieces> tokens;   ///< by name
  std::map<std::string, std::string> of_user;  ///< user -> name; absent: there is none of that language
};

/// Finds each user's text in `folders`, the first that has one, and reads each text once. Throws as read_generic_text().
inline GenericTexts load_generic_texts(const Users& users, std::span<const std::filesystem::path> folders, const Base& base) {
  GenericTexts texts;
  for (const User& u : users.users) {
    const auto folder = find_generic_text(folders, u.language, u.kind);
    if (!folder) continue;
    const std::string name = shown(folder->filename().string());
    texts.of_user[u.name] = name;
    const auto [at, is_new] = texts.tokens.try_emplace(name);
    if (is_new)
      for (const Document& d : read_generic_text(*folder).documents) at->second.push_back(base.tokenizer->encode(d.text));
  }
  return texts;
}

}  // namespace tern
