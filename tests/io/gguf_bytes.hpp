#pragma once
#include "tern/io/gguf.hpp"

namespace tern::test {

/// A GGUF file by hand, right or wrong: whatever the test writes.
struct GgufBytes : ByteWriter {
  explicit GgufBytes(std::uint64_t tensors = 0, std::uint64_t keys = 0, std::uint32_t version = 3) {
    bytes(bytes_of("GGUF"));
    number(version);
    number(tensors);
    number(keys);
  }
  /// A key and its value's type; the value follows.
  GgufBytes& key(std::string_view name, int type) {
    text<std::uint64_t>(name);
    number(std::int32_t{type});
    return *this;
  }
  template <class T>
  GgufBytes& value(T v) {
    number(v);
    return *this;
  }
  GgufBytes& tensor(std::string_view name, const std::vector<std::int64_t>& dims, int type, std::uint64_t offset) {
    text<std::uint64_t>(name);
    number(static_cast<std::uint32_t>(dims.size()));
    for (const auto d : dims) number(d);
    number(std::int32_t{type});
    number(offset);
    return *this;
  }
  GgufBytes& data(std::size_t size) {
    pad(32);
    extend(size);
    return *this;
  }
  GgufFile open() const { return GgufFile(view(), "m.gguf"); }
};

}  // namespace tern::test
