#include "tern/statistics/user_claim.hpp"

#include <doctest/doctest.h>

#include "tern/core/random.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

/// `documents` documents of normal chunks around 0 of 100 tokens; uneven: 1 to 10 chunks each, else 4.
UserDifferences draw(Index documents, double document_spread, bool uneven, Random& random) {
  UserDifferences user(documents);
  for (DocumentDifferences& document : user) {
    document.resize(uneven ? 1 + random.below(10) : 4);
    const double level = document_spread * random.normal();
    for (ChunkDifference& chunk : document) chunk = {100 * (level + random.normal()), 100};
  }
  return user;
}

}  // namespace

TEST_CASE("user_claim: equal documents give the t test over documents") {
  Random random(1);
  const UserDifferences user = draw(5, 0.5, false, random);
  std::vector<double> means;
  for (const DocumentDifferences& document : user) means.push_back(user_difference({document}));
  const Interval interval = t_interval(means);
  const UserClaim claim = user_claim(user);
  CHECK(claim.testable);
  CHECK(claim.difference.point == Approx(interval.point));
  CHECK(claim.difference.low == Approx(interval.low));
  CHECK(claim.difference.high == Approx(interval.high));
  CHECK(claim.p == Approx(t_two_sided(interval.point / moments(means).standard_error(), 4)));
}

TEST_CASE("user_claim: false claims are 5% at most, whatever documents share and however uneven they are") {
  // 5,000 users: five standard deviations of a share of 5% are 1.5 points.
  for (const Index documents : {3, 6, 12})
    for (const double spread : {0.0, 1.0})
      for (const bool uneven : {false, true}) {
        Random random(static_cast<std::uint64_t>(documents));
        int claims = 0, tested = 0;
        for (int e = 0; e < 5000; ++e) {
          const UserClaim claim = user_claim(draw(documents, spread, uneven, random));
          tested += claim.testable;
          claims += claim.testable && claim.p <= 0.05;
        }
        CAPTURE(documents);
        CAPTURE(spread);
        CAPTURE(uneven);
        CHECK(tested >= 3000);
        CHECK(claims <= 0.065 * tested);
      }
}

TEST_CASE("user_claim: too little text is not testable, and keeps its point") {
  Random random(2);
  UserDifferences user = draw(3, 0, false, random);
  CHECK(user_claim(user).testable);
  UserDifferences two(user.begin(), user.begin() + 2);
  two.resize(3);  // a document without chunks does not count
  two[0].resize(10, {0, 100});
  const UserClaim few_documents = user_claim(two);
  CHECK_FALSE(few_documents.testable);
  CHECK(few_documents.difference.point == user_difference(two));
  CHECK(few_documents.difference.low == -std::numeric_limits<double>::infinity());
  CHECK(few_documents.p == 1);
  user[0].pop_back();
  CHECK_FALSE(user_claim(user).testable);
  CHECK(user_claim(user, {.least_chunks = 11}).testable);
  CHECK_THROWS_AS(user_claim({}), ValueError);
  CHECK_THROWS_AS(user_claim(user, {.level = 0}), ValueError);
}

TEST_CASE("user_claim: adapters that agree on every chunk differ in nothing") {
  const UserDifferences same(3, DocumentDifferences(4, {0, 100}));
  CHECK(user_claim(same).p == 1);
  CHECK(user_claim(same).difference.high == 0);
}
