#pragma once
/// What one author wrote into a git repository: messages of commits and the lines they add. tern runs no program: who
/// does (IngestOptions::git) hands over what git prints for git_authors() and git_patches().
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern {

/// Runs git with `arguments` in `repository` and calls take(piece) for what it prints, until that returns false. Throws
/// IoError where git cannot be run or fails.
using GitRunner = std::function<void(const std::filesystem::path& repository, const std::vector<std::string>& arguments,
                                     const std::function<bool(std::string_view)>& take)>;

namespace detail {

/// A folder with a .git, or a bare repository.
inline bool is_git_repository(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder / ".git", error))) return true;
  return fs::is_regular_file(folder / "HEAD", error) && fs::is_directory(folder / "objects", error) &&
         fs::is_directory(folder / "refs", error);
}

/// What precedes every log: no signatures, notes or colours; nothing of the repository's configuration runs a program.
inline std::vector<std::string> git_log_options() {
  return {"--no-pager",
          "-c",
          "core.fsmonitor=false",
          "-c",
          "core.hooksPath=/dev/null",
          "-c",
          "core.bigFileThreshold=1m",
          "-c",
          "core.quotePath=false",
          "log",
          "--no-merges",
          "--use-mailmap",
          "--no-color",
          "--no-show-signature",
          "--no-ext-diff",
          "--no-textconv",
          "--encoding=UTF-8"};
}

/// The arguments that make git print "address NUL name NUL" for each commit, the newest first.
inline std::vector<std::string> git_authors() {
  std::vector<std::string> arguments = git_log_options();
  arguments.insert(arguments.end(), {"--no-patch", "--format=tformat:%aE%x00%aN%x00", "HEAD", "--"});
  return arguments;
}

/// The arguments that make git print what GitLog reads, of the commits by the authors with these addresses.
inline std::vector<std::string> git_patches(const std::vector<std::string>& addresses) {
  std::vector<std::string> arguments = git_log_options();
  for (const std::string& address : addresses) arguments.push_back("--author=<" + address + ">");
  arguments.insert(arguments.end(),
                   {"--fixed-strings", "--regexp-ignore-case", "--root", "--patch", "--unified=0",
                    "--inter-hunk-context=0", "--find-renames", "--find-copies", "-l400", "--no-relative",
                    "--word-diff=none", "--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all",
                    "--submodule=short", "--format=tformat:%x00%H%x00%at%x00%D%x00%aE%x00%aN%x00%B%x00", "HEAD", "--"});
  return arguments;
}

struct GitFile {
  std::string path, added;  ///< lines, with an empty one between those that do not stand together
};

struct GitCommit {
  std::string hash, address, name, message;
  std::int64_t time = 0;    ///< seconds since 1970
  bool is_cut = false;      ///< larger than what is kept of one: then without files
  bool is_grafted = false;  ///< where a shallow clone begins: its files are everybody's
  std::vector<GitFile> files;
  std::unordered_set<std::size_t> removed = {};  ///< hashes of lines without indentation
};

/// "2024-05-01T10:15:00Z", in the order of time; years beyond 9999 are no dates.
inline std::string git_date(std::int64_t seconds) {
  if (seconds < 0 || seconds >= 253'402'300'800) return "undated";
  using namespace std::chrono;
  const sys_seconds at{std::chrono::seconds(seconds)};
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(at - day);
  const auto two = [](auto n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  const std::string year = std::to_string(int(date.year()));
  return year + '-' + two(unsigned(date.month())) + '-' + two(unsigned(date.day())) + 'T' + two(clock.hours().count()) +
         ':' + two(clock.minutes().count()) + ':' + two(clock.seconds().count()) + 'Z';
}

/// A message without what programs write into it: trailers ("Signed-off-by: ..."), what a revert or a pick names.
inline std::string git_message(std::string_view message) {
  static const Pattern trailer("git trailer", R"re(
    ^ (?: (?: signed-off|co-authored|reviewed|acked|tested|reported|suggested|helped|co-developed|approved) -by
        | cc | change-id | git-svn-id | reviewed-on | differential\ revision | cr-commit-position ) : [ ]
    | ^ \(cherry\ picked\ from\ commit\ [\da-f]{7,64}\) | ^ This\ reverts\ commit\ [\da-f]{7,64} )re",
                               PCRE2_CASELESS);
  std::string kept;
  for (std::string_view line : lines(message)) {
    if (trailer.matches(line)) continue;
    (kept += line) += '\n';
  }
  while (!kept.empty() && is_space(kept.back())) kept.pop_back();
  if (kept.starts_with("Revert \"") && kept.ends_with('"') && kept.find('\n') == std::string::npos) return {};
  return kept;
}

/// Whether others wrote what lies at `path`: folders of libraries that are copied in.
inline bool is_copied_in(std::string_view path) {
  const std::string folders = '/' + lower(path);
  for (const char* name : {"node_modules", "vendor", "vendored", "third_party", "third-party", "thirdparty", "3rdparty",
                           "external", "extern", "bower_components", "site-packages", "dist-packages"})
    if (folders.find('/' + std::string(name) + '/') != std::string::npos) return true;
  return folders.find(".min.") != std::string::npos;
}

/// `added` without the lines that the same commit takes away elsewhere: moved and indented lines may be anyone's.
inline std::string newly_written(const GitCommit& commit, const GitFile& file) {
  std::string kept;
  for (std::string_view line : lines(file.added)) {
    const std::string_view words = trim(line);
    if (!words.empty() && commit.removed.count(std::hash<std::string_view>{}(words)) > 0) continue;
    (kept += line) += '\n';
  }
  return trim(kept).empty() ? std::string() : kept;
}

/// A path as git prints it after "+++ ": in quotes, with escapes, where it holds odd characters. Empty for /dev/null.
inline std::string git_path(std::string_view text) {
  if (!text.empty() && text.back() == '\t') text.remove_suffix(1);  // git ends names that hold spaces with one
  std::string path;
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
    path = text;
  } else {
    text = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\' || i + 1 == text.size()) {
        path += text[i];
      } else if (text[++i] >= '0' && text[i] <= '7') {
        int value = 0;
        for (int digits = 0; digits < 3 && i < text.size() && text[i] >= '0' && text[i] <= '7'; ++digits, ++i)
          value = 8 * value + (text[i] - '0');
        path += static_cast<char>(value);
        --i;
      } else {
        path += text[i] == '\\' || text[i] == '"' ? text[i] : ' ';
      }
    }
  }
  return path.starts_with("b/") ? path.substr(2) : std::string();
}

/// Reads what git prints for git_authors(), in pieces of any size, and calls take(address, name) for each commit.
class GitAuthors {
 public:
  using Take = std::function<void(const std::string& address, const std::string& name)>;
  explicit GitAuthors(Take take) : take_(std::move(take)) {}

  void read(std::string_view piece) {
    for (const char c : piece) {
      std::string& field = is_name_ ? name_ : address_;
      if (c != '\0') {
        if (field.size() < 1000 && !(c == '\n' && field.empty())) field += c;
      } else if (!is_name_) {
        is_name_ = true;
      } else {
        take_(address_, name_);
        is_name_ = false;
        address_.clear();
        name_.clear();
      }
    }
  }

 private:
  Take take_;
  std::string address_, name_;
  bool is_name_ = false;
};

/// Reads what git prints for git_patches(), in pieces of any size, and calls take(commit) for each commit. A header's
/// fields end with NUL, which no field holds; a commit begins with one at a line's beginning, where no patch has one.
class GitLog {
 public:
  explicit GitLog(std::function<void(GitCommit&)> take) : take_(std::move(take)) {}

  void read(std::string_view piece) {
    while (!piece.empty()) {
      if (!in_header() && held_.empty() && piece.front() == '\0') {
        give();
        begin();
        piece.remove_prefix(1);
        continue;
      }
      const std::size_t end = piece.find(in_header() ? '\0' : '\n');
      hold(piece.substr(0, end));
      if (end == std::string_view::npos) return;
      piece.remove_prefix(end + 1);
      in_header() ? end_field() : end_line();
      held_.clear();
    }
  }

  /// Gives the last commit up, but not one whose header is not whole.
  void finish() {
    if (!in_header()) give();
  }

 private:
  static constexpr std::size_t most_of_commit = std::size_t{8} << 20, most_of_line = std::size_t{1} << 16;
  static constexpr int fields = 6;

  bool in_header() const { return field_ < fields; }

  void hold(std::string_view part) { held_ += part.substr(0, most_of_line - std::min(held_.size(), most_of_line)); }

  void begin() {
    commit_ = GitCommit{};
    field_ = 0;
    bytes_ = added_left_ = removed_left_ = 0;
    has_commit_ = true;
  }

  void give() {
    if (std::exchange(has_commit_, false)) take_(commit_);
  }

  void end_field() {
    switch (field_++) {
      case 0:
        commit_.hash = held_;
        break;
      case 1:
        if (std::from_chars(held_.data(), held_.data() + held_.size(), commit_.time).ec != std::errc{})
          commit_.time = -1;
        break;
      case 2:
        commit_.is_grafted = (", " + held_ + ",").find(", grafted,") != std::string::npos;
        break;
      case 3:
        commit_.address = held_;
        break;
      case 4:
        commit_.name = held_;
        break;
      default:
        commit_.message = held_;
    }
  }

  void end_line() {
    const std::string_view line = held_;
    if (commit_.is_cut) return;
    if (added_left_ > 0 && line.starts_with('+')) {
      --added_left_;
      if (commit_.files.empty()) return;
      (commit_.files.back().added += line.substr(1)) += '\n';
      pay(line.size());
    } else if (removed_left_ > 0 && line.starts_with('-')) {
      --removed_left_;
      const std::string_view words = trim(line.substr(1));
      if (words.size() > 3) commit_.removed.insert(std::hash<std::string_view>{}(words));
      pay(64);
    } else if (line.starts_with("@@ -")) {
      const std::size_t plus = line.find(" +");
      removed_left_ = count_after_comma(line.substr(4));
      added_left_ = plus == std::string_view::npos ? 0 : count_after_comma(line.substr(plus + 2));
      if (!commit_.files.empty() && !commit_.files.back().added.empty()) commit_.files.back().added += '\n';
    } else if (line.starts_with("+++ ")) {
      commit_.files.push_back({git_path(line.substr(4)), {}});
      pay(sizeof(GitFile) + line.size());
    }
  }

  /// The n of "12,n ...", 1 where there is none.
  static std::uint64_t count_after_comma(std::string_view range) {
    const std::size_t end = range.find_first_not_of("0123456789");
    if (end == std::string_view::npos || range[end] != ',') return 1;
    std::uint64_t count = 0;
    std::from_chars(range.data() + end + 1, range.data() + range.size(), count);
    return count;
  }

  void pay(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ <= most_of_commit) return;
    commit_.is_cut = true;
    commit_.files.clear();
    commit_.removed.clear();
  }

  std::function<void(GitCommit&)> take_;
  GitCommit commit_;
  std::string held_;
  std::size_t bytes_ = 0;
  std::uint64_t added_left_ = 0, removed_left_ = 0;
  int field_ = fields;
  bool has_commit_ = false;
};

}  // namespace detail
}  // namespace tern
