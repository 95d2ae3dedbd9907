#pragma once
/// Runs git for the library, which runs no program itself (IngestOptions::git).
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"

namespace program {

namespace detail {

/// Reads both pipes to their ends; false as soon as take() wants no more. Keeps the first words of `err`.
inline bool read_both(int out, int err, const std::function<bool(std::string_view)>& take, std::string& complaint) {
  std::vector<char> buffer(std::size_t{1} << 16);
  pollfd both[] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  while (both[0].fd >= 0 || both[1].fd >= 0) {
    if (::poll(both, 2, -1) < 0 && errno != EINTR) return false;
    for (pollfd& one : both) {
      if (one.fd < 0 || one.revents == 0) continue;
      const ssize_t got = ::read(one.fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      const std::string_view piece(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      if (got <= 0)
        one.fd = -1;
      else if (one.fd == err)
        complaint += piece.substr(0, 400 - std::min<std::size_t>(complaint.size(), 400));
      else if (!take(piece))
        return false;
    }
  }
  while (!complaint.empty() && complaint.back() == '\n') complaint.pop_back();
  return true;
}

}  // namespace detail

/// Runs git in `repository`, without a shell, and calls take(piece) for what it prints until that returns false. Of the
/// environment git sees nothing that begins with GIT_; it asks nobody, fetches nothing, and looks for a repository
/// nowhere else. Throws IoError with git's last words where it fails.
inline void run_git(const std::filesystem::path& repository, const std::vector<std::string>& arguments,
                    const std::function<bool(std::string_view)>& take) {
  const std::filesystem::path folder = std::filesystem::absolute(repository).lexically_normal();
  const auto fail = [&](const std::string& reason) {
    throw tern::IoError("git in " + tern::in_quotes(repository.string()) + ": " + reason);
  };
  std::vector<std::string> words = {"git", "-C", folder.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> settings = {"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1",
                                       "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C",
                                       "GIT_CEILING_DIRECTORIES=" + folder.parent_path().string()};
  for (char** one = environ; *one != nullptr; ++one)
    if (const std::string_view setting = *one; !setting.starts_with("GIT_") && !setting.starts_with("LC_ALL="))
      settings.emplace_back(setting);
  const auto pointers = [](std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (std::string& s : strings) all.push_back(s.data());
    all.push_back(nullptr);
    return all;
  };
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) fail(std::strerror(errno));
  if (::pipe2(err, O_CLOEXEC) != 0) {
    const int reason = errno;
    ::close(out[0]), ::close(out[1]);
    fail(std::strerror(reason));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  pid_t child = 0;
  const int spawned =
      ::posix_spawnp(&child, "git", &actions, nullptr, pointers(words).data(), pointers(settings).data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]), ::close(err[1]);

  bool wants_more = spawned == 0;
  std::string complaint;
  const auto end = [&] {
    ::close(out[0]), ::close(err[0]);
    int status = 0;
    if (spawned != 0) return status;
    if (!wants_more) ::kill(child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  };
  try {
    wants_more = wants_more && detail::read_both(out[0], err[0], take, complaint);
  } catch (...) {
    wants_more = false;
    end();
    throw;
  }
  const int status = end();
  if (spawned != 0) fail(spawned == ENOENT ? "expected the program git, found none" : std::strerror(spawned));
  if (wants_more && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
    fail(complaint.empty() ? "it failed without a word" : tern::shown(complaint));
}

}  // namespace program
