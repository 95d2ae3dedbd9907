#pragma once
#include <map>

#include "tern/core/state_matrix.hpp"
#include "tern/io/atomic_file.hpp"
#include "tern/io/byte_reader.hpp"
#include "tern/io/checksum.hpp"
#include "tern/io/dtype.hpp"
#include "tern/io/mapped_file.hpp"

namespace tern {

/// A matrix by name; owns its elements, row-major, little-endian.
struct NamedTensor {
  std::string name;
  Index rows = 0, columns = 0;
  DType dtype = DType::f32;
  std::vector<std::byte> bytes;
};

/// What a packed file holds.
struct PackedFile {
  std::map<std::string, std::string> metadata;
  std::vector<NamedTensor> tensors;

  /// Null where there is no such tensor.
  const NamedTensor* find(std::string_view name) const {
    for (const auto& t : tensors)
      if (t.name == name) return &t;
    return nullptr;
  }
};

/// `values`, row after row, as elements of `dtype`, rounded to nearest.
template <std::floating_point S>
NamedTensor to_tensor(std::string name, const Matrix<S>& values,
                      DType dtype = sizeof(S) == 8 ? DType::f64 : DType::f32) {
  ByteWriter elements;
  encode(dtype, std::span<const S>(values.data(), static_cast<std::size_t>(values.size())), elements);
  return {std::move(name), values.rows(), values.cols(), dtype, elements.take()};
}

/// Numbers in bf16, to the bit.
inline NamedTensor to_tensor(std::string name, const Bf16Matrix& values) {
  ByteWriter elements;
  elements.reserve(static_cast<std::size_t>(values.size()) * sizeof(std::uint16_t));
  for (Index i = 0; i < values.size(); ++i) elements.number(values.data()[i]);
  return {std::move(name), values.rows(), values.cols(), DType::bf16, elements.take()};
}

/// The tensor [rows x columns] as S. Throws ValueError unless its elements are floating-point.
template <std::floating_point S>
Matrix<S> to_matrix(const NamedTensor& tensor) {
  Matrix<S> values(tensor.rows, tensor.columns);
  decode(tensor.dtype, tensor.bytes, std::span<S>(values.data(), static_cast<std::size_t>(values.size())));
  return values;
}

/// The tensor [rows x columns], whose elements are bf16, to the bit. Throws ValueError where they are not.
inline Bf16Matrix to_bf16_matrix(const NamedTensor& tensor) {
  if (tensor.dtype != DType::bf16)
    throw ValueError("tensor " + in_quotes(tensor.name) + ": expected BF16, got " + std::string(name(tensor.dtype)));
  Bf16Matrix values(tensor.rows, tensor.columns);
  for (Index i = 0; i < values.size(); ++i)
    if (const auto bits = load_little<std::uint16_t>(tensor.bytes.data() + 2 * static_cast<std::size_t>(i)); bits != 0)
      values.data()[i] = bits;  // zeros are there already
  return values;
}

/// tern's own form for adapters and checkpoints: 36 bytes, 24 more and a name for each tensor, and one checksum over
/// all of it, so that a cut or a flipped bit anywhere is found. Integers are little-endian:
///   "TERNPACK", u32 version = 1, u64 length of the whole file, u32 entries, u32 tensors,
///   entries in the order of their keys: u32 length, key, u32 length, value,
///   tensors in the order given: u32 length, name, u32 dtype, u64 rows, u64 columns, elements,
///   u64 Checksum of everything before it.
/// The same content gives the same bytes.
namespace packed {

inline constexpr std::string_view magic = "TERNPACK";
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t header = 8 + 4 + 8 + 4 + 4, trailer = 8;
inline constexpr std::size_t most_entries = 4096;

/// Throws ValueError for a name given twice, or for elements that do not fill their shape.
inline std::vector<std::byte> encode(const PackedFile& file) {
  if (file.metadata.size() > most_entries)
    throw ValueError("packed file: expected at most " + std::to_string(most_entries) + " metadata entries, got " +
                     std::to_string(file.metadata.size()));
  std::size_t length = header + trailer;
  for (const auto& [key, value] : file.metadata) length += 8 + key.size() + value.size();
  std::map<std::string_view, bool> names;
  for (const auto& t : file.tensors) {
    length += 24 + t.name.size() + t.bytes.size();
    const std::size_t expected = static_cast<std::size_t>(t.rows * t.columns) * size_of(t.dtype);
    if (t.bytes.size() != expected)
      throw ValueError("packed tensor " + in_quotes(t.name) + ": expected " + std::to_string(expected) +
                       " bytes, got " + std::to_string(t.bytes.size()));
    if (!names.emplace(t.name, true).second) throw ValueError("packed tensor " + in_quotes(t.name) + " is given twice");
  }

  ByteWriter out;
  out.reserve(length);
  out.bytes(bytes_of(magic));
  out.number(version);
  out.number(std::uint64_t{length});
  out.number(static_cast<std::uint32_t>(file.metadata.size()));
  out.number(static_cast<std::uint32_t>(file.tensors.size()));
  for (const auto& [key, value] : file.metadata) {
    out.text<std::uint32_t>(key);
    out.text<std::uint32_t>(value);
  }
  for (const auto& t : file.tensors) {
    out.text<std::uint32_t>(t.name);
    out.number(static_cast<std::uint32_t>(t.dtype));
    out.number(static_cast<std::uint64_t>(t.rows));
    out.number(static_cast<std::uint64_t>(t.columns));
    out.bytes(t.bytes);
  }
  out.number(checksum(out.view()));
  return out.take();
}

namespace detail {

inline void check_envelope(Bytes bytes, const std::string& place) {
  ByteReader reader(bytes, place);
  const auto found = text_of(reader.take(magic.size(), "the magic"));
  if (found != magic) reader.fail(0, "expected the magic 'TERNPACK', got " + in_quotes(found));
  const auto v = reader.number<std::uint32_t>("the version");
  if (v != version) reader.fail(8, "expected version " + std::to_string(version) + ", got " + std::to_string(v));
  const auto length = reader.number<std::uint64_t>("the file's length");
  if (length != bytes.size() || length < header + trailer)
    reader.fail(12, "expected a file of " + std::to_string(length) + " bytes, got " + std::to_string(bytes.size()));
  const Bytes sum = bytes.last(trailer);
  if (load_little<std::uint64_t>(sum.data()) != checksum(bytes.first(bytes.size() - trailer)))
    reader.fail(bytes.size() - trailer, "the checksum does not match: the file is damaged");
}

inline NamedTensor read_tensor(ByteReader& reader) {
  NamedTensor t;
  t.name = reader.text<std::uint32_t>("a tensor's name");
  const auto what = "tensor " + in_quotes(t.name);
  const std::size_t at = reader.offset();
  const auto dtype = reader.number<std::uint32_t>(what);
  if (dtype >= dtypes.size()) reader.fail(at, what + ": expected a dtype below 13, got " + std::to_string(dtype));
  t.dtype = static_cast<DType>(dtype);
  const auto rows = reader.number<std::uint64_t>(what), columns = reader.number<std::uint64_t>(what);
  std::uint64_t size = 0;
  if (rows > PTRDIFF_MAX || columns > PTRDIFF_MAX || __builtin_mul_overflow(rows, columns, &size) ||
      __builtin_mul_overflow(size, size_of(t.dtype), &size))
    reader.fail(at, what + ": " + std::to_string(rows) + " x " + std::to_string(columns) + " elements pass 2^63 bytes");
  t.rows = static_cast<Index>(rows);
  t.columns = static_cast<Index>(columns);
  const Bytes elements = reader.take(size, what);
  t.bytes.assign(elements.begin(), elements.end());
  return t;
}

}  // namespace detail

/// Throws FormatError "packed '<name>' at byte <n>: ..." where the bytes are damaged or lie.
inline PackedFile decode(Bytes bytes, const std::string& name) {
  const auto place = "packed '" + name + "'";
  detail::check_envelope(bytes, place);
  ByteReader reader(bytes.first(bytes.size() - trailer), place);
  reader.take(header - 8, "the header");
  const auto n_entries = reader.count<std::uint32_t>(8, "the number of metadata entries");
  const auto n_tensors = reader.count<std::uint32_t>(24, "the number of tensors");
  if (n_entries > most_entries)
    reader.fail(
        20, "expected at most " + std::to_string(most_entries) + " metadata entries, got " + std::to_string(n_entries));
  PackedFile file;
  for (std::size_t i = 0; i < n_entries; ++i) {
    const std::size_t at = reader.offset();
    const auto key = reader.text<std::uint32_t>("a metadata key");
    const auto value = reader.text<std::uint32_t>("the value of key " + in_quotes(key));
    if (!file.metadata.empty() && file.metadata.rbegin()->first >= key)
      reader.fail(at, "expected keys in order, each once, got " + in_quotes(key));
    file.metadata.emplace_hint(file.metadata.end(), key, value);
  }
  file.tensors.reserve(n_tensors);
  for (std::size_t i = 0; i < n_tensors; ++i) file.tensors.push_back(detail::read_tensor(reader));
  if (reader.remaining() != 0)
    reader.fail(reader.offset(), std::to_string(reader.remaining()) + " bytes are left over");

  std::vector<std::string_view> names;
  for (const auto& t : file.tensors) names.push_back(t.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) reader.fail(header, "tensor " + in_quotes(*twice) + " appears twice");
  return file;
}

}  // namespace packed

/// Writes `file` to `path`, all or nothing.
inline void write_packed(const std::filesystem::path& path, const PackedFile& file, Access access = Access::umask) {
  write_file(path, packed::encode(file), access);
}

/// Throws IoError where `path` cannot be read, FormatError where its content is damaged.
inline PackedFile read_packed(const std::filesystem::path& path) {
  const MappedFile file(path);
  return packed::decode(file.bytes(), path.string());
}

}  // namespace tern
