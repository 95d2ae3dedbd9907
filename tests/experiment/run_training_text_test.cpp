#include "tern/experiment/run/training_text.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tern/experiment/run/choose_users.hpp"

using namespace tern;

namespace {

/// Pieces of the given lengths, each token once in all the world: 1000 x user + its place.
User user(const std::string& name, const std::string& language, int number, const std::vector<int>& lengths) {
  User u;
  u.name = name, u.language = language, u.split_hash = "hash of " + name;
  Token next = static_cast<Token>(1000 * number);
  for (const int n : lengths) {
    auto& piece = u.train.emplace_back();
    for (int i = 0; i < n; ++i) piece.push_back(next++);
  }
  return u;
}

struct World {
  std::vector<User> users = {user("a", "en", 1, {30, 5, 17}), user("b", "en", 2, {40}), user("c", "de", 3, {9, 9}),
                             user("d", "en", 4, {3, 8})};
  std::map<std::string, TokenPieces> generic = {{"en", user("", "", 9, {20, 20, 20, 20}).train},
                                                {"small", {{1, 2, 3}}}};
  TrainingSources sources{users, generic, 5000};
  TokenPieces text(const Setting& s) const { return training_text(s, sources); }
};

Setting of(Data data, const std::string& user = "a") {
  return {.contender = "norm", .user = user, .data = std::move(data)};
}

std::vector<std::size_t> lengths(const TokenPieces& pieces) {
  std::vector<std::size_t> all;
  for (const auto& p : pieces) all.push_back(p.size());
  return all;
}
std::multiset<Token> tokens(const TokenPieces& pieces) {
  std::multiset<Token> all;
  for (const auto& p : pieces) all.insert(p.begin(), p.end());
  return all;
}

}  // namespace

TEST_CASE("training_text: own text as it is, or whole pieces of it up to a number of tokens") {
  const World w;
  CHECK(w.text(of({})) == w.users[0].train);
  Setting s = of({});
  s.tokens = 1000;  // more than there is
  CHECK(w.text(s) == w.users[0].train);
  s.tokens = 40;
  const TokenPieces some = w.text(s);
  CHECK(detail::count_tokens(some) == 40);
  std::size_t cut = 0;
  for (const auto& piece : some) {
    const auto whole =
        std::find_if(w.users[0].train.begin(), w.users[0].train.end(), [&](const auto& p) { return p[0] == piece[0]; });
    REQUIRE(whole != w.users[0].train.end());
    CHECK(std::equal(piece.begin(), piece.end(), whole->begin()));
    cut += piece.size() < whole->size();
  }
  CHECK(cut <= 1);
  s.seed = 1;
  bool other = false;
  for (; s.seed < 9; ++s.seed) other = other || w.text(s) != some;
  CHECK(other);
}

TEST_CASE("training_text: noise has the own text's pieces; shuffled tokens are the own ones") {
  const World w;
  const TokenPieces uniform = w.text(of({Data::Kind::uniform})), shuffled = w.text(of({Data::Kind::shuffled}));
  CHECK(lengths(uniform) == lengths(w.users[0].train));
  CHECK(lengths(shuffled) == lengths(w.users[0].train));
  for (const Token t : tokens(uniform)) CHECK((t >= 0 && t < 5000));
  CHECK(*tokens(uniform).rbegin() > 2500);  // the whole vocabulary; below that with a chance of 2^-52
  CHECK(tokens(shuffled) == tokens(w.users[0].train));
  CHECK(shuffled != w.users[0].train);
  CHECK(tokens({shuffled[0]}) != tokens({w.users[0].train[0]}));  // across pieces
  Setting again = of({Data::Kind::shuffled});
  again.seed = 1;
  CHECK(w.text(again) != shuffled);
  CHECK(tokens(w.text(again)) == tokens(shuffled));
  CHECK(w.text(of({Data::Kind::uniform}, "b")) != uniform);
}

TEST_CASE("training_text: generic text is at most as long as the own; nobody's is all of it") {
  const World w;
  const TokenPieces generic = w.text(of({Data::Kind::generic, "en"}));
  CHECK(detail::count_tokens(generic) == 52);
  const auto all = tokens(w.generic.at("en"));
  for (const Token t : tokens(generic)) CHECK(all.contains(t));
  CHECK(w.text(of({Data::Kind::generic, "small"})) == w.generic.at("small"));
  CHECK(w.text(of({Data::Kind::generic, "en"}, "")) == w.generic.at("en"));
}

TEST_CASE("training_text: the others of a language, without the user") {
  const World w;
  TokenPieces expected = w.users[1].train;
  expected.insert(expected.end(), w.users[3].train.begin(), w.users[3].train.end());
  CHECK(w.text(of({Data::Kind::others})) == expected);
  CHECK_THROWS_WITH_AS(w.text(of({Data::Kind::others}, "c")), "setting: data: expected others who write de, got none",
                       ValueError);
}

TEST_CASE("training_text: every contender sees the same, at every budget and on every base") {
  const World w;
  for (const Data& data :
       {Data{}, Data{Data::Kind::uniform}, Data{Data::Kind::shuffled}, Data{Data::Kind::generic, "en"}}) {
    Setting s = of(data);
    s.tokens = 30;
    Setting other = s;
    other.contender = "lora", other.budget = 3, other.weights = "ternary";
    CHECK(w.text(s) == w.text(other));
    CHECK(w.text(s) == w.text(s));
  }
}

TEST_CASE("training_text: what is not there is an error that names it") {
  const World w;
  CHECK_THROWS_WITH_AS(w.text(of({}, "zoe")), "setting: user: expected one of the users, got 'zoe'", ValueError);
  CHECK_THROWS_WITH_AS(w.text(of({}, "")), "setting: user: expected one of the users, got ''", ValueError);
  CHECK_THROWS_WITH_AS(w.text(of({Data::Kind::generic, "ml"})),
                       "setting: data: expected a generic text that is there, got 'ml'", ValueError);
}

TEST_CASE("choose_users: one of each kind in turn, the same whatever the order, few or all") {
  std::vector<UserRecord> users;
  for (int i = 0; i < 9; ++i) {
    UserRecord u;
    u.name = "u" + std::to_string(i),
    u.kind = i < 6   ? "prose"
             : i < 8 ? "mail"
                     : "code",
    u.split_hash = std::to_string(i);
    users.push_back(u);
  }
  const auto kind_of = [&](const std::string& name) { return users[static_cast<std::size_t>(name[1] - '0')].kind; };
  const auto three = spread_over_kinds(users, 3, "pilot");
  std::set<std::string> kinds;
  for (const std::string& name : three) kinds.insert(kind_of(name));
  CHECK(kinds.size() == 3);
  auto backwards = users;
  std::reverse(backwards.begin(), backwards.end());
  const auto same = spread_over_kinds(backwards, 3, "pilot");
  CHECK(std::set(same.begin(), same.end()) == std::set(three.begin(), three.end()));
  CHECK(std::is_sorted(three.begin(), three.end()));  // in the users' order
  CHECK(spread_over_kinds(users, 0, "pilot").size() == 9);
  CHECK(spread_over_kinds(users, 99, "pilot").size() == 9);
  CHECK(spread_over_kinds(users, 4, "pilot").size() == 4);
  CHECK(spread_over_kinds(users, 4, "pilot") != spread_over_kinds(users, 4, "sweep"));
}
