/// Any bytes are a packed file or a FormatError, with a right length and checksum too; what is read is written alike.
#include <algorithm>

#include "fuzz/frugal.hpp"
#include "tern/io/packed_tensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const Bytes raw(reinterpret_cast<const std::byte*>(data), size);
  fuzz::only_throws<FormatError>([&] { packed::decode(raw, "fuzz"); });
  if (size < packed::header + packed::trailer) return 0;

  std::vector<std::byte> bytes(raw.begin(), raw.end());
  store_little(bytes.data() + 12, std::uint64_t{size});
  store_little(bytes.data() + size - 8, checksum(Bytes(bytes).first(size - 8)));
  fuzz::only_throws<FormatError>([&] {
    const fuzz::Frugal frugal(size);
    const PackedFile file = packed::decode(bytes, "fuzz");
    const fuzz::Frugal frugal_again(2 * size);
    if (packed::encode(file) != bytes) std::abort();
  });
  return 0;
}
