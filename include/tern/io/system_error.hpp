#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"

namespace tern::detail {

/// Throws IoError "<operation> '<path>': <errno's text><more>".
[[noreturn]] inline void io_error(std::string_view operation, const std::filesystem::path& path, int error,
                                  const std::string& more = {}) {
  throw IoError(std::string(operation) + " " + in_quotes(path.string()) + ": " + std::generic_category().message(error) + more);
}

}  // namespace tern::detail
