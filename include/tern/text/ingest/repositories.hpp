#pragma once
/// Git histories, in two passes: whose they are shows only when all authors were counted; then the owner's words are
/// read.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/ingest/family.hpp"
#include "tern/text/ingest/gathering.hpp"
#include "tern/text/ingest/git_log.hpp"

namespace tern::detail {

/// Borrows where texts go.
class Repositories {
 public:
  explicit Repositories(Gathering& into) : into_(into) {}

  /// Counts the authors of a git repository, or skips it.
  void count(const FoundFile& repository) {
    const std::string name = repository.name.empty() ? "git" : repository.name;
    GitAuthors authors([&](const std::string& address, const std::string& author) {
      ++repositories_.back().commits[{address, author}];
    });
    repositories_.push_back({repository.path, name, {}});
    try {
      into_.options().git(repository.path, git_authors(), [&](std::string_view piece) {
        authors.read(piece);
        return true;
      });
    } catch (const Error& error) {
      if (into_.options().strict) throw;
      repositories_.pop_back();
      into_.skip(name, shown(error.what()));
    }
  }

  /// The second pass.
  void add_own() {
    Senders senders;
    for (const Repository& repository : repositories_) {
      std::map<std::string, Index> here;
      for (const auto& [author, commits] : repository.commits) {
        const ChatMessage sender = git_author(author.first, author.second);
        const std::string key = person_key(sender.sender, sender.sender_id);
        senders[key].names[sender.sender] += commits;
        here[key] += commits;
      }
      for (const auto& [key, commits] : here) ++senders[key].chats, senders[key].messages += commits;
    }
    if (senders.empty()) return;
    OwnerHints hints{into_.options().self};
    hints.folder = into_.folder_name();
    const Owner owner = choose_owner("git", senders, hints);
    for (const Repository& repository : repositories_) {
      try {
        add_commits(repository, owner);
      } catch (const Error& error) {
        if (into_.options().strict) throw;
        into_.skip(repository.name, shown(error.what()));
      }
    }
    into_.owners.push_back(owner);
  }

 private:
  struct Repository {
    std::filesystem::path path;
    std::string name;
    std::map<std::pair<std::string, std::string>, Index> commits;  ///< by an author's address and name
  };
  static ChatMessage git_author(const std::string& address, const std::string& name) {
    const auto utf8 = [](const std::string& text) { return decode_utf8(text, "", BadBytes::replace).text; };
    return {utf8(name.empty() ? address : name), {}, utf8(address)};
  }

  void add_commits(const Repository& repository, const Owner& owner) {
    std::vector<std::string> addresses;
    const auto is_own = [&](const std::string& address, const std::string& name) {
      const ChatMessage sender = git_author(address, name);
      return is_from(sender.sender, sender.sender_id, owner);
    };
    for (const auto& [author, commits] : repository.commits) {
      if (!is_own(author.first, author.second))
        into_.omit(repository.name, "a commit by someone else", commits);
      else if (addresses.empty() || addresses.back() != author.first)
        addresses.push_back(author.first);
    }
    if (addresses.empty()) return into_.skip(repository.name, "no commit by " + in_quotes(owner.name));
    GitLog log([&](GitCommit& commit) {
      if (is_own(commit.address, commit.name)) add_commit(repository.name, commit);
    });
    into_.options().git(repository.path, git_patches(addresses), [&](std::string_view piece) {
      log.read(piece);
      return into_.has_room();
    });
    log.finish();
  }

  void add_commit(const std::string& repository, const GitCommit& commit) {
    const std::string name = repository + '@' + git_date(commit.time) + '.' + shown(commit.hash).substr(0, 10);
    const auto own = [&](std::string document, std::string_view bytes, Kind kind) {
      const Utf8Result text = decode_file(bytes);
      if (is_mostly_bad(text)) return into_.omit(repository, "lines or a message that are no text");
      if (trim(text.text).empty()) return;
      into_.replaced += text.replaced;
      const auto time = commit.time >= 0 ? std::optional<Time>(commit.time) : std::nullopt;
      into_.add({std::move(document), unix_lines(text.text), kind, 0, time}, repository);
    };
    own(name, git_message(decode_utf8(commit.message, "", BadBytes::replace).text), Kind::prose);
    if (commit.is_cut) return into_.omit(repository, "a commit too large to be one person's writing");
    if (commit.is_grafted)
      return into_.omit(repository, "the commit at which a shallow clone begins: everybody's files");
    for (const GitFile& file : commit.files) {
      if (file.added.empty() || file.path.empty()) continue;
      const Family family = family_of(file.path);
      if (is_copied_in(file.path))
        into_.omit(repository, "lines of a library copied in");
      else if (family != Family::prose && family != Family::code)
        into_.omit(repository, "lines of a file that is neither prose nor source code");
      else
        own(name + '/' + shown(file.path), newly_written(commit, file),
            family == Family::prose ? Kind::prose : Kind::code);
    }
  }

  Gathering& into_;
  std::vector<Repository> repositories_;
};

}  // namespace tern::detail
