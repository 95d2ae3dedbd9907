#include "tern/io/pack_rows.hpp"

#include <doctest/doctest.h>

#include <random>

#include "io/hostile.hpp"

using namespace tern;
using test::message_of;

namespace {

/// A type, and where its blocks keep binary16 scales.
struct Kind {
  GgmlType type;
  std::vector<std::size_t> halves;
};
const std::vector<Kind> kinds = {
    {GgmlType::f32, {}},     {GgmlType::f64, {}},      {GgmlType::f16, {0}},     {GgmlType::bf16, {}},
    {GgmlType::q4_0, {0}},   {GgmlType::q4_1, {0, 2}}, {GgmlType::q5_0, {0}},    {GgmlType::q5_1, {0, 2}},
    {GgmlType::q8_0, {0}},   {GgmlType::q4_k, {0, 2}}, {GgmlType::q5_k, {0, 2}}, {GgmlType::q6_k, {208}},
    {GgmlType::tq1_0, {52}}, {GgmlType::tq2_0, {64}},  {GgmlType::q2_0, {0}},
};

/// Rows of random blocks with moderate numbers; of TQ2_0 and Q2_0 without code 3 where `ternary`.
struct File {
  File(const Kind& kind, Index rows, Index columns, bool ternary = true, unsigned seed = 7)
      : info(*find_ggml_type(kind.type)) {
    std::minstd_rand random(seed);
    const auto number = [&] { return (static_cast<float>(random() >> 4 & 2047) - 1024) * 1e-4f; };
    bytes.resize(static_cast<std::size_t>(rows * columns) / info.weights * info.bytes);
    const auto put = [&](auto at) {
      for (std::size_t i = 0; i < bytes.size(); i += sizeof(at())) store_little(bytes.data() + i, at());
    };
    switch (kind.type) {
      case GgmlType::f32:
        put([&] { return number(); });
        break;
      case GgmlType::f64:
        put([&] { return static_cast<double>(number()); });
        break;
      case GgmlType::bf16:
        put([&] { return kernels::to_bf16(number()).bits; });
        break;
      default:
        for (std::byte& b : bytes) {
          b = static_cast<std::byte>(random() >> 8);
          if (ternary && (kind.type == GgmlType::tq2_0 || kind.type == GgmlType::q2_0))
            b &= static_cast<std::byte>(~(static_cast<int>(b) >> 1 & 0x55));
        }
        for (std::size_t i = 0; i < bytes.size(); i += info.bytes)
          for (const std::size_t at : kind.halves) store_little(bytes.data() + i + at, kernels::to_half(number()).bits);
    }
    tensor = {.type = kind.type, .rows = rows, .columns = columns, .bytes = bytes, .where = "tensor 'w'"};
  }

  const GgmlTypeInfo& info;
  std::vector<std::byte> bytes;
  TensorRows tensor;
};

Matrix<float> values(const Packed<float>& w) {
  Matrix<float> m(w.rows(), w.columns());
  for (Index r = 0; r < w.rows(); ++r) w.row(r, m.row(r).data());
  return m;
}

/// Whether a format holds every weight of a type.
bool holds(WeightFormat format, GgmlType type) {
  const auto any = [&](std::initializer_list<GgmlType> types) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  const bool ternary = any({GgmlType::tq1_0, GgmlType::tq2_0, GgmlType::q2_0});
  if (format == WeightFormat::f32 || format == WeightFormat::f32_tiled) return true;
  if (format == WeightFormat::bf16) return type == GgmlType::bf16;
  if (format == WeightFormat::q8) return ternary || any({GgmlType::q8_0, GgmlType::q5_0, GgmlType::q4_0});
  if (format == WeightFormat::q4) return ternary || any({GgmlType::q4_0, GgmlType::q4_1});
  if (format == WeightFormat::q4_0) return ternary || type == GgmlType::q4_0;
  if (format == WeightFormat::ternary) return ternary;
  bool takes = false;  // one that this test does not know by name
  kernels::GroupedFormats::each(
      [&]<class F>() { takes = takes || (weight_format<F> == format && detail::takes_groups<F>(type)); });
  return takes && !any({GgmlType::q4_k, GgmlType::q6_k});
}

}  // namespace

TEST_CASE("pack_rows: what a format holds comes as it is, all else as its quantize rounds it") {
  for (const Kind& kind : kinds)
    for (const Index rows : {1, 33, 70}) {
      const Index block = static_cast<Index>(find_ggml_type(kind.type)->weights);
      const File file(kind, rows, block == 1 ? 100 : block == 32 ? 96 : 768);
      const Matrix<float> dense = read_rows<float>(file.tensor);
      for (const WeightFormatInfo& format : weight_formats) {
        CAPTURE(file.info.name);
        CAPTURE(format.name);
        CAPTURE(rows);
        const Packed<float> packed = pack_rows<float>(file.tensor, format.format);
        CHECK(packed.format() == format.format);
        const bool scales_differ = (kind.type == GgmlType::q4_k && format.format == WeightFormat::q4) ||
                                   (kind.type == GgmlType::q6_k && format.format == WeightFormat::q8);
        if (holds(format.format, kind.type))
          CHECK(values(packed) == dense);
        else if (!scales_differ)
          CHECK(values(packed) == values(Packed<float>::quantize(dense, format.format)));
      }
    }
}

TEST_CASE("pack_rows: as stored, each type has the format that the table says") {
  for (const Kind& kind : kinds) {
    const File file(kind, 17, 256);
    CAPTURE(file.info.name);
    CHECK(pack_rows<float>(file.tensor).format() == stored_format(kind.type));
    CHECK(pack_rows<double>(file.tensor).format() == stored_format(kind.type));
  }
  CHECK(stored_format(GgmlType::q4_0) == WeightFormat::q4_0);
  CHECK(stored_format(GgmlType::q4_1) == WeightFormat::q4);
  CHECK(stored_format(GgmlType::q4_k) == WeightFormat::q4);
  CHECK(stored_format(GgmlType::q6_k) == WeightFormat::q8);
  CHECK(stored_format(GgmlType::q8_0) == WeightFormat::q8);
  std::size_t decoded = 0;
  for (const GgmlTypeInfo& info : ggml_types) decoded += stored_format(info.type).has_value();
  CHECK(kinds.size() == decoded);
  std::vector<float> y(256);
  for (const GgmlTypeInfo& info : ggml_types) {  // the table names the types that are decoded, and no others
    const std::vector<std::byte> bytes(256 / info.weights * info.bytes);
    CAPTURE(info.name);
    if (stored_format(info.type))
      CHECK_NOTHROW(dequantize(info.type, bytes, y));
    else
      CHECK_THROWS_AS(dequantize(info.type, bytes, y), ValueError);
  }
}

TEST_CASE("pack_rows: Q4_K in q4 differs by its scales' rounding to binary16, 2^-11 of themselves") {
  const File file({GgmlType::q4_k, {0, 2}}, 37, 512);
  const Matrix<float> expected = read_rows<float>(file.tensor), got = values(pack_rows<float>(file.tensor));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.bytes.data());
  for (Index r = 0; r < 37; ++r)
    for (Index k = 0; k < 512; ++k) {
      const std::uint8_t* b = bytes + (r * 2 + k / 256) * 144;
      const auto [scale, minimum] = detail::sub_block(b + 4, static_cast<int>(k % 256 / 32));
      const double terms = 15 * std::abs(static_cast<double>(detail::half_at(b)) * scale) +
                           std::abs(static_cast<double>(detail::half_at(b + 2)) * minimum);
      // Half of binary16's last place is 2^-11 relative, 2^-25 below its normal numbers; float's own roundings follow.
      REQUIRE(std::abs(static_cast<double>(got(r, k)) - static_cast<double>(expected(r, k))) <=
              terms * (0x1p-11 + 0x1p-22) + 16 * 0x1p-25);
    }
}

TEST_CASE("pack_rows: Q6_K in q8 keeps the sub-block of the greater scale, and rounds the other by half a step") {
  File file({GgmlType::q6_k, {208}}, 37, 512);
  const Matrix<float> expected = read_rows<float>(file.tensor);
  const Packed<float> packed = pack_rows<float>(file.tensor);
  const auto view = std::get<Q8<float>>(packed.storage()).view();
  const Matrix<float> got = values(packed);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.bytes.data());
  for (Index r = 0; r < 37; ++r)
    for (Index k = 0; k < 512; ++k) {
      const std::uint8_t* b = bytes + (r * 2 + k / 256) * 210;
      const auto scale_of = [&](Index column) {
        return std::abs(static_cast<int>(static_cast<std::int8_t>(b[192 + column % 256 / 16])));
      };
      const int own = scale_of(k), other = scale_of(k ^ 16);
      const double greater = std::abs(static_cast<double>(detail::half_at(b + 208))) * std::max(own, other);
      const double step = std::abs(static_cast<double>(view.scale(r, k / 32)));
      const double w = static_cast<double>(expected(r, k));
      REQUIRE(step <= greater / 3 * (1 + 0x1p-10) + 0x1p-25);
      // The scale's rounding moves a code's weight by 2^-11 of itself, or by 128 times 2^-25.
      const double rounding = std::abs(w) * 0x1p-11 * 1.01 + 128 * 0x1p-25;
      REQUIRE(std::abs(static_cast<double>(got(r, k)) - w) <= (own >= other ? 0 : 0.5 * step) + rounding);
    }
}

TEST_CASE("pack_rows: Q6_K with extreme scales stays within a step") {
  for (const float d : {6e-8f, 1e-6f, 1.5f, 500.0f})
    for (const int least : {-128, -127, 0, 1}) {
      File file({GgmlType::q6_k, {208}}, 16, 256);
      for (std::size_t i = 0; i < file.bytes.size(); i += 210) {
        store_little(file.bytes.data() + i + 208, kernels::to_half(d).bits);
        for (std::size_t s = 0; s < 16; s += 2) file.bytes[i + 192 + s] = static_cast<std::byte>(least);
        std::fill_n(file.bytes.begin() + static_cast<std::ptrdiff_t>(i), 20, std::byte{0});  // codes -32 among them
        std::fill_n(file.bytes.begin() + static_cast<std::ptrdiff_t>(i) + 128, 20, std::byte{0});
      }
      CAPTURE(d);
      CAPTURE(least);
      const Matrix<float> expected = read_rows<float>(file.tensor);
      const Packed<float> packed = pack_rows<float>(file.tensor);
      const auto view = std::get<Q8<float>>(packed.storage()).view();
      const Matrix<float> got = values(packed);
      for (Index r = 0; r < 16; ++r)
        for (Index k = 0; k < 256; ++k) {
          const double step = std::abs(static_cast<double>(view.scale(r, k / 32))),
                       w = static_cast<double>(expected(r, k));
          REQUIRE(std::abs(static_cast<double>(got(r, k)) - w) <=
                  0.5 * step + std::abs(w) * 0x1p-11 * 1.01 + 128 * 0x1p-25);
        }
    }
}

TEST_CASE("pack_rows: ternary tensors of one scale have one, those of several one a group") {
  for (const Kind& kind : {kinds[12], kinds[13], kinds[14]}) {
    File file(kind, 20, 512);
    CAPTURE(file.info.name);
    const auto view = [&](const Packed<float>& w) { return std::get<Ternary<float>>(w.storage()).view(); };
    const Packed<float> several = pack_rows<float>(file.tensor);
    CHECK(view(several).granularity ==
          (kind.type == GgmlType::q2_0 ? kernels::TernaryScale::group64 : kernels::TernaryScale::group));
    CHECK(view(several).format ==
          (kind.type == GgmlType::tq1_0 ? kernels::TernaryFormat::five_a_byte : kernels::TernaryFormat::two_bits));
    for (std::size_t i = 0; i < file.bytes.size(); i += file.info.bytes)  // blocks of zeros have scale 0
      store_little(file.bytes.data() + i + kind.halves[0], kernels::to_half(i % 5 == 0 ? 0 : -0.25f).bits);
    const Packed<float> one = pack_rows<float>(file.tensor);
    CHECK(view(one).granularity == kernels::TernaryScale::tensor);
    CHECK(values(one) == read_rows<float>(file.tensor));
  }
}

TEST_CASE("pack_rows: a code that is not ternary keeps the tensor out of ternary storage") {
  for (const Kind& kind : {kinds[13], kinds[14]}) {
    const File file(kind, 20, 512, false);
    CAPTURE(file.info.name);
    const Packed<float> packed = pack_rows<float>(file.tensor);
    CHECK(packed.format() == WeightFormat::q8);
    CHECK(values(packed) == read_rows<float>(file.tensor));
    CHECK(pack_rows<float>(file.tensor, WeightFormat::ternary).format() == WeightFormat::ternary);
    File one(kind, 20, 512);  // the very last weight
    one.bytes[one.bytes.size() - (kind.type == GgmlType::tq2_0 ? 3 : 1)] |= std::byte{0xc0};
    CHECK(pack_rows<float>(one.tensor).format() == WeightFormat::q8);
  }
}

TEST_CASE("pack_rows: numbers that are ternary already keep their scale") {
  File file({GgmlType::f32, {}}, 20, 64);
  std::minstd_rand random(3);
  for (std::size_t i = 0; i < file.bytes.size(); i += 4)
    store_little(file.bytes.data() + i,
                 (static_cast<float>(random() >> 8 & 1) - static_cast<float>(random() >> 8 & 1)) * 0.3f);
  CHECK(values(pack_rows<float>(file.tensor, WeightFormat::ternary)) == read_rows<float>(file.tensor));
}

TEST_CASE("pack_codes: ternary codes of a file become any format") {
  TernaryCodes codes{37, 100, std::vector<std::int8_t>(3700), 0.3f};
  std::minstd_rand random(3);
  for (std::int8_t& c : codes.codes) c = static_cast<std::int8_t>(static_cast<int>(random() >> 8) % 3 - 1);
  const Matrix<float> dense = codes.values<float>();
  CHECK(pack_codes<float>(codes, "w").format() == WeightFormat::ternary);
  CHECK(values(pack_codes<float>(codes, "w")) == dense);
  for (const WeightFormatInfo& format : weight_formats)
    if (format.format != WeightFormat::ternary)
      CHECK(values(pack_codes<float>(codes, "w", format.format)) ==
            values(Packed<float>::quantize(dense, format.format)));
  codes.scale = 1e9f;
  CHECK(message_of<FormatError>([&] { static_cast<void>(pack_codes<float>(codes, "w", WeightFormat::q4)); }) ==
        "w: a weight is beyond what q4 holds");
}

TEST_CASE("pack_rows, read_rows: rows of heads come in the model's order") {
  const Index d = 6, rows = 36;
  for (const Kind& kind : kinds) {
    File file(kind, rows, 256);
    CAPTURE(file.info.name);
    for (const std::optional<WeightFormat> wanted : {std::optional<WeightFormat>{}, std::optional(WeightFormat::q4)}) {
      file.tensor.order = {};
      const Matrix<float> plain = read_rows<float>(file.tensor), packed = values(pack_rows<float>(file.tensor, wanted));
      file.tensor.order.head_dim = d;
      const Matrix<float> turned = read_rows<float>(file.tensor),
                          repacked = values(pack_rows<float>(file.tensor, wanted));
      for (Index h = 0; h < rows / d; ++h)
        for (Index i = 0; i < d / 2; ++i)
          for (Index j = 0; j < 2; ++j) {
            const Index model = h * d + j * d / 2 + i, from = h * d + 2 * i + j;
            CHECK(turned.row(model) == plain.row(from));
            CHECK(repacked.row(model) == packed.row(from));
          }
    }
  }
}

TEST_CASE("pack_rows, read_rows: an offset is added to every number") {
  for (const Kind& kind : kinds) {
    File file(kind, 3, 256);
    CAPTURE(file.info.name);
    const Matrix<float> before = read_rows<float>(file.tensor);
    file.tensor.offset = 1;
    const Matrix<float> after = read_rows<float>(file.tensor);
    CHECK(after == Matrix<float>(before.array() + 1.0f));
    for (const WeightFormatInfo& format : weight_formats)
      CHECK(values(pack_rows<float>(file.tensor, format.format)) ==
            values(Packed<float>::quantize(after, format.format)));
  }
}

TEST_CASE("pack_rows: any number of threads gives the same bits") {
  for (const Kind& kind : kinds) {
    const File file(kind, 150, 256);
    CAPTURE(file.info.name);
    for (const WeightFormatInfo& format : weight_formats) {
      CAPTURE(format.name);
      const Matrix<float> expected = values(pack_rows<float>(file.tensor, format.format));
      for (const Index threads : {2, 5}) {
        ThreadPool pool(threads);
        CHECK(values(pack_rows<float>(file.tensor, format.format, pool.parallel())) == expected);
      }
    }
  }
}

TEST_CASE("pack_rows: what is broken is refused, wherever it stands") {
  const auto refusal = [](const TensorRows& t, std::optional<WeightFormat> wanted = {}, Zeros zeros = Zeros::allowed) {
    return message_of<FormatError>([&] { static_cast<void>(pack_rows<float>(t, wanted, {}, zeros)); });
  };
  for (const Kind& kind : kinds) {
    CAPTURE(find_ggml_type(kind.type)->name);
    File file(kind, 40, 256);
    std::byte* last = file.bytes.data() + file.bytes.size() - file.info.bytes;
    for (const bool nan : {false, true}) {
      if (kind.type == GgmlType::f32)
        store_little(last, nan ? NAN : -INFINITY);
      else if (kind.type == GgmlType::f64)
        store_little(last, nan ? static_cast<double>(NAN) : -HUGE_VAL);
      else if (kind.type == GgmlType::bf16)
        store_little(last, std::uint16_t{static_cast<std::uint16_t>(nan ? 0x7fc0 : 0xff80)});
      for (const std::size_t at : kind.halves) {
        store_little(last + at, std::uint16_t{static_cast<std::uint16_t>(nan ? 0x7e00 : 0x7c00)});
        if (kind.type == GgmlType::q6_k) last[192] = std::byte{1};
        for (const WeightFormatInfo& format : weight_formats) {
          CAPTURE(format.name);
          CHECK(refusal(file.tensor, format.format) == "tensor 'w': a weight is not finite");
        }
        CHECK(refusal(file.tensor) == "tensor 'w': a weight is not finite");
        CHECK(message_of<FormatError>([&] { read_rows<float>(file.tensor); }) == "tensor 'w': a weight is not finite");
      }
    }
  }

  File file({GgmlType::f32, {}}, 40, 100);
  store_little(file.bytes.data() + 15996, 1e9f);
  CHECK(refusal(file.tensor, WeightFormat::q8) == "tensor 'w': a weight is beyond what q8 holds");
  CHECK(refusal(file.tensor, WeightFormat::q4) == "tensor 'w': a weight is beyond what q4 holds");
  CHECK(refusal(file.tensor, WeightFormat::q4_0) == "tensor 'w': a weight is beyond what q4_0 holds");
  CHECK_NOTHROW(pack_rows<float>(file.tensor, WeightFormat::bf16));
  store_little(file.bytes.data() + 15996, 3.4e38f);
  CHECK(refusal(file.tensor, WeightFormat::bf16) == "tensor 'w': a weight is beyond what bf16 holds");
  CHECK_NOTHROW(pack_rows<float>(file.tensor));

  for (std::byte& b : file.bytes) b = {};
  for (const WeightFormatInfo& format : weight_formats) {
    CHECK(refusal(file.tensor, format.format, Zeros::refused) == "tensor 'w': every weight is zero");
    CHECK_NOTHROW(pack_rows<float>(file.tensor, format.format));
  }
  store_little(file.bytes.data() + 15996, 0.1f);
  CHECK_NOTHROW(pack_rows<float>(file.tensor, WeightFormat::q8, {}, Zeros::refused));
}

TEST_CASE("pack_rows: rows that their bytes do not pay for are refused") {
  const auto refusal = [](TensorRows t) {
    const auto message = message_of<FormatError>([&] { static_cast<void>(pack_rows<float>(t)); });
    CHECK(message_of<FormatError>([&] { read_rows<float>(t); }) == message);
    return message;
  };
  const std::vector<std::byte> bytes(4 * 34);
  TensorRows t{.type = GgmlType::q8_0, .rows = 4, .columns = 32, .bytes = bytes, .where = "w"};
  CHECK_NOTHROW(pack_rows<float>(t));
  t.rows = 5;
  CHECK(refusal(t) == "w: expected 5 rows of 34 bytes, got 136 bytes");
  t.rows = Index{1} << 60;
  CHECK(refusal(t) == "w: expected 1152921504606846976 rows of 34 bytes, got 136 bytes");
  t.rows = 4;
  t.columns = 33;
  CHECK(refusal(t) == "w: expected rows of whole blocks of 32, got [4 x 33]");
  t.columns = 32;
  t.order.head_dim = 8;
  CHECK(refusal(t) == "w: expected whole heads of 8 rows, an even number, got 4 rows");
  t.order.head_dim = 1;
  CHECK(refusal(t) == "w: expected whole heads of 1 rows, an even number, got 4 rows");
  t.type = GgmlType::i2_s;
  CHECK(refusal(t) == "w: expected a type that tern decodes, got I2_S");
  t.type = GgmlType{99};
  CHECK(refusal(t) == "w: expected a type that tern decodes, got 99");
  CHECK(pack_rows<float>({.type = GgmlType::q8_0, .rows = 0, .columns = 32, .bytes = {}, .where = "w"}).rows() == 0);
}
