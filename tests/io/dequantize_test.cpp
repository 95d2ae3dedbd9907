#include "tern/io/dequantize.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "io/hostile.hpp"
#include "tern/core/random.hpp"
#include "tern/io/checksum.hpp"

using namespace tern;

namespace {

/// 1024 weights of random codes. Bit 6 of the bytes `halves` of each block is cleared: a scale is no NaN then.
std::vector<std::byte> random_blocks(const GgmlTypeInfo& info, const std::vector<std::size_t>& halves) {
  Random random(static_cast<std::uint64_t>(info.type));
  std::vector<std::byte> blocks(1024 / info.weights * info.bytes);
  for (auto& b : blocks) b = static_cast<std::byte>(random.next());
  for (std::size_t i = 0; i < blocks.size(); i += info.bytes)
    for (const std::size_t h : halves) blocks[i + h] &= std::byte{0xbf};
  return blocks;
}

/// 2048 weights of random codes, whose scales are zeros, subnormal, the smallest and the largest of binary16.
std::vector<std::byte> extreme_blocks(const GgmlTypeInfo& info, const std::vector<std::size_t>& halves) {
  constexpr std::array<std::uint16_t, 8> extremes = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x7bff, 0xfbff, 0x3c00};
  Random random(static_cast<std::uint64_t>(info.type));
  std::vector<std::byte> blocks(2048 / info.weights * info.bytes);
  for (auto& b : blocks) b = static_cast<std::byte>(random.next());
  std::size_t at = 0;
  for (std::size_t i = 0; i < blocks.size(); i += info.bytes)
    for (const std::size_t h : halves) store_little(blocks.data() + i + h - 1, extremes[at++ * 5 % extremes.size()]);
  return blocks;
}

std::uint64_t checksum_of(GgmlType type, const std::vector<std::byte>& blocks) {
  const auto& info = *find_ggml_type(type);
  std::vector<float> y(blocks.size() / info.bytes * info.weights);
  dequantize(type, blocks, y);
  ByteWriter little;
  for (const float v : y) little.number(v);
  return checksum(little.view());
}

}  // namespace

TEST_CASE("dequantize: every format gives the bits of the reference") {
  struct Case {
    GgmlType type;
    std::vector<std::size_t> halves;
    // Of what gguf.quants.dequantize (gguf-py 0.19.0) makes of the same blocks; of Q2_0, which it lacks, what numpy
    // makes of d * (code - 1).
    std::uint64_t checksum, extreme;
  };
  const std::vector<Case> cases = {
      {GgmlType::f16, {1}, 0x9ea9ead1d8e7e279u, 0x1f4169a17bad1599u},
      {GgmlType::bf16, {1}, 0xe5257d2001312321u, 0x55f6d6cd037c0748u},
      {GgmlType::q4_0, {1}, 0xee541683acdc0d3bu, 0xae7f09b91fb8d223u},
      {GgmlType::q4_1, {1, 3}, 0x387fb6d04fd87257u, 0xfaeb2a6e52790c7bu},
      {GgmlType::q5_0, {1}, 0xdb52f5379da78404u, 0x6798bfebd0e9717eu},
      {GgmlType::q5_1, {1, 3}, 0xff1a5967e16f8d30u, 0xfde2379a62df25u},
      {GgmlType::q8_0, {1}, 0xaabdbf2f7c9e5ed0u, 0x3f792948ec4704f4u},
      {GgmlType::q4_k, {1, 3}, 0x1239f49e8632da83u, 0xc9a0cf9b6bd24d05u},
      {GgmlType::q5_k, {1, 3}, 0x731be3dbdefb7382u, 0xc55fc39d32a59670u},
      {GgmlType::q6_k, {209}, 0x465a69110d8f2605u, 0x1dd27312b157f802u},
      {GgmlType::tq1_0, {53}, 0xe0569c49669da10cu, 0x2dd7f8cc7f030c94u},
      {GgmlType::tq2_0, {65}, 0x3d4293a9d19734dcu, 0x727ea54a6cdbf8e2u},
      {GgmlType::q2_0, {1}, 0xbacdbdcc87a63d26u, 0xe0fa2f65769aaceeu},
  };
  for (const auto& [type, halves, expected, of_extremes] : cases) {
    const auto& info = *find_ggml_type(type);
    CAPTURE(info.name);
    CHECK(checksum_of(type, random_blocks(info, halves)) == expected);
    CHECK(checksum_of(type, extreme_blocks(info, halves)) == of_extremes);
  }
}

TEST_CASE("dequantize: a block by hand") {
  ByteWriter block;
  block.number(kernels::to_half(0.5f).bits);
  for (int j = 0; j < 16; ++j) block.number(static_cast<std::uint8_t>(j | (15 - j) << 4));
  std::vector<float> y(32);
  dequantize(GgmlType::q4_0, block.view(), y);
  for (int j = 0; j < 16; ++j) {
    CHECK(y[static_cast<std::size_t>(j)] == 0.5f * static_cast<float>(j - 8));
    CHECK(y[static_cast<std::size_t>(j) + 16] == 0.5f * static_cast<float>(7 - j));
  }
}

TEST_CASE("dequantize: refuses broken blocks, wrong sizes and types it cannot decode") {
  std::vector<float> y(32);
  const std::vector<std::byte> blocks(36);
  using test::message_of;
  CHECK(message_of<ValueError>([&] { dequantize(GgmlType::q4_0, blocks, y); }) ==
        "dequantize Q4_0: expected blocks of 18 bytes for 32 weights, got 36 bytes for 32 weights");
  CHECK(message_of<ValueError>([&] { dequantize(GgmlType::q4_0, blocks, std::span<float>(y).first(31)); }) ==
        "dequantize Q4_0: expected blocks of 18 bytes for 32 weights, got 36 bytes for 31 weights");
  CHECK(message_of<ValueError>([&] { dequantize(GgmlType{24}, Bytes(blocks).first(32), y); }) ==
        "dequantize: tensors of type I8 are not decoded");
  CHECK(message_of<ValueError>([&] { dequantize(GgmlType{99}, blocks, y); }) == "dequantize: unknown tensor type 99");
}
