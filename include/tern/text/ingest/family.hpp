#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "tern/text/lines.hpp"

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

}  // namespace tern::detail
