/// Any bytes are a safetensors file or a FormatError; every tensor of one that opens lies within it.
#include "tern/io/safetensors.hpp"

#include "fuzz/frugal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const fuzz::Frugal frugal(size);
  fuzz::only_throws<FormatError>([&] {
    const SafetensorsFile file(bytes, "fuzz");
    for (const auto& tensor : file.tensors()) {
      if (file.find(tensor.name) != &tensor) std::abort();
      if (tensor.bytes.empty()) continue;
      std::vector<float> values(tensor.bytes.size() / size_of(tensor.dtype));
      fuzz::only_throws<ValueError>([&] { decode(tensor.dtype, tensor.bytes, std::span<float>(values)); });
    }
  });
  return 0;
}
