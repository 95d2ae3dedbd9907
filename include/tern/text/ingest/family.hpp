#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tern/text/ingest/mbox.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// What a file is by its name: who reads it.
enum class Family { unknown, prose, code, mbox, eml, json, records, subtitles, npy, bin };

/// The family of a file by its name's extension, in any case.
inline Family family_of(const std::filesystem::path& path) {
  static const std::map<std::string, Family> families = [] {
    std::map<std::string, Family> all = {{".mbox", Family::mbox},     {".mbx", Family::mbox},
                                         {".eml", Family::eml},       {".json", Family::json},
                                         {".jsonl", Family::records}, {".ndjson", Family::records},
                                         {".srt", Family::subtitles}, {".vtt", Family::subtitles},
                                         {".npy", Family::npy},       {".bin", Family::bin}};
    for (const char* e : {".txt", ".text", ".md", ".markdown", ".rst", ".log", ".org", ".tex", ".adoc"})
      all[e] = Family::prose;
    for (const char* e :
         {".c",   ".cc",   ".cpp",    ".cxx",   ".h",     ".hh",   ".hpp", ".hxx", ".cu",   ".m",    ".mm",    ".swift",
          ".py",  ".pyi",  ".js",     ".mjs",   ".jsx",   ".ts",   ".tsx", ".rs",  ".go",   ".java", ".kt",    ".scala",
          ".cs",  ".fs",   ".rb",     ".php",   ".pl",    ".pm",   ".lua", ".r",   ".jl",   ".hs",   ".ml",    ".mli",
          ".ex",  ".exs",  ".erl",    ".clj",   ".lisp",  ".el",   ".scm", ".sh",  ".bash", ".zsh",  ".fish",  ".ps1",
          ".sql", ".awk",  ".sed",    ".vim",   ".cmake", ".mk",   ".s",   ".asm", ".f90",  ".pas",  ".d",     ".zig",
          ".nim", ".dart", ".groovy", ".proto", ".toml",  ".yaml", ".yml", ".ini", ".cfg",  ".diff", ".patch", ".css"})
      all[e] = Family::code;
    return all;
  }();
  const auto found = families.find(lower(path.extension().string()));
  if (found != families.end()) return found->second;
  return lower(path.filename().string()) == "mbox" ? Family::mbox : Family::unknown;
}

/// The family by the name, and for texts and names without extension by the first bytes: mail programs keep mailboxes
/// as "Sent", and people save mails as .txt.
inline Family family_of(const std::filesystem::path& path, std::string_view first_bytes) {
  const Family family = family_of(path);
  if (family != Family::prose && !(family == Family::unknown && path.extension().empty())) return family;
  if (first_bytes.starts_with(byte_order_mark)) first_bytes.remove_prefix(byte_order_mark.size());
  if (is_from_line(trim(first_bytes.substr(0, first_bytes.find('\n'))))) return Family::mbox;
  std::string labels;
  for (std::string_view line : lines(first_bytes)) {
    if (trim(line).empty()) break;
    const bool goes_on = line.front() == ' ' || line.front() == '\t';
    if (goes_on && !labels.empty()) continue;
    const std::string_view label = line.substr(0, line.find(':'));
    if (label.size() == line.size() || label.empty() || label.find_first_of(" \t") != std::string_view::npos)
      return family;
    labels += lower(label) + ':';
  }
  const auto has = [&](std::string_view label) { return (':' + labels).find(label) != std::string::npos; };
  return has(":from:") && (has(":message-id:") || (has(":date:") && has(":subject:"))) ? Family::eml : family;
}

}  // namespace tern::detail
