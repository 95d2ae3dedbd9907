/// Any bytes are a safetensors file or a FormatError; every tensor of one that opens lies within it. Packed projections
/// of BitNet are weights that are written alike, or a FormatError.
#include "tern/io/safetensors.hpp"

#include "fuzz/frugal.hpp"
#include "tern/io/bitnet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const fuzz::Frugal frugal(size);
  fuzz::only_throws<FormatError>([&] {
    const SafetensorsFile file(bytes, "fuzz");
    for (const auto& tensor : file.tensors()) {
      if (file.find(tensor.name) != &tensor) std::abort();
      if (tensor.name.ends_with(".weight"))
        fuzz::only_throws<FormatError>([&] {
          const auto name = tensor.name.substr(0, tensor.name.size() - 7);
          const auto written = encode_bitnet(decode_bitnet(file, name, BitnetScale::multiplies));
          if (!std::equal(written.begin(), written.end(), tensor.bytes.begin(), tensor.bytes.end())) std::abort();
        });
      if (tensor.bytes.empty()) continue;
      std::vector<float> values(tensor.bytes.size() / size_of(tensor.dtype));
      fuzz::only_throws<ValueError>([&] { decode(tensor.dtype, tensor.bytes, std::span<float>(values)); });
    }
  });
  return 0;
}
