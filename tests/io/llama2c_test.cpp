#include "tern/io/llama2c.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"
#include "support/data.hpp"

using namespace tern;
using test::message_of;

namespace {

/// Two layers, width 4, hidden 6, 2 heads on 1; every float is its position, counted from 0.
std::vector<std::byte> small(std::int32_t vocabulary) {
  ByteWriter out;
  for (const std::int32_t n : {4, 6, 2, 2, 1, vocabulary, 8}) out.number(n);
  const int layer = 4 + 16 + 8 + 8 + 16 + 4 + 24 + 24 + 24;
  const int floats = std::abs(vocabulary) * 4 * (vocabulary < 0 ? 2 : 1) + 2 * layer + 4 + 8 * 2;
  for (int i = 0; i < floats; ++i) out.number(static_cast<float>(i));
  return out.take();
}

std::string refusal(Bytes bytes) {
  return message_of<FormatError>([&] { Llama2c::decode(bytes, "m"); });
}

}  // namespace

TEST_CASE("Llama2c: each kind of weight for all layers in turn") {
  const auto m = Llama2c::decode(small(5), "m");
  CHECK(m.head_dim() == 2);
  CHECK(m.context == 8);
  CHECK(m.embedding(1, 0) == 4);
  CHECK(m.layers[0].attention_norm(0, 0) == 20);
  CHECK(m.layers[1].attention_norm(0, 0) == 24);
  CHECK(m.layers[0].query(0, 0) == 28);
  CHECK(m.layers[1].query(0, 0) == 44);
  CHECK(m.layers[0].key.rows() == 2);
  CHECK(m.layers[0].down.cols() == 6);
  CHECK(m.final_norm(0, 0) == 20 + 2 * 128);
  CHECK(m.head.size() == 0);
}

TEST_CASE("Llama2c: a negative vocabulary brings a head of its own, after the rotary tables") {
  const auto m = Llama2c::decode(small(-5), "m");
  CHECK(m.vocabulary == 5);
  CHECK(m.head.rows() == 5);
  CHECK(m.head(0, 0) == 20 + 2 * 128 + 4 + 16);
}

TEST_CASE("Llama2c: headers that lie, and cuts") {
  auto bytes = small(5);
  const std::string size = std::to_string(bytes.size());
  CHECK(refusal(Bytes(bytes).first(bytes.size() - 1)) ==
        "llama2c 'm' at byte 0: expected a file of " + size + " bytes, got " + std::to_string(bytes.size() - 1));
  auto longer = bytes;
  longer.resize(longer.size() + 4);
  CHECK(refusal(longer) ==
        "llama2c 'm' at byte 0: expected a file of " + size + " bytes, got " + std::to_string(longer.size()));
  for (std::size_t length = 0; length < bytes.size(); ++length) REQUIRE(!refusal(Bytes(bytes).first(length)).empty());
  store_little(bytes.data() + 8, std::int32_t{0});
  CHECK(refusal(bytes) == "llama2c 'm' at byte 8: number of layers: expected 1 to 4096, got 0");
  store_little(bytes.data() + 8, std::int32_t{4096});
  CHECK(test::fails_cheaply([&] { Llama2c::decode(bytes, "m"); }));
  bytes = small(5);
  store_little(bytes.data() + 12, std::int32_t{3});
  CHECK(refusal(bytes) ==
        "llama2c 'm' at byte 0: expected a width that heads divide and heads that key/value heads divide, got 4, 3, 1");
  bytes = small(5);
  store_little(bytes.data() + 20, std::numeric_limits<std::int32_t>::min());
  CHECK(refusal(bytes) == "llama2c 'm' at byte 20: vocabulary: expected 1 to 1048576, got 2147483648");
}

TEST_CASE("Llama2c: reads stories260K" * test::needs_data()) {
  const auto m = Llama2c::read(test::data() / "checkpoints/stories260K/stories260K.bin");
  CHECK(m.width == 64);
  CHECK(m.hidden == 172);
  CHECK(m.layers.size() == 5);
  CHECK(m.kv_heads == 4);
  CHECK(m.vocabulary == 512);
  CHECK(m.head.size() == 0);
  CHECK(m.embedding.allFinite());
}
