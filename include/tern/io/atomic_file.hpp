#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "tern/core/error.hpp"
#include "tern/io/bytes.hpp"
#include "tern/io/system_error.hpp"

namespace tern {

/// Who may read a new file: whom the process's umask lets, or its owner alone (mode 0600).
enum class Access { umask, owner };

/// Writes a file all or nothing. Bytes go to a temporary file in the same folder; commit() brings them to the disk and
/// renames it over `path`, so that `path` holds the old content or the whole new one at every moment, a power cut
/// included. Without commit() the old file stays and the temporary is removed. A symbolic link stays one: its target is
/// replaced. A path that is no regular file (a device, a pipe) is written straight to.
/// Throws IoError with operation, path, errno's text and the bytes that were written. Where RLIMIT_FSIZE may be set,
/// the program has to ignore SIGXFSZ to get that error in place of the signal.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, Access access = Access::umask) : path_(std::move(path)) {
    std::error_code missing;
    const auto status = std::filesystem::status(path_, missing);
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(path_, missing)))
      path_ = std::filesystem::weakly_canonical(path_, missing);
    const bool replace = !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
    const mode_t mode = access == Access::owner ? 0600 : 0666;
    if (replace)
      open_temporary(mode);
    else
      file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) detail::io_error("create", path_, errno);
  }
  ~AtomicFile() { discard(); }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(file_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("write", errno);
      written_ += static_cast<std::size_t>(n);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }
  void write(std::string_view text) { write(bytes_of(text)); }

  /// Once, after the last write.
  void commit() {
    if (temporary_.empty()) {
      if (::close(std::exchange(file_, -1)) != 0) fail("close", errno);
      return;
    }
    if (::fsync(file_) != 0) fail("sync", errno);
    if (::close(std::exchange(file_, -1)) != 0) fail("close", errno);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename to", errno);
    temporary_.clear();
    sync_folder();
  }

 private:
  std::filesystem::path folder() const { return path_.has_parent_path() ? path_.parent_path() : "."; }

  void open_temporary(mode_t mode) {
    static std::atomic<unsigned> next{0};
    do {
      temporary_ = folder() / (".tern-" + std::to_string(::getpid()) + "-" + std::to_string(next++) + ".tmp");
      file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    } while (file_ < 0 && errno == EEXIST);
    if (file_ < 0) temporary_.clear();
  }

  /// The rename itself reaches the disk with the folder. File systems that cannot sync folders say EINVAL.
  void sync_folder() {
    const int directory = ::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;  // a folder that may be written but not read
    const int failed = ::fsync(directory) != 0 && errno != EINVAL ? errno : 0;
    ::close(directory);
    if (failed != 0) fail("sync the folder of", failed);
  }

  void discard() noexcept {
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

  [[noreturn]] void fail(std::string_view operation, int error) {
    discard();
    detail::io_error(operation, path_, error, " after " + std::to_string(written_) + " bytes");
  }

  std::filesystem::path path_, temporary_;
  int file_ = -1;
  std::size_t written_ = 0;
};

/// Makes `bytes` the content of `path`, all or nothing.
inline void write_file(const std::filesystem::path& path, Bytes bytes, Access access = Access::umask) {
  AtomicFile file(path, access);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& path, std::string_view text, Access access = Access::umask) {
  write_file(path, bytes_of(text), access);
}

}  // namespace tern
