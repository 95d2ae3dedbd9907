#include "tern/io/byte_reader.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"

using namespace tern;
using test::message_of;

TEST_CASE("ByteReader: reads little-endian numbers and text, at any alignment") {
  ByteWriter out;
  out.number(std::uint8_t{7});
  out.number(std::uint32_t{0x01020304});
  out.number(-2.5);
  out.text<std::uint16_t>("tern");
  CHECK(std::to_integer<int>(out.view()[1]) == 4);
  ByteReader reader(out.view(), "file");
  CHECK(reader.number<std::uint8_t>("a") == 7);
  CHECK(reader.number<std::uint32_t>("b") == 0x01020304);
  CHECK(reader.number<double>("c") == -2.5);
  CHECK(reader.text<std::uint16_t>("d") == "tern");
  CHECK(reader.remaining() == 0);
}

TEST_CASE("ByteReader: whatever passes the end names place, offset and sizes") {
  const auto six = bytes_of("\xff\xff\xff\xff\xff\xff");
  CHECK(message_of<FormatError>([&] {
          ByteReader reader(six, "gguf 'm'");
          reader.take(4, "x");
          reader.number<std::uint32_t>("the version");
        }) == "gguf 'm' at byte 4: the version needs 4 bytes, 2 remain");
  CHECK(message_of<FormatError>([&] { ByteReader(six, "f").text<std::uint32_t>("a name"); }) ==
        "f at byte 4: a name needs 4294967295 bytes, 2 remain");
  CHECK(message_of<FormatError>([&] { ByteReader(six, "f").count<std::uint32_t>(2, "the number of items"); }) ==
        "f at byte 0: the number of items is 4294967295, the 2 bytes that remain hold at most 1");
}
