#pragma once
/// The files below a user's folder, in an order that does not depend on the disk.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/quote.hpp"
#include "tern/text/ingest/git_log.hpp"

namespace tern {

/// What was left alone and why: a file, or so many parts of one (mails, messages, records), which the reason then
/// names.
struct Skipped {
  std::string name;
  std::string reason;
  Index count = 1;
};

namespace detail {

struct FoundFile {
  std::filesystem::path path;
  std::string name;  ///< path below the folder, '/' between parts
  std::uintmax_t bytes = 0;
};

struct FolderListing {
  std::vector<FoundFile> files;
  std::vector<FoundFile> repositories;  ///< of git, not entered
  std::vector<Skipped> skipped;
};

struct WalkOptions {
  std::uintmax_t max_files;
  bool strict = false;              ///< what cannot be read is an IoError, instead of skipped
  bool finds_repositories = false;  ///< of git, which then are not entered
};

/// Walks one folder and what is below it; hidden folders and links are not entered.
inline void walk_folder(const std::filesystem::path& folder, const std::filesystem::path& below,
                        const WalkOptions& options, FolderListing& listing) {
  namespace fs = std::filesystem;
  const auto [max_files, strict, finds_repositories] = options;
  if (finds_repositories && is_git_repository(folder)) {
    listing.repositories.push_back({folder, shown(below.generic_string()), 0});
    return;
  }
  const auto refuse = [&, strict = strict](const fs::path& path, const std::error_code& error) {
    if (strict || below.empty())
      throw IoError("user folder " + in_quotes(path.string()) + ": cannot read: " + error.message());
    const std::filesystem::path name = path == folder ? below : below / path.filename();
    listing.skipped.push_back({shown(name.generic_string()), "cannot read: " + error.message()});
  };
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error) return refuse(folder, error);
  while (entry != fs::directory_iterator()) {
    const fs::path path = entry->path();
    const std::string name = shown((below / path.filename()).generic_string());
    const fs::file_status status = entry->symlink_status(error);
    if (error) {
      refuse(path, error);
    } else if (path.filename().string().front() == '.') {
      listing.skipped.push_back({name, path.filename() == ".git" ? "git's records; --git reads them" : "hidden"});
    } else if (fs::is_symlink(status)) {
      listing.skipped.push_back({name, "a symbolic link"});
    } else if (fs::is_directory(status)) {
      walk_folder(path, below / path.filename(), options, listing);
    } else if (!fs::is_regular_file(status)) {
      listing.skipped.push_back({name, "not a regular file"});
    } else {
      const std::uintmax_t bytes = entry->file_size(error);
      if (error)
        refuse(path, error);
      else
        listing.files.push_back({path, name, bytes});
    }
    if (listing.files.size() + listing.skipped.size() > max_files)
      throw IoError("user folder " + in_quotes(folder.string()) + ": expected at most " + std::to_string(max_files) +
                    " files");
    entry.increment(error);
    if (error) return refuse(folder, error);
  }
}

/// Everything below `folder`, by name. Throws IoError if it is no folder, cannot be read, or holds too many files.
inline FolderListing list_folder(const std::filesystem::path& folder, const WalkOptions& options) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(folder, error);
  if (!std::filesystem::exists(status))
    throw IoError("user folder " + in_quotes(folder.string()) + ": " + (error ? error.message() : "no such folder"));
  if (!std::filesystem::is_directory(status))
    throw IoError("user folder " + in_quotes(folder.string()) + ": expected a folder, got a file");
  FolderListing listing;
  walk_folder(folder, {}, options, listing);
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(listing.files.begin(), listing.files.end(), by_name);
  std::sort(listing.skipped.begin(), listing.skipped.end(), by_name);
  return listing;
}

}  // namespace detail
}  // namespace tern
