#include <doctest/doctest.h>

#include "tern/experiment/run/pace.hpp"

using tern::Pace;

TEST_CASE("Pace: what is left takes as long as what was expected has taken; pilots, of which nothing was, do not count") {
  Pace pace;
  CHECK(pace.of(30) == 30);
  pace.finished(0, 80);
  CHECK(pace.of(30) == 30);
  pace.finished(2, 3);
  CHECK(pace.of(30) == 45);
  pace.finished(2, 1);
  CHECK(pace.of(30) == 30);
}
