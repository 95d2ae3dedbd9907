#include "store.hpp"

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace burrow {

namespace fs = std::filesystem;

namespace {

// two fnv-ish lanes with different offsets, finished with a stir so that short inputs don't look alike. plenty for
// "did a bit flip", see the header for what it isn't plenty for.
std::uint64_t lane(std::span<const std::uint8_t> bytes, std::uint64_t h) {
  for (const std::uint8_t b : bytes) h = (h ^ b) * 0x100000001B3ull;
  h ^= bytes.size();
  h ^= h >> 29;
  h *= 0xBF58476D1CE4E5B9ull;
  return h ^ (h >> 32);
}

// unique-enough temp names inside one process. two processes are kept apart by the lock, in theory, and by me not
// starting two of them, in practice.
std::string next_temp_name() {
  static std::atomic<unsigned> counter{0};
  return "put-" + std::to_string(counter.fetch_add(1));
}

}  // namespace

Digest digest_of(std::span<const std::uint8_t> bytes) {
  const std::uint64_t a = lane(bytes, 0xCBF29CE484222325ull);
  const std::uint64_t b = lane(bytes, 0x84222325CBF29CE4ull);
  Digest out{};
  // spelled out byte by byte instead of a memcpy, since the arm board and the laptop used to disagree about which end
  // is the front. big-endian on disk, everywhere, forever, amen.
  for (int i = 0; i < 8; ++i) {
    out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(a >> (56 - 8 * i));
    out[static_cast<std::size_t>(i + 8)] = static_cast<std::uint8_t>(b >> (56 - 8 * i));
  }
  return out;
}

std::string to_hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Store::Store(fs::path root) : root_(std::move(root)) {
  fs::create_directories(root_ / "objects");
  fs::create_directories(root_ / "tmp");
}

fs::path Store::path_of(const Digest& name) const {
  // the two-letter subfolder is superstition by now (any filesystem from this century is happy with a million entries)
  // but `ls` isn't, and i'm the one who types ls.
  const std::string hex = to_hex(name);
  return root_ / "objects" / hex.substr(0, 2) / hex.substr(2);
}

bool Store::contains(const Digest& name) const { return fs::exists(path_of(name)); }

bool Store::put(const Digest& name, std::span<const std::uint8_t> bytes) {
  const fs::path target = path_of(name);
  if (fs::exists(target)) return false;

  // write somewhere else, then rename. a rename either happened or it didn't; a write can half-happen, and the half it
  // picks is never the good one. (power cut, 3 am, the neighbour's aquarium heater. long story.)
  const fs::path scratch = root_ / "tmp" / next_temp_name();
  {
    std::ofstream out(scratch, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) throw std::runtime_error("store: cannot write " + scratch.string() + " (disk full?)");
  }
  fs::create_directories(target.parent_path());
  fs::rename(scratch, target);
  return true;
}

std::optional<std::vector<std::uint8_t>> Store::get(const Digest& name) const {
  std::ifstream in(path_of(name), std::ios::binary);
  if (!in) return std::nullopt;

  std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // always verify. it costs less than the disk seek did, and the one time it fires it pays for all the others at once.
  // it has fired twice. the second time i believed it.
  if (digest_of(bytes) != name) throw std::runtime_error("store: blob " + to_hex(name) + " is damaged on disk");
  return bytes;
}

}  // namespace burrow
