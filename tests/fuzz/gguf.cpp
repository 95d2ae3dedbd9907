/// Any bytes are a GGUF file or a FormatError; every value and tensor of one that opens can be read. I2_S tensors are
/// weights that are written alike, or a FormatError.
#include "tern/io/gguf.hpp"

#include "fuzz/frugal.hpp"
#include "tern/io/i2_s.hpp"

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
      for (const auto layout : {I2sLayout::groups_of_128, I2sLayout::groups_of_64, I2sLayout::four_rows})
        fuzz::only_throws<FormatError>([&] {
          const auto written = encode_i2_s(decode_i2_s(tensor, layout, "fuzz"), layout);
          const std::size_t meant = written.empty() ? 0 : written.size() - 28;
          if (!std::equal(written.begin(), written.begin() + static_cast<Index>(meant), tensor.bytes.begin()))
            std::abort();
        });
      if (tensor.bytes.empty()) continue;
      Matrix<float> row(1, tensor.columns());
      fuzz::only_throws<ValueError>([&] { dequantize(tensor, tensor.rows() - 1, row); });
    }
  });
  return 0;
}
