#include "tern/core/expect_rows.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace tern;

namespace {

std::string message(Index rows, std::vector<Sequence> sequences, std::vector<Index> user = {}, Index users = 9) {
  Pass pass;
  pass.sequences = sequences;
  pass.user = user;
  try {
    expect_rows("place", pass, rows);
    expect_users("place", pass, users);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("expect_rows: sequences have all rows and no more") {
  constexpr Index most = std::numeric_limits<Index>::max();
  CHECK(message(5, {}) == "accepted");
  CHECK(message(5, {{3, 0}, {0, 7}, {2, 9}}) == "accepted");
  CHECK(message(0, {{0, 0}}) == "accepted");
  CHECK(message(5, {{3, 0}, {1, 0}}) == "place: expected sequences of 5 rows in all, got 4");
  CHECK(message(5, {{3, 0}, {3, 0}}) == "place: expected sequences of 5 rows in all, got more by sequence 1");
  CHECK(message(5, {{6, 0}, {-1, 0}}) == "place: expected sequences of 5 rows in all, got more by sequence 0");
  CHECK(message(5, {{-1, 0}, {6, 0}}) ==
        "place: sequence 0: expected 0 rows or more from a position in [0, 2^40], got -1 from 0");
  CHECK(message(5, {{5, -1}}) ==
        "place: sequence 0: expected 0 rows or more from a position in [0, 2^40], got 5 from -1");
  CHECK(message(5, {{5, most}}).find("place: sequence 0: expected 0 rows or more from a position") == 0);
  CHECK(message(5, {{most, 0}, {most, 0}}).find("place: expected sequences of 5 rows in all") == 0);
}

TEST_CASE("expect_rows: users are one a row and known") {
  CHECK(message(2, {}, {0, 8}) == "accepted");
  CHECK(message(2, {}, {0}) == "place: expected a user for each of 2 rows, got 1");
  CHECK(message(2, {}, {0, 0, 0}) == "place: expected a user for each of 2 rows, got 3");
  CHECK(message(2, {}, {0, 9}) == "place: expected a user in [0, 9), got 9");
  CHECK(message(2, {}, {-1, 0}) == "place: expected a user in [0, 9), got -1");
}
