#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "tern/core/error.hpp"
#include "tern/io/bytes.hpp"
#include "tern/io/system_error.hpp"

namespace tern {

/// A regular file's bytes, read-only, paged in by the system as they are touched. Owns the mapping: views of bytes()
/// live as long as it does, and survive a move of it. An empty file has empty bytes.
/// Throws IoError where the file is missing, unreadable or no regular file. Whoever shortens the file while it is
/// mapped gets this process a SIGBUS: replace files by AtomicFile, which never does.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) detail::io_error("open", path, errno);
    struct stat status {};
    const int failed = ::fstat(file, &status) != 0 ? errno : 0;
    const bool regular = S_ISREG(status.st_mode);
    const auto size = static_cast<std::size_t>(status.st_size);
    void* start = nullptr;
    int unmapped = 0;
    if (failed == 0 && regular && size > 0) {
      start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
      unmapped = start == MAP_FAILED ? errno : 0;
    }
    ::close(file);
    if (failed != 0) detail::io_error("stat", path, failed);
    if (!regular) throw IoError("open " + in_quotes(path.string()) + ": expected a regular file");
    if (unmapped != 0) detail::io_error("map", path, unmapped, ", " + std::to_string(size) + " bytes");
    if (size > 0) bytes_ = {static_cast<const std::byte*>(start), size};
  }
  ~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  Bytes bytes() const { return bytes_; }

  /// Lets the system take back the memory that holds `part`, a view of bytes(), until it is touched again. Whole pages
  /// within it only.
  void forget(Bytes part) const {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(part.data()) + part.size()) / page * page;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }

 private:
  Bytes bytes_;
};

}  // namespace tern
