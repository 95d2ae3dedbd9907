#include "tern/io/ternary_codes.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"

using namespace tern;
using kernels::TernaryFormat;
using test::message_of;

TEST_CASE("TernaryCodes: to a storage of either format and back") {
  for (const auto format : {TernaryFormat::two_bits, TernaryFormat::five_a_byte})
    for (const Index rows : {0, 1, 15, 17})
      for (const Index columns : {0, 1, 19, 21, 129}) {
        CAPTURE(rows);
        CAPTURE(columns);
        TernaryCodes w{rows, columns, {}, 0.75f};
        for (Index i = 0; i < rows * columns; ++i) w.codes.push_back(static_cast<std::int8_t>(i * i / 3 % 3 - 1));
        const Ternary<float> t = to_ternary<float>(w, format);
        CHECK(t.view().format == format);
        const TernaryCodes back = to_codes(t);
        CHECK(back.rows == rows);
        CHECK(back.columns == columns);
        CHECK(back.codes == w.codes);
        CHECK(back.scale == 0.75f);
      }
  CHECK(message_of<ValueError>([] {
          to_codes(Ternary<float>::quantize(Matrix<float>::Ones(2, 2), kernels::TernaryScale::row));
        }) == "unpack ternary weights: expected one scale for all of them, got one for each row or group");
}

TEST_CASE("TernaryCodes: rows without columns cost nothing, however many") {
  const Index many = Index(1) << 60;
  CHECK(to_ternary<float>({many, 0, {}, 1}).rows() == many);
  CHECK(to_ternary<float>({many, 0, {}, 1}, TernaryFormat::five_a_byte).rows() == many);
}

TEST_CASE("TernaryCodes: from plain numbers, and back") {
  const Matrix<double> w{{0, -0.3, 0.3}, {0.3, 0, -0.3}};
  const TernaryCodes t = ternary_codes<double>(w, "w");
  CHECK(t.codes == std::vector<std::int8_t>{0, -1, 1, 1, 0, -1});
  CHECK(t.scale == 0.3f);
  CHECK(t.values<float>() == w.cast<float>());
  CHECK(ternary_codes<float>(Matrix<float>(0, 5), "w").columns == 5);
  CHECK(message_of<FormatError>([] {
          ternary_codes<float>(Matrix<float>{{1, -0.5f}}, "tensor 'w'");
        }) == "tensor 'w': expected ternary weights of one scale, got -0.500000 beside 1.000000");
}
