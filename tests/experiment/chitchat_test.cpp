#include "shootout/chitchat.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "support/temporary_directory.hpp"

using namespace tern;
using namespace tern::test;

namespace {

std::string message(const std::string& sender, const std::string& text, const std::string& time) {
  return R"({"text": ")" + text + R"(", "timestamp": ")" + time + R"(", "sender": ")" + sender + R"(-0000"})";
}

/// Two talk twice; a third says little, a machine much.
std::string two_talks() {
  const std::string a = "aaaaaaaa", b = "bbbbbbbb";
  return R"({"two": {"messages": [[)" + message(a, "later", "2019-01-02T10:00:00Z") + "], [" +
         message(b, "indeed, and much longer", "2019-01-02T10:00:05Z") + "]]}, " +
         R"("one": {"messages": [[)" + message(a, "hello", "2019-01-01T10:00:00Z") + ", " +
         message(a, "and again", "2019-01-01T10:00:01Z") + "], [" + message("cccccccc", "hi", "2019-01-01T10:01:00Z") +
         "], [" + message("ed35a50a", std::string(500, 'x'), "2019-01-01T10:02:00Z") + "]]}}";
}

std::filesystem::path write(const TemporaryDirectory& folder, const std::string& text) {
  const auto path = folder / "dataset.json";
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("chitchat: own messages alone, a conversation a document with its time; most first, the machine named") {
  TemporaryDirectory folder;
  const Population population = program::chitchat_population(write(folder, two_talks()), 2);
  REQUIRE(population.people.size() == 2);
  CHECK(population.people[0].name == "bbbbbbbb");
  CHECK(population.people[1].name == "aaaaaaaa");
  REQUIRE(population.left_out.size() == 1);
  CHECK(population.left_out[0].name == "ed35a50a");
  CHECK(population.left_out[0].reason == "3,195 machine-made sentences in one day");
  const Person person = population.people[1].read("somebody", {});
  CHECK(person.name == "somebody");
  CHECK(person.kind == "chat");
  REQUIRE(person.found.documents.size() == 2);
  CHECK(person.found.documents[0].name == "one");
  CHECK(person.found.documents[0].text == "hello\nand again\n");
  CHECK(person.found.documents[1].text == "later\n");
  CHECK(*person.found.documents[1].time - *person.found.documents[0].time == 24 * 3600);
  CHECK(program::chitchat_population(folder / "dataset.json", 40).people.size() == 3);
}

TEST_CASE("chitchat: what is no such file is an error that says where") {
  TemporaryDirectory folder;
  for (const auto& [text, what] : {std::pair<std::string, std::string>{"[", "an object of conversations"},
                                   {R"({"c": 7})", "c: expected messages, a list of turns"},
                                   {R"({"c": {"messages": [[{"text": "x", "sender": 7}]]}})", "c: expected messages with a sender"},
                                   {R"({"c": {"messages": [[7]]}})", "c: expected messages with a "}}) {
    CAPTURE(text);
    std::string said;
    try {
      program::chitchat_population(write(folder, text), 2);
    } catch (const FormatError& e) {
      said = e.what();
    }
    CHECK(said.find(what) != std::string::npos);
  }
}

TEST_CASE("populations: together in one run, each name once, results keep them apart") {
  TemporaryDirectory folder;
  Population first = program::chitchat_population(write(folder, two_talks()), 2);
  Population second = first;
  second.name = "again";
  const auto names = [](const Users& users) {
    std::vector<std::string> all;
    for (const LeftOut& l : users.left_out) all.push_back(l.name);
    return all;
  };
  // Everybody has too little text for a split: the names are in left_out.
  const Users users = load_users(std::vector{first, second}, Base{}, {});
  CHECK(users.users.empty());
  CHECK(names(users) == std::vector<std::string>{"ed35a50a", "bbbbbbbb", "aaaaaaaa", "ed35a50a", "bbbbbbbb~2", "aaaaaaaa~2"});
}
