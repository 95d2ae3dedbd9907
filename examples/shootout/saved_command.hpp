#pragma once
/// The command of a run, kept in its folder, so that other processes can go on with it.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"
#include "tern/io/atomic_file.hpp"

namespace program {

struct SavedCommand {
  std::filesystem::path folder;        ///< in which it was said: what relative paths begin at
  std::vector<std::string> arguments;  ///< after the name of the command
};

inline std::filesystem::path command_file(const std::filesystem::path& out) { return out / "command.json"; }

inline bool has_command(const std::filesystem::path& out) { return std::filesystem::exists(command_file(out)); }

/// Makes the folder where there is none. Throws tern::IoError.
inline void save_command(const std::filesystem::path& out, const SavedCommand& command) {
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) throw tern::IoError(tern::in_quotes(out.string()) + ": " + error.message());
  const nlohmann::json json = {{"folder", command.folder.string()}, {"arguments", command.arguments}};
  tern::write_file(command_file(out), json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// Throws tern::FormatError where there is none, or it is no command.
inline SavedCommand load_command(const std::filesystem::path& out) {
  std::ifstream file(command_file(out), std::ios::binary);
  if (!file)
    throw tern::FormatError(tern::in_quotes(command_file(out).string()) +
                            ": expected the command of a run, which `tern-shootout tasks --out ...` writes; found none");
  try {
    const auto json = nlohmann::json::parse(file);
    return {json.at("folder").get<std::string>(), json.at("arguments").get<std::vector<std::string>>()};
  } catch (const nlohmann::json::exception& e) {
    throw tern::FormatError(tern::in_quotes(command_file(out).string()) + ": " + tern::shown(e.what()));
  }
}

}  // namespace program
