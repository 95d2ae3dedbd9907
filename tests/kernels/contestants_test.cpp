#include "kernels/contestants.hpp"

#include <set>

#include "support/kernels.hpp"
#include "support/ternary_check.hpp"
#include "tern/kernels/ternary_matmul/reference.hpp"

using namespace tern::kernels;
using namespace tern::test;
using tern::benchmark::Contestant, tern::benchmark::contestants, tern::benchmark::own_kernels;

TEST_CASE("contestants: every runnable instruction set and every own kernel, under names of their own") {
  CHECK(contestants().size() == runnable_isas().size() + std::size(own_kernels));
  std::set<std::string_view> names;
  for (const Contestant& c : contestants()) names.insert(c.name);
  CHECK(names.size() == contestants().size());
  CHECK(names.contains("plain_ternary"));
}

TEST_CASE("ternary_disagreement: none among contestants") {
  for (const Contestant& c : contestants()) {
    CAPTURE(c.name);
    CHECK(ternary_disagreement(c.table.f32) == "");
  }
}

TEST_CASE("ternary_disagreement: a wrong kernel is named by its first wrong number") {
  Operations<float> wrong = native::table(Isa::reference).f32;
  wrong.ternary_matmul = [](const TernaryView& w, Index row_begin, Index row_end, Index tokens, const std::int8_t* q,
                            Index q_row, const float* scale, float* y, Index y_row) noexcept {
    TernaryView narrow = w;
    narrow.columns = w.columns / 128 * 128 + w.columns % 128 / 2;  // the last columns are forgotten
    if (ternary_padded(narrow.columns) == ternary_padded(w.columns))
      reference::ternary_matmul<float>(narrow, row_begin, row_end, tokens, q, q_row, scale, y, y_row);
  };
  CHECK(ternary_disagreement(wrong).starts_with("ternary_matmul of 1 rows from 0, "));
}
