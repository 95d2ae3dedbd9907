#pragma once
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"

namespace tern::detail {

/// The bytes of a regular file of `size` bytes. Throws IoError naming the path and the system's reason, also when the
/// file has become shorter.
inline std::string read_file(const std::filesystem::path& path, std::uintmax_t size) {
  const auto fail = [&](const std::string& reason) {
    throw IoError("file " + in_quotes(path.string()) + ": cannot read: " + reason);
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(std::strerror(errno));
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) fail(std::strerror(errno));
  if (file.gcount() != static_cast<std::streamsize>(bytes.size()))
    fail("expected " + std::to_string(size) + " bytes, got " + std::to_string(file.gcount()));
  return bytes;
}

}  // namespace tern::detail
