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
  const Users loaded = load_users(users, base, 3);
  REQUIRE(loaded.users.size() == 1);
  CHECK(loaded.users[0].name == "good");
  CHECK(loaded.users[0].held_out.size() == 3);
  REQUIRE(loaded.left_out.size() == 3);
  CHECK(loaded.left_out[0].name == "broken");
  CHECK(loaded.left_out[0].reason.find("bad.txt") != std::string::npos);
  CHECK(loaded.left_out[1].name == "empty");
  CHECK(loaded.left_out[2].name == "short");
  for (const LeftOut& l : loaded.left_out) CHECK(!l.reason.empty());

  fs::remove_all(users / "good");
  CHECK_THROWS_AS(load_users(users, base, 3), ValueError);
  CHECK_THROWS_AS(load_users(folder.path() / "nowhere", base, 3), IoError);
}

TEST_CASE("users: a folder without permission leaves its user out") {
  if (::geteuid() == 0) return;  // root may read everything
  const TemporaryDirectory folder;
  const Base base = load_base("tiny", write_tiny_base(folder.path()));
  const fs::path users = folder.path() / "users";
  write_user(users, "good", 14000, 1);
  write_user(users, "secret", 14000, 2);
  fs::permissions(users / "secret", fs::perms::none);
  const Users loaded = load_users(users, base, 3);
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
  const Users loaded = load_users(folder.path() / "users", base, 3);
  REQUIRE(loaded.users.size() == 1);
  CHECK(loaded.users[0].train_tokens() == 800);
  CHECK(loaded.users[0].validation.size() == 100);
  REQUIRE(loaded.left_out.size() == 1);
  CHECK(loaded.left_out[0].reason.find("256") != std::string::npos);
}
