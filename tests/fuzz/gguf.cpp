/// Any bytes are a GGUF file or a FormatError; every value and tensor of one that opens can be read.
#include "tern/io/gguf.hpp"

#include "fuzz/frugal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const fuzz::Frugal frugal(size);
  fuzz::only_throws<FormatError>([&] {
    const GgufFile file(bytes, "fuzz");
    for (const auto key : file.metadata().keys()) {
      fuzz::only_throws<FormatError>([&] { file.get<std::string_view>(key); });
      fuzz::only_throws<FormatError>([&] { file.get<std::int8_t>(key); });
      fuzz::only_throws<FormatError>([&] { file.get<double>(key); });
      fuzz::only_throws<FormatError>([&] { file.get<bool>(key); });
      fuzz::only_throws<FormatError>([&] { file.get<std::vector<std::string_view>>(key); });
      fuzz::only_throws<FormatError>([&] { file.get<std::vector<std::uint32_t>>(key); });
      fuzz::only_throws<FormatError>([&] { file.get<std::vector<float>>(key); });
    }
    for (const auto& tensor : file.tensors()) {
      if (file.find_tensor(tensor.name) != &tensor) std::abort();
      if (tensor.bytes.empty()) continue;
      Matrix<float> row(1, tensor.columns());
      fuzz::only_throws<ValueError>([&] { dequantize(tensor, tensor.rows() - 1, row); });
    }
  });
  return 0;
}
