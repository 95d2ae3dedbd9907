#pragma once
/// All that a shootout needs, in memory and tiny: a base of one layer with a twin, people of made-up tokens, options
/// under which it takes a second.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_directory.hpp"
#include "support/tiny_base.hpp"
#include "tern/experiment/options.hpp"
#include "tern/experiment/run/generic_texts.hpp"

namespace tern::test {

/// `n` tokens, letters that a person of that number likes, hardly predictable otherwise.
inline std::vector<Token> liked_tokens(Index n, std::uint64_t number, std::uint64_t seed) {
  Random random(seed * 1000 + number);
  std::vector<Token> tokens;
  for (Index i = 0; i < n; ++i)
    tokens.push_back(static_cast<Token>(static_cast<Index>(number) * 20 + random.below(12)));
  return tokens;
}

/// A person with four documents of 120 tokens to train on, two of 60 to validate, three of 90 to score.
inline User made_up_user(const std::string& name, std::uint64_t number, const std::string& language = "en") {
  User u;
  u.name = name, u.population = "made up", u.kind = "prose", u.language = language;
  u.split_hash = "hash of " + name, u.method = "by document", u.documents = 9, u.bytes = 870;
  std::uint64_t seed = 0;
  for (int i = 0; i < 4; ++i) u.train.push_back(liked_tokens(120, number, ++seed));
  for (int i = 0; i < 2; ++i) u.validation.push_back({"v" + std::to_string(i), liked_tokens(60, number, ++seed)});
  for (int i = 0; i < 3; ++i) u.held_out.push_back({"h" + std::to_string(i), liked_tokens(90, number, ++seed)});
  return u;
}

struct TinyStage {
  TemporaryDirectory folder;
  Base base = load_base("tiny", write_tiny_base(folder.path()));
  Users users;
  GenericTexts generic;
  ShootoutOptions options;

  explicit TinyStage(int people = 3) {
    base.ternary = load_base("tiny", write_tiny_base(folder.path(), 2)).model;
    for (int i = 0; i < people; ++i) {
      const std::string name = "u" + std::to_string(i);
      users.users.push_back(made_up_user(name, static_cast<std::uint64_t>(i)));
      generic.of_user[name] = "en-prose";
    }
    users.left_out = {{"nobody", "no text"}};
    generic.tokens["en-prose"] = made_up_user("", 10).train;
    options.contenders = {"norm", "lora-r4"};
    options.roles = {"norm", {"lora-r4"}, "lora-r4"};
    options.experiments = {"E1"};
    options.budget = Budget::of_steps(4);
    options.context = 16, options.eval_tokens = 96, options.validation_tokens = 32;
    options.pilots = 2, options.most_rates = 4;
    options.threads = 1;
  }
  std::filesystem::path out() const { return folder / "out"; }
};

}  // namespace tern::test
