/// Any bytes are a llama2.c checkpoint or a FormatError.
#include "tern/io/llama2c.hpp"

#include "fuzz/frugal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const fuzz::Frugal frugal(size);
  fuzz::only_throws<FormatError>(
      [&] { Llama2c::decode(Bytes(reinterpret_cast<const std::byte*>(data), size), "fuzz"); });
  return 0;
}
