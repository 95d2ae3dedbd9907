#include "tern/experiment/run/adapter_forms.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace tern;
using doctest::Approx;

namespace {

AdapterValues row(std::initializer_list<float> numbers) {
  Matrix<float> m(1, static_cast<Index>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), m.data());
  return {m};
}

std::vector<const AdapterValues*> pointers(const std::vector<AdapterValues>& all) {
  std::vector<const AdapterValues*> p;
  for (const auto& v : all) p.push_back(&v);
  return p;
}

/// People around two far points: `which` says whose.
std::vector<AdapterValues> around(const std::vector<int>& which) {
  Random random(5);
  std::vector<AdapterValues> all;
  for (const int w : which) {
    Matrix<float> m(2, 40);
    fill_normal(m, random, 0.1);
    m.array() += static_cast<float>(w);
    all.push_back({m});
  }
  return all;
}

}  // namespace

TEST_CASE("form: the words, and what is no form") {
  CHECK(parse_form("int8").stored == "int8");
  CHECK(parse_form("noise:0.01").noise == 0.01);
  CHECK(parse_form("cluster+int4").source == Form::Source::residual);
  CHECK(parse_form("others").is_shared());
  CHECK(!parse_form("").is_shared());
  for (const char* wrong : {"int5", "noise:", "noise:0", "noise:-1", "noise:1x", "noise:nan", "mean+int8", "cluster+", "cluster+x", "x"})
    CHECK_THROWS_AS(parse_form(wrong), ValueError);
  CHECK(sources({.contender = "x", .user = "a", .form = "int8"}, {"a", "b"}).size() == 1);
  CHECK(sources({.contender = "x", .user = "a", .form = "mean"}, {"a", "b"}).size() == 2);
  CHECK(sources(base_setting("stored", "noise:0.1"), {"a", "b"}).empty());
}

TEST_CASE("adapter values: whole numbers of so many bits, a scale a row; bf16 to nearest even; bytes") {
  AdapterValues v = row({1.27f, -0.634f, 0.005f, 0});
  round_to_integers(v, 8);  // scale 0.01
  CHECK(v[0](0, 0) == Approx(1.27));
  CHECK(v[0](0, 1) == Approx(-0.63));
  CHECK(v[0](0, 2) == Approx(0.01));
  AdapterValues w = row({0.7f, -0.24f, 0.04f});
  store_as(w, "int4");  // scale 0.1
  CHECK(w[0](0, 1) == Approx(-0.2));
  CHECK(w[0](0, 2) == 0);
  AdapterValues zero = row({0, 0});
  store_as(zero, "int4");
  CHECK(zero[0].isZero());
  AdapterValues b = row({1.00390625f, 1.01171875f, -3.0e-3f});  // half-way to 1 and 1.0078125; half-way to 1.015625
  store_as(b, "bf16");
  CHECK(b[0](0, 0) == 1);
  CHECK(b[0](0, 1) == 1.015625f);
  CHECK(std::abs(b[0](0, 2) + 3.0e-3f) <= 3.0e-3f / 256);
  CHECK(bytes_as(v, "") == 16);
  CHECK(bytes_as(v, "bf16") == 8);
  CHECK(bytes_as(v, "int8") == 8);
  CHECK(bytes_as(w, "int4") == 6);
}

TEST_CASE("adapter values: clusters are found, numbered by their first member, the same whoever comes first") {
  const auto people = around({0, 5, 0, 5, 5, 0, 0});
  CHECK(clusters_of(pointers(people), 2) == std::vector<std::size_t>{0, 1, 0, 1, 1, 0, 0});
  CHECK(clusters_of(pointers(around({3, 3, 3})), 1) == std::vector<std::size_t>{0, 0, 0});
  CHECK(clusters_of(pointers(around({0, 9})), 5) == std::vector<std::size_t>{0, 1});
  const std::vector<AdapterValues> same(4, row({1, 2}));
  CHECK(clusters_of(pointers(same), 2).size() == 4);  // nothing tells them apart
  CHECK(cluster_count(12) == 2);
  CHECK(cluster_count(40) == 4);
}

TEST_CASE("forms: means with and without the own, clusters without it, residuals with it") {
  const std::vector<int> which = {0, 0, 0, 6, 6, 6};
  const auto values = around(which);
  std::vector<detail::Source> people;
  for (std::size_t i = 0; i < values.size(); ++i) people.push_back({"u" + std::to_string(i), values[i]});
  Index group = 0;
  const auto of = [&](const char* form) { return detail::in_form(parse_form(form), people, "u1", group)[0]; };
  const auto& own = values[1][0];
  CHECK(of("mean").mean() == Approx(3).epsilon(0.05));
  CHECK((of("others") * 5 + own - of("mean") * 6).cwiseAbs().maxCoeff() < 1e-4);
  const Matrix<float> cluster = of("cluster");
  CHECK(group == 1);
  CHECK((cluster * 2 - values[0][0] - values[2][0]).cwiseAbs().maxCoeff() < 1e-5);
  const float error = (of("cluster+int4") - own).cwiseAbs().maxCoeff(), alone = (of("int4") - own).cwiseAbs().maxCoeff();
  CHECK(error > 0);
  CHECK(error < 0.05);  // half a step of the residual, which is about 0.3 at most
  CHECK(alone > 0);
  CHECK_THROWS_AS(detail::in_form(parse_form("mean"), people, "nobody", group), ValueError);
}
