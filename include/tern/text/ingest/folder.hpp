#pragma once
/// The files below a user's folder, in an order that does not depend on the disk.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

/// A file that was left alone, and why.
struct Skipped {
  std::string name;
  std::string reason;
};

namespace detail {

struct FoundFile {
  std::filesystem::path path;
  std::string name;  ///< path below the folder, '/' between parts
  std::uintmax_t bytes = 0;
};

struct FolderListing {
  std::vector<FoundFile> files;
  std::vector<Skipped> skipped;
};

/// Walks one folder and what is below it; hidden folders and links are not entered.
inline void walk_folder(const std::filesystem::path& folder, const std::filesystem::path& below,
                        std::uintmax_t max_files, FolderListing& listing) {
  namespace fs = std::filesystem;
  const auto refuse = [](const fs::path& path, const std::error_code& error) {
    throw IoError("user folder '" + path.string() + "': cannot read: " + error.message());
  };
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error) refuse(folder, error);
  while (entry != fs::directory_iterator()) {
    const fs::path path = entry->path();
    const std::string name =
        decode_utf8((below / path.filename()).generic_string(), path.string(), BadBytes::replace).text;
    const fs::file_status status = entry->symlink_status(error);
    if (error) refuse(path, error);
    if (path.filename().string().front() == '.') {
      listing.skipped.push_back({name, "hidden"});
    } else if (fs::is_symlink(status)) {
      listing.skipped.push_back({name, "a symbolic link"});
    } else if (fs::is_directory(status)) {
      walk_folder(path, below / path.filename(), max_files, listing);
    } else if (!fs::is_regular_file(status)) {
      listing.skipped.push_back({name, "not a regular file"});
    } else {
      const std::uintmax_t bytes = entry->file_size(error);
      if (error) refuse(path, error);
      listing.files.push_back({path, name, bytes});
    }
    if (listing.files.size() + listing.skipped.size() > max_files)
      throw IoError("user folder '" + folder.string() + "': expected at most " + std::to_string(max_files) + " files");
    entry.increment(error);
    if (error) refuse(folder, error);
  }
}

/// Everything below `folder`, by name. Throws IoError if it is no folder, cannot be read, or holds too many files.
inline FolderListing list_folder(const std::filesystem::path& folder, std::uintmax_t max_files) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(folder, error);
  if (!std::filesystem::exists(status))
    throw IoError("user folder '" + folder.string() + "': " + (error ? error.message() : "no such folder"));
  if (!std::filesystem::is_directory(status))
    throw IoError("user folder '" + folder.string() + "': expected a folder, got a file");
  FolderListing listing;
  walk_folder(folder, {}, max_files, listing);
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(listing.files.begin(), listing.files.end(), by_name);
  std::sort(listing.skipped.begin(), listing.skipped.end(), by_name);
  return listing;
}

}  // namespace detail
}  // namespace tern
