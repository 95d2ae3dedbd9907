#include "tern/experiment/words.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace tern;

TEST_CASE("words: numbers as people read them") {
  CHECK(words::fixed(-0.04, 1) == "0.0");
  CHECK(words::fixed(-1.25, 1) == "−1.2");
  CHECK(words::grouped(215'000) == "215,000");
  CHECK(words::general(0.0003) == "0.0003");
  CHECK(words::count(std::nullopt) == "–");
  CHECK(words::perplexity(23.456) == "23.46");
  CHECK(words::perplexity(12'345.6) == "12,346");
  CHECK(words::margin(0.0512) == "+5.1%");
  CHECK(words::margin(-19.0) == "×20");
  CHECK(words::percent(0.314) == "31%");
  CHECK(words::bytes(9216) == "9.22 kB");
  CHECK(words::seconds(7300) == "2.0 h");
  CHECK(words::p_value(0.0039) == "p 0.004");
  CHECK(words::p_value(0.00099) == "p < 0.001");
}

TEST_CASE("words: counts and lists") {
  CHECK(words::count(1, "user") == "1 user");
  CHECK(words::count(1200, "user") == "1,200 users");
  CHECK(words::some_of(12, 12, "user") == "all 12 users");
  CHECK(words::some_of(1, 1, "user") == "the one user");
  CHECK(words::some_of(0, 3, "user") == "none of 3 users");
  CHECK(words::some_of(2, 3, "user") == "2 of 3 users");
  CHECK(words::enumerate({}) == "");
  CHECK(words::enumerate({"a"}) == "a");
  CHECK(words::enumerate({"a", "b", "c"}) == "a, b and c");
  CHECK(words::capital("one") == "One");
}

TEST_CASE("words: a margin says which perplexity is lower, its interval from the nearer end on") {
  CHECK(words::lower(0.052) == "5.2% lower");
  CHECK(words::lower(-0.0872) == "8.7% higher");
  CHECK(words::lower(-20) == "2,000% higher");
  CHECK(words::lower_between(0.02, 0.042) == "2.0% to 4.2% lower");
  CHECK(words::lower_between(-0.1447, -0.0325) == "3.2% to 14.5% higher");
  CHECK(words::lower_between(-0.048, 0.047) == "4.8% higher to 4.7% lower");
  CHECK(words::lower_between(-std::numeric_limits<double>::infinity(), 1) == "no interval");
  CHECK(words::margin_between(-0.0872, -0.1447, -0.0325) == "−8.7% [−14.5%, −3.2%]");
  CHECK(words::margin_between(-0.0872, -std::numeric_limits<double>::infinity(), 1) == "−8.7%");
}
