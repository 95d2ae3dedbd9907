#pragma once
#include <set>

#include "tern/io/atomic_file.hpp"
#include "tern/io/gguf.hpp"
#include "tern/io/quantize.hpp"

namespace tern {

/// Collects metadata and tensors, then writes a GGUF file, version 3, little-endian, aligned to 32 bytes, in the order
/// given. Owns copies of all it was given. Throws ValueError for what a reader would refuse: empty or repeated keys and
/// names, names past 63 bytes, rows that are no whole number of blocks.
class GgufWriter {
 public:
  /// One value: bool, an integer of 8 to 64 bits, float, double, or text.
  template <class T>
  GgufWriter& set(std::string_view key, const T& value) {
    begin(key);
    metadata_.number(static_cast<std::int32_t>(type_of<T>()));
    put(value);
    return *this;
  }

  /// An array of such values.
  template <class T>
  GgufWriter& set(std::string_view key, const std::vector<T>& values) {
    begin(key);
    metadata_.number(static_cast<std::int32_t>(GgufValueType::array));
    metadata_.number(static_cast<std::int32_t>(type_of<T>()));
    metadata_.number(std::uint64_t{values.size()});
    for (const T& value : values) put(value);
    return *this;
  }

  /// A tensor of one dimension.
  GgufWriter& add_vector(std::string name, GgmlType type, std::span<const float> values) {
    ByteWriter blocks;
    quantize(type, values, blocks);
    return add(std::move(name), type, {static_cast<Index>(values.size())}, blocks.take());
  }

  /// A tensor of two dimensions, the columns the faster.
  GgufWriter& add_matrix(std::string name, GgmlType type, In<float> values) {
    ByteWriter blocks;
    for (Index r = 0; r < values.rows(); ++r)
      quantize(type, {values.data() + r * values.outerStride(), static_cast<std::size_t>(values.cols())}, blocks);
    return add(std::move(name), type, {values.cols(), values.rows()}, blocks.take());
  }

  /// Blocks that are quantised already; `dims` fastest first.
  GgufWriter& add(std::string name, GgmlType type, std::vector<Index> dims, std::vector<std::byte> blocks) {
    if (name.empty() || name.size() > 63 || name.find('\0') != name.npos)
      throw ValueError("gguf tensor " + in_quotes(name) + ": expected a name of 1 to 63 bytes without NUL");
    if (!names_.insert(name).second) throw ValueError("gguf tensor " + in_quotes(name) + " is given twice");
    const auto* info = find_ggml_type(type);
    std::size_t weights = 1;
    for (const Index extent : dims) weights *= static_cast<std::size_t>(extent);
    const bool whole = info != nullptr && !dims.empty() && static_cast<std::size_t>(dims[0]) % info->weights == 0;
    if (!whole || dims.size() > 4 || blocks.size() != tensor_bytes(*info, weights))
      throw ValueError("gguf tensor " + in_quotes(name) + ": expected 1 to 4 dimensions, rows of whole blocks and " +
                       std::to_string(weights) + " weights, got " + std::to_string(blocks.size()) + " bytes");
    tensors_.push_back({std::move(name), type, std::move(dims), std::move(blocks)});
    return *this;
  }

  /// Calls sink(Bytes) with the file's bytes, piece by piece.
  template <class Sink>
  void write_to(Sink&& sink) const {
    ByteWriter head;
    head.bytes(bytes_of("GGUF"));
    head.number(std::uint32_t{3});
    head.number(std::uint64_t{tensors_.size()});
    head.number(std::uint64_t{keys_.size()});
    head.bytes(metadata_.view());
    std::uint64_t offset = 0;
    for (const auto& t : tensors_) {
      head.text<std::uint64_t>(t.name);
      head.number(static_cast<std::uint32_t>(t.dims.size()));
      for (const Index extent : t.dims) head.number(std::int64_t{extent});
      head.number(static_cast<std::int32_t>(t.type));
      head.number(offset);
      offset += t.blocks.size() + padding(t.blocks.size());
    }
    head.pad(alignment);
    sink(head.view());
    static constexpr std::array<std::byte, alignment> zeros{};
    for (const auto& t : tensors_) {
      sink(Bytes(t.blocks));
      sink(Bytes(zeros.data(), padding(t.blocks.size())));
    }
  }

  /// All or nothing; throws IoError.
  void write(const std::filesystem::path& path, Access access = Access::umask) const {
    AtomicFile file(path, access);
    write_to([&](Bytes piece) { file.write(piece); });
    file.commit();
  }

 private:
  static constexpr std::size_t alignment = 32;

  struct Tensor {
    std::string name;
    GgmlType type;
    std::vector<Index> dims;
    std::vector<std::byte> blocks;
  };

  static std::size_t padding(std::size_t size) { return (alignment - size % alignment) % alignment; }

  template <class T>
  static constexpr GgufValueType type_of() {
    if constexpr (std::is_same_v<T, bool>)
      return GgufValueType::boolean;
    else if constexpr (std::is_same_v<T, float>)
      return GgufValueType::f32;
    else if constexpr (std::is_same_v<T, double>)
      return GgufValueType::f64;
    else if constexpr (std::is_integral_v<T>) {
      constexpr std::array<GgufValueType, 4> is_signed = {GgufValueType::i8, GgufValueType::i16, GgufValueType::i32,
                                                          GgufValueType::i64};
      constexpr std::array<GgufValueType, 4> is_unsigned = {GgufValueType::u8, GgufValueType::u16, GgufValueType::u32,
                                                            GgufValueType::u64};
      return (std::is_signed_v<T> ? is_signed : is_unsigned)[std::bit_width(sizeof(T)) - 1];
    } else {
      static_assert(std::is_convertible_v<const T&, std::string_view>, "a GGUF value is a number, a bool or text");
      return GgufValueType::string;
    }
  }

  void begin(std::string_view key) {
    if (key.empty() || key.size() > 65535 || key.find('\0') != key.npos)
      throw ValueError("gguf key " + in_quotes(key) + ": expected 1 to 65535 bytes without NUL");
    if (!keys_.insert(std::string(key)).second) throw ValueError("gguf key " + in_quotes(key) + " is given twice");
    metadata_.text<std::uint64_t>(key);
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      metadata_.number(static_cast<std::uint8_t>(value));
    else if constexpr (std::is_arithmetic_v<T>)
      metadata_.number(value);
    else
      metadata_.text<std::uint64_t>(value);
  }

  std::set<std::string> keys_, names_;
  ByteWriter metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace tern
