#pragma once
#include <cmath>
#include <filesystem>
#include <string>

#include "tern/adapters/adapter_set.hpp"
#include "tern/io/packed_tensors.hpp"

namespace tern {

/// Stores a user's adapters: the parameters of a set by name, with the contender that attaches them and the fingerprint
/// of the base they belong to. Returns the file's size. Throws IoError.
inline std::uintmax_t save_adapter(const std::filesystem::path& path, const AdapterSet<float>& set,
                                   const std::string& contender, const std::string& base_fingerprint) {
  PackedFile file;
  file.metadata = {{"base", base_fingerprint}, {"contender", contender}};
  for_each_parameter(set, [&](std::string_view name, const Parameter<float>& p) {
    file.tensors.push_back(to_tensor(std::string(name), p.value));
  });
  write_packed(path, file);
  return std::filesystem::file_size(path);
}

/// The contender an adapter file names, after checking that it belongs to this base. Throws FormatError otherwise.
inline std::string contender_of(const PackedFile& file, const std::filesystem::path& path,
                                const std::string& base_fingerprint) {
  const auto at = [&](const char* key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end())
      throw FormatError("adapter '" + path.string() + "': expected an entry '" + key + "', found none");
    return found->second;
  };
  if (const std::string base = at("base"); base != base_fingerprint)
    throw FormatError("adapter '" + path.string() + "': base: expected fingerprint " + base_fingerprint + ", got " + base);
  return at("contender");
}

/// Fills a set, attached as the file's contender says, with the file's numbers. Throws FormatError on a missing, surplus or
/// misshapen tensor and on a number that is not finite.
inline void fill_adapters(const PackedFile& file, const std::filesystem::path& path, AdapterSet<float>& set) {
  std::size_t used = 0;
  for_each_parameter(set, [&](std::string_view name, Parameter<float>& p) {
    const std::string place = "adapter '" + path.string() + "': tensor '" + std::string(name) + "': ";
    const NamedTensor* t = file.find(name);
    if (t == nullptr) throw FormatError(place + "expected it, found none");
    if (t->rows != p.value.rows() || t->columns != p.value.cols())
      throw FormatError(place + "expected [" + std::to_string(p.value.rows()) + " x " + std::to_string(p.value.cols()) +
                        "], got [" + std::to_string(t->rows) + " x " + std::to_string(t->columns) + "]");
    Matrix<float> values = to_matrix<float>(*t);
    for (Index i = 0; i < values.size(); ++i)
      if (!std::isfinite(values.data()[i]))
        throw FormatError("adapter '" + path.string() + "': " + std::string(name) + "[" + std::to_string(i) +
                          "]: expected a finite number, got " + std::to_string(values.data()[i]));
    p.value = std::move(values);
    ++used;
  });
  if (used != file.tensors.size())
    throw FormatError("adapter '" + path.string() + "': expected " + std::to_string(used) + " tensors, got " +
                      std::to_string(file.tensors.size()));
}

}  // namespace tern
