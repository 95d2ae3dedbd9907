#include "tern/experiment/users.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "support/temporary_directory.hpp"
#include "support/tiny_base.hpp"

using namespace tern;
using namespace tern::test;
namespace fs = std::filesystem;

TEST_CASE("users: who cannot take part is left out with the reason; nobody at all is an error") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  const fs::path users = folder.path() / "users";
  write_user(users, "good", 14000, 1);
  fs::create_directories(users / "empty");
  fs::create_directories(users / "short");
  std::ofstream(users / "short" / "one.txt") << "word\n";
  fs::create_directories(users / "broken");
  std::ofstream(users / "broken" / "bad.txt") << "caf\xe9\n";
  const Users loaded = load_users(users, base);
  REQUIRE(loaded.users.size() == 1);
  CHECK(loaded.users[0].name == "good");
  CHECK(loaded.users[0].held_out_tokens() > 0);
  REQUIRE(loaded.left_out.size() == 3);
  CHECK(loaded.left_out[0].name == "broken");
  CHECK(loaded.left_out[0].reason.find("bad.txt") != std::string::npos);
  CHECK(loaded.left_out[1].name == "empty");
  CHECK(loaded.left_out[2].name == "short");
  for (const LeftOut& l : loaded.left_out) CHECK(!l.reason.empty());

  CHECK_THROWS_WITH_AS(load_users(users / "good", base),
                       ("--users '" + (users / "good").string() +
                        "': expected a folder with a folder of text for each user, found no usable one; it holds files "
                        "itself: if it is one person's own, give the folder above it")
                           .c_str(),
                       ValueError);
  fs::remove_all(users / "good");
  CHECK_THROWS_AS(load_users(users, base), ValueError);
  CHECK_THROWS_AS(load_users(folder.path() / "nowhere", base), IoError);
}

TEST_CASE("users: a folder without permission leaves its user out") {
  if (::geteuid() == 0) return;  // root may read everything
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  const fs::path users = folder.path() / "users";
  write_user(users, "good", 14000, 1);
  write_user(users, "secret", 14000, 2);
  fs::permissions(users / "secret", fs::perms::none);
  const Users loaded = load_users(users, base);
  fs::permissions(users / "secret", fs::perms::owner_all);
  REQUIRE(loaded.left_out.size() == 1);
  CHECK(loaded.left_out[0].name == "secret");
}

TEST_CASE("users: token ids make a user without any tokenizer, unless they are not of this vocabulary") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  const auto write = [&](const std::string& name, std::int32_t highest) {
    fs::create_directories(folder.path() / "users" / name);
    std::ofstream file(folder.path() / "users" / name / "ids.bin", std::ios::binary);
    for (std::int32_t i = 0; i < 1000; ++i) {
      const std::int32_t id = i % (highest + 1);
      file.write(reinterpret_cast<const char*>(&id), sizeof id);
    }
  };
  write("fits", 255);
  write("foreign", 256);
  const Users loaded = load_users(folder.path() / "users", base);
  REQUIRE(loaded.users.size() == 1);
  CHECK(loaded.users[0].train_tokens() == 800);
  CHECK(loaded.users[0].validation_tokens() == 100);
  REQUIRE(loaded.left_out.size() == 1);
  CHECK(loaded.left_out[0].reason.find("256") != std::string::npos);
}

TEST_CASE("users: what results say of a user is there") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  const fs::path users = folder.path() / "users";
  fs::create_directories(users / "ana");
  for (int day = 1; day <= 28; ++day) {
    const std::string date = "2024-02-" + std::string(day < 10 ? "0" : "") + std::to_string(day);
    std::string text = "# " + date + "\n";
    Random random(static_cast<std::uint64_t>(day));
    for (int line = 0; line < 20; ++line) {
      text += "- mail ana@example.org:";
      for (int word = 0; word < 5; ++word) text += " w" + std::to_string(random.below(100'000));
      text += "\n";
    }
    std::ofstream(users / "ana" / (date + ".md")) << text;
  }
  std::ofstream(users / "ana" / "p.png") << "x";
  std::ofstream(users / "ana" / "q.png") << "x";
  write_user(users, "ben", 14000, 1);

  PopulationOptions options;
  options.population = "two";
  options.kinds["ben"] = "chat";
  options.languages["ben"] = "xx";
  const Users loaded = load_users(users, base, options);
  REQUIRE(loaded.users.size() == 2);
  const User &ana = loaded.users[0], &ben = loaded.users[1];
  CHECK(ana.population == "two");
  CHECK(ana.kind == "notes");
  CHECK(ana.documents == 28);
  CHECK(ana.method == "by time");
  CHECK_FALSE(ana.one_work);
  CHECK(ana.skipped_by_reason() == std::map<std::string, Index>{{"unknown extension '.png'", 2}});
  CHECK(ana.held_out.front().name == "2024-02-26.md");
  CHECK(ana.held_out.size() == 3);
  CHECK(ana.validation.size() == 3);
  CHECK(ana.train.size() == 22);
  CHECK(ben.kind == "chat");
  CHECK(ben.language == "xx");
  CHECK(ben.method == "contiguous");
  CHECK(ben.one_work);

  // Placeholders are context where text is scored, and stay in training.
  const ScoredDocument& d = ana.held_out.front();
  std::string scored, masked;
  for (std::size_t i = 0; i < d.tokens.size(); ++i)
    (d.is_context[i] ? masked : scored) += base.tokenizer->piece(d.tokens[i]);
  CHECK(scored.find("EMAIL") == std::string::npos);
  std::string expected;
  for (int line = 0; line < 20; ++line) expected += "[EMAIL]";
  CHECK(masked == expected);
  CHECK(base.tokenizer->decode(ana.train.front()).find("[EMAIL]") != std::string::npos);
  CHECK(d.bytes == base.token_bytes(d.tokens));

  options.kinds = {{"cleo", "chat"}};
  CHECK_THROWS_WITH_AS(load_users(users, base, options), "kind of 'cleo': expected a user, found no such folder",
                       ValueError);
  options.kinds = {{"ben", "song"}};
  CHECK_THROWS_WITH_AS(load_users(users, base, options),
                       "kind of 'ben': expected one of prose, chat, mail, code, notes, transcript, got 'song'",
                       ValueError);
}

TEST_CASE("users: the order of data is a function of the user's text and the seed") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  write_user(folder.path() / "users", "ana", 14000, 1);
  write_user(folder.path() / "users", "ben", 14000, 2);
  const Users loaded = load_users(folder.path() / "users", base);
  User renamed = loaded.users[0];
  renamed.name = "other";
  renamed.kind = "chat";
  CHECK(window_seed(renamed, 1) == window_seed(loaded.users[0], 1));
  CHECK(window_seed(loaded.users[0], 1) != window_seed(loaded.users[0], 2));
  CHECK(window_seed(loaded.users[0], 1) != window_seed(loaded.users[1], 1));
}

TEST_CASE("users: scores of a real model do not depend on how chunks share calls") {
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  write_user(folder.path() / "users", "ana", 14000, 1);
  const User user = load_users(folder.path() / "users", base).users.at(0);
  const auto chunks = draw_chunks(user.held_out, 32, 500);
  PackedDecoder<float>::Cache cache;
  const Score one = score_chunks(base.model, {}, user.held_out, chunks, cache, {.rows = 1});
  CHECK(one.tokens == 500);
  CHECK(one.bytes == 500);  // a byte tokenizer
  for (const Index rows : {64, 100, 1024})
    CHECK(score_chunks(base.model, {}, user.held_out, chunks, cache, {.rows = rows}).nll == one.nll);
}
