#include "tern/io/checksum.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace tern;

TEST_CASE("Checksum: the published check value of CRC-64/XZ") {
  CHECK(checksum(bytes_of("123456789")) == 0x995dc9bbdf1939fau);
  CHECK(checksum({}) == 0);
}

TEST_CASE("Checksum: pieces of any size give what the whole gives") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Checksum sum;
    sum.update(bytes_of(std::string_view(text).substr(0, cut)));
    sum.update(bytes_of(std::string_view(text).substr(cut)));
    CHECK(sum.value() == checksum(bytes_of(text)));
  }
}
