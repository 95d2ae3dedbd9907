#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tern/text/ingest/irc.hpp"
#include "tern/text/ingest/slack.hpp"
#include "tern/text/ingest/telegram.hpp"
#include "tern/text/ingest/whatsapp.hpp"

namespace {

using tern::detail::Chat;
using tern::detail::choose_owner;
using tern::detail::Json;

/// "sender: text" for each message.
std::vector<std::string> said(const Chat& chat) {
  std::vector<std::string> all;
  for (const auto& message : chat.messages) all.push_back(message.sender + ": " + message.text);
  return all;
}

using Lines = std::vector<std::string>;

/// The owner's words as documents.
std::vector<tern::detail::Stretch> own_words(const Chat& chat, const tern::Owner& owner, tern::Index& others) {
  tern::detail::OwnWords own;
  std::size_t room = 1'000'000;
  for (const auto& message : chat.messages) own.take(message, owner, room);
  others = own.by_others;
  return own.finish();
}

}  // namespace

TEST_CASE("whatsapp: every phone's date format begins a message") {
  for (const char* stamp : {"12/31/20, 9:41 PM - ",         "31/12/2020, 21:41 - ",
                            "31.12.20, 21:41 - ",           "31.12.2020, 21:41 - ",
                            "2020-12-31, 21:41 - ",         "31/12/2020 21:41 - ",
                            "31/12/20 à 21:41 - ",          "31-12-20 21:41 - ",
                            "2020/12/31 21:41 - ",          "31/12/20, 9:41 p. m. - ",
                            "31/12/20, 9:41 p.\u00a0m. - ", "12/31/20, 9:41\u202fPM - ",
                            "2020/12/31 下午9:41 - ",       "31/12/20, 9:41 pm - ",
                            "31/12/2020, 21.41 - ",         "[31/12/20, 21:41:05] ",
                            "[31.12.20, 21:41:05] ",        "[12/31/20, 9:41:05 PM] ",
                            "[12/31/20, 9:41:05\u202fPM] ", "[2020-12-31, 21:41:05] ",
                            "[31/12/2020 21:41:05] ",       "\u200e[31/12/20, 21:41:05] ",
                            "[2020/12/31 下午9:41:05] "}) {
    CAPTURE(stamp);
    const std::string text = std::string(stamp) + "Ana Ruiz: hello: you\n";
    CHECK(tern::detail::is_whatsapp(text));
    CHECK(said(tern::detail::read_whatsapp(text, "chat.txt")) == Lines{"Ana Ruiz: hello: you"});
  }
}

TEST_CASE("whatsapp: prose is no chat") {
  for (const char* text : {"", "\n\n", "Dear diary,\n31/12/2020, 21:41 - Ana: hello\n", "31/12/2020 was a Thursday.\n",
                           "12:30 - lunch\n", "- 31/12/2020\n", "[1] A footnote: x\n"}) {
    CAPTURE(text);
    CHECK_FALSE(tern::detail::is_whatsapp(text));
  }
}

TEST_CASE("whatsapp: lines go on, system lines and placeholders go") {
  const Chat chat = tern::detail::read_whatsapp(
      "31/12/2020, 21:40 - Messages and calls are end-to-end encrypted. No one outside can read them.\n"
      "31/12/2020, 21:41 - Ana: first line\n"
      "second line\n"
      "\n"
      "fourth: line\n"
      "31/12/2020, 21:42 - Ben: <Media omitted>\n"
      "31/12/2020, 21:42 - Ben: <Medien ausgeschlossen>\n"
      "31/12/2020, 21:43 - Ben: This message was deleted\n"
      "31/12/2020, 21:43 - Ben: \u200eimage omitted\n"
      "31/12/2020, 21:43 - Ben: IMG-2020.jpg (file attached)\n"
      "31/12/2020, 21:43 - Ben: null\n"
      "31/12/2020, 21:44 - Ana added Cleo\n"
      "31/12/2020, 21:45 - +44 7700 900123: ok \u200e<This message was edited>\n"
      "31/12/2020, 21:46 - Ben: a <3 b\n",
      "chat.txt");
  CHECK(said(chat) == Lines{"Ana: first line\nsecond line\n\nfourth: line", "+44 7700 900123: ok", "Ben: a <3 b"});
}

TEST_CASE("chat: the owner is given, named, matched, the one no chat is with, or guessed") {
  using tern::detail::OwnerHints;
  const Chat one{"1", "whatsapp", {{"Ana Ruiz", "x", ""}, {"Ben", "y", ""}, {"Ben", "z", ""}}};
  const Chat two{"2", "whatsapp", {{"Ana Ruiz", "x", ""}, {"Cleo", "y", ""}}};
  const auto owner = [](const std::vector<Chat>& chats, const OwnerHints& hints) {
    tern::detail::Senders senders;
    for (const Chat& chat : chats) count_senders(chat, senders);
    const tern::Owner chosen = choose_owner("whatsapp", senders, hints);
    return chosen.name + ", " + chosen.reason + (chosen.guessed ? "!" : "");
  };
  const auto folder = [](const char* name) {
    OwnerHints hints;
    hints.folder = name;
    return hints;
  };
  CHECK(owner({one}, folder("folder")) == "Ben, most frequent sender!");
  CHECK(owner({one, two}, folder("folder")) == "Ana Ruiz, most frequent sender!");  // in both chats
  CHECK(owner({one}, folder("chat-ana")) == "Ana Ruiz, matches the folder's name");
  CHECK(owner({one}, folder("ana-and-ben")) == "Ben, most frequent sender!");  // the name does not decide
  OwnerHints given = folder("ana");
  given.self = {"cleo", "c@example.org"};
  CHECK(owner({one}, given) == "cleo, c@example.org, given");
  OwnerHints with_ben = folder("");
  with_ben.others["ben"];
  CHECK(owner({one}, with_ben) == "Ana Ruiz, the chats are with the others");
  OwnerHints named = folder("ana");
  named.exporter = "Ben";
  CHECK(owner({one}, named) == "Ben, named by the export");
}

TEST_CASE("chat: names are compared after normalisation and folding, addresses before names") {
  const Chat decomposed{"1", "whatsapp", {{"Zoe\u0308 FERRE\u0301", "x", ""}, {"Oskar", "y", ""}}};
  tern::detail::Senders senders;
  count_senders(decomposed, senders);
  tern::detail::OwnerHints hints;
  hints.folder = "zoë ferré";
  const auto own_words = [](const Chat& chat, const tern::Owner& owner, std::size_t room = 100) {
    tern::detail::OwnWords own;
    for (const auto& message : chat.messages) own.take(message, owner, room);
    std::string all;
    for (const auto& stretch : own.stretches) all += (all.empty() ? "" : "|") + stretch.text;
    return all + std::to_string(own.by_others) + " by others, " + std::to_string(own.beyond) + " beyond";
  };
  CHECK(own_words(decomposed, choose_owner("whatsapp", senders, hints)) == "x\n1 by others, 0 beyond");
  hints.self = {"ZOË FERRÉ"};
  CHECK(own_words(decomposed, choose_owner("whatsapp", senders, hints)) == "x\n1 by others, 0 beyond");
  const Chat mails{
      "2",
      "mail",
      {{"Ana R", "a", "ana@example.org"}, {"R, Ana", "b", "Ana@Example.org"}, {"Ben", "c", "b@example.org"}}};
  tern::detail::Senders by_address;
  count_senders(mails, by_address);
  CHECK(by_address.size() == 2);
  hints = {};
  CHECK(own_words(mails, choose_owner("mail", by_address, hints)) == "a\nb\n1 by others, 0 beyond");
  CHECK(own_words(mails, choose_owner("mail", by_address, hints), 2) == "a\n1 by others, 1 beyond");
  CHECK(tern::folded("\u200eSTRAẞE \u00a0 İ") == tern::folded("strasse i\u0307"));
}

namespace {

/// What the first reading of an export tells of a chat: "Ana (user1) 2, Ben (user2) 1".
std::string speakers(const tern::detail::StreamedChat& chat) {
  std::string all;
  for (const auto& [key, presence] : chat.senders)
    all += (all.empty() ? "" : ", ") + presence.name() + " (" + key + ") " + std::to_string(presence.messages);
  return all;
}

std::vector<tern::detail::StreamedChat> telegram(const std::string& json) {
  tern::detail::JsonCharacters characters{json};
  return tern::detail::read_telegram(characters, "result.json", "result.json", 1 << 20).chats;
}

}  // namespace

TEST_CASE("telegram: a chat, with pieces of text") {
  const auto chats = telegram(R"({"name":"Ben","type":"personal_chat","id":7,"messages":[
    {"id":1,"type":"service","actor":"Ana","action":"create","text":""},
    {"id":2,"type":"message","from":"Ana","from_id":1,"text":"hello"},
    {"id":3,"type":"message","from":"Ben","from_id":"user2","text":["see ",{"type":"link","text":"this"}," now"]},
    {"id":4,"type":"message","from":"Ana","from_id":"user1","text":"not mine","forwarded_from":"Cleo"},
    {"id":5,"type":"message","from":"Ana","from_id":"user1","photo":"x.jpg","text":""},
    {"id":6,"type":"message","from":null,"from_id":"user3","text":"a deleted account"}]})");
  REQUIRE(chats.size() == 1);
  CHECK(speakers(chats[0]) == "Ana (user1) 1, Ben (user2) 1, user3 (user3) 1");
  CHECK(chats[0].other == "Ben");
  CHECK(chats[0].omitted == tern::detail::Omissions{{"a notice of the service", 1},
                                                    {"a message forwarded, or by a bot", 1},
                                                    {"a message without text", 1}});
  tern::detail::Omissions omitted;
  const auto message = tern::detail::read_telegram_message(
      Json::parse(R"({"type":"message","from":"Ben","text":["see ",{"type":"link","text":"this"}," now"]})"), omitted);
  REQUIRE(message);
  CHECK(message->text == "see this now");
}

TEST_CASE("telegram: a whole account names its owner") {
  const auto chats = telegram(R"({"chats":{"list":[
    {"name":"Ben","type":"personal_chat","id":7,"messages":[{"type":"message","from":"Ana","from_id":"user1","text":"a"}]},
    {"broken":true},
    {"messages":[{"type":"message","from":"Dan","from_id":"user3","text":"no chat"}]},
    {"messages":[{"type":"message","from":"Cleo","from_id":"user9","text":"b"}],"name":"Cleo","type":"personal_chat","id":8}]},
    "left_chats":{"list":[{"type":"group","id":[[]],"messages":[]}]},
    "personal_information":{"user_id":1,"first_name":"Ana","messages":[1,[2]]}})");
  REQUIRE(chats.size() == 3);
  CHECK(chats[0].owner == "user1");
  CHECK(chats[1].name == "result.json#8");
  CHECK(speakers(chats[1]) == "Cleo (user9) 1");
  CHECK(chats[2].name == "result.json#3");
  for (const char* other : {R"({"messages":3})", "[1]", R"({"messages":[[{"messages":[1]}],2]})", "7"})
    CHECK(telegram(other).empty());
}

TEST_CASE("json stream: messages go one by one, only what is wanted of them; what lies beside them is limited") {
  using namespace tern::detail;
  const auto read = [](const std::string& json, std::size_t most = 10'000) {
    std::string taken;
    JsonCharacters characters{json};
    const Json rest = read_json_stream(characters, "x.json", {"a"}, most, [&](std::size_t number, const Json& element) {
      taken += std::to_string(number) + element.dump() + ' ';
    });
    return taken + rest.dump() + (characters.replaced > 0 ? " replaced " + std::to_string(characters.replaced) : "");
  };
  CHECK(read(R"({"x":1,"messages":[{"a":[1,{"b":2}],"b":{"a":[3]},"c":4},5,[]],"y":[{"messages":[]}]})") ==
        R"(0{"a":[1,{"b":2}]} 05 0[] {"messages":[0],"x":1,"y":[{"messages":[1]}]})");
  CHECK(read("\xEF\xBB\xBF[\"\\ud83d \\ud83d\\ude00 \xff\"]") == "[\"\uFFFD \U0001F600 \uFFFD\"] replaced 2");
  std::string many = R"({"messages":[)";
  for (int i = 0; i < 1000; ++i) many += R"({"a":"a text of some length"},)";
  CHECK(read(many + "1]}", 1000).ends_with(R"(01 {"messages":[0]})"));
  CHECK_THROWS_WITH_AS(read("[\"" + std::string(2000, 'x') + "\"]", 1000),
                       "json 'x.json': expected at most 1000 bytes beside messages, got more", tern::FormatError);
  CHECK_THROWS_WITH_AS(read(std::string(100'000, '[')), "json 'x.json': expected at most 64 levels", tern::FormatError);
  CHECK_THROWS_AS(read("{\"messages\":[{\"b\":" + std::string(100'000, '[')), tern::FormatError);
  CHECK_THROWS_AS(read("[1e999]"), tern::FormatError);
  CHECK_THROWS_AS(read("[1,"), tern::FormatError);
  CHECK_THROWS_AS(read(""), tern::FormatError);
}

TEST_CASE("slack: names, markup and people's messages alone") {
  const auto users = tern::detail::read_slack_users(Json::parse(
      R"([{"id":"U1","name":"ana","real_name":"Ana Ruiz"},{"id":"U2","name":"ben","profile":{"real_name":"Ben B"}},{"id":"U3","name":"cleo"}])"));
  CHECK(users == tern::detail::SlackUsers{{"U1", "Ana Ruiz"}, {"U2", "Ben B"}, {"U3", "cleo"}});
  const Json day = Json::parse(R"([
    {"type":"message","user":"U1","ts":"1.0","text":"<@U2> see <https://example.org|the page> &amp; <#C1|general> <!here> <!here|@here> <!subteam^S1|@ops> <!date^1^{date}|Feb 18> a &lt; b"},
    {"type":"message","subtype":"channel_join","user":"U2","ts":"2.0","text":"joined"},
    {"type":"message","subtype":"bot_message","ts":"3.0","text":"beep"},
    {"type":"message","user":"U9","ts":"4.0","user_profile":{"real_name":"Nina"},"text":"hi < you"},
    {"type":"message","user":"U2","ts":"5.0","text":""}])");
  REQUIRE(tern::detail::is_slack(day));
  CHECK(said(tern::detail::read_slack(day, "general/2020-01-01.json", users)) ==
        Lines{"Ana Ruiz: @Ben B see the page & #general @here @here @ops Feb 18 a < b", "Nina: hi < you"});
  CHECK_FALSE(tern::detail::is_slack(Json::parse("[]")));
  CHECK_FALSE(tern::detail::is_slack(Json::parse(R"([{"id":"U1","name":"x"}])")));
}

TEST_CASE("irc: nicks, and the speakers a transcriber names") {
  const std::string text =
      "[2024-05-07T16:09:17.502Z]\t<Scribe>\tAna_Ruiz: uh so yes\n"
      "[2024-05-07T16:09:18Z] <ben> a: b\n"
      "[2024-05-07T16:09:19Z] * ben joins\n"
      "16:10 <@ben> hello\n";
  REQUIRE(tern::detail::is_irc(text));
  CHECK(said(tern::detail::read_irc(text, "x.log")) == Lines{"Ana_Ruiz: uh so yes", "ben: a: b", "ben: hello"});
  CHECK_FALSE(tern::detail::is_irc("2024-05-07 12:00:01 ERROR <init> failed"));
  CHECK_FALSE(tern::detail::is_irc("words"));
  CHECK(tern::detail::is_irc(
      "--- Log opened Tue May 07 2024\n21:41 < ana> hi\n21:42 -!- ben joined\n21:43 <@ben> yes\n"));
}

TEST_CASE("whatsapp: the order of a date's numbers shows in all lines together") {
  const auto times = [](const std::string& text) {
    std::vector<std::string> all;
    for (const auto& message : tern::detail::read_whatsapp(text, "x").messages)
      all.push_back(message.time ? std::to_string(*message.time) : "none");
    return all;
  };
  const std::string third_of_april = "1712145660", fourth_of_march = "1709553660";  // 2024, 12:01
  CHECK(times("03/04/2024, 12:01 - A: x\n") == Lines{third_of_april});
  CHECK(times("03/04/2024, 12:01 PM - A: x\n") == Lines{fourth_of_march});  // months come first beside such clocks
  CHECK(times("03/04/2024, 12:01 - A: x\n03/13/2024, 12:01 - A: x\n").front() == fourth_of_march);
  CHECK(times("[04.03.24, 12:01:00] A: x\n").front() == fourth_of_march);
  CHECK(times("2024/04/03 下午12:01 - A: x\n").front() == third_of_april);
  CHECK(times("3 de abr. de 2024 12:01 - A: x\n").front() == third_of_april);
  // Time does not go back: days first would have it do so.
  CHECK(times("03/04/2024, 12:01 - A: x\n04/01/2024, 12:01 - A: x\n").front() == fourth_of_march);
  CHECK(times("03/04/2567, 12:01 - A: x\n").front() == third_of_april);
  CHECK(times("31/02/2024, 12:01 - A: x\n") == Lines{"none"});
}

TEST_CASE("chat: a silence of six hours begins a document, once enough was said") {
  const tern::Owner ana{"whatsapp", "Ana", "given", false, {"ana"}};
  const std::string much(600, 'x');
  const tern::Time hour = 3600;
  const Chat chat{"1",
                  "whatsapp",
                  {{"Ana", much, "", 0},
                   {"Ana", "short", "", 7 * hour},  // too little was said before
                   {"Ana", much, "", 8 * hour},
                   {"Ben", "no silence", "", 13 * hour},
                   {"Ana", "same", "", 18 * hour},
                   {"Ben", "after silence", "", 25 * hour},
                   {"Ana", "next", "", 25 * hour + 5},
                   {"Ben", "the last word", "", 40 * hour}}};
  tern::Index others = 0;
  const auto stretches = own_words(chat, ana, others);
  REQUIRE(stretches.size() == 2);
  CHECK(stretches[0].text == much + "\nshort\n" + much + "\nsame\n");
  CHECK(stretches[0].time == 0);
  CHECK(stretches[1].text == "next\n");
  CHECK(stretches[1].time == 25 * hour + 5);
  CHECK(others == 3);
  Chat undated = chat;
  for (auto& message : undated.messages) message.time.reset();
  CHECK(own_words(undated, ana, others).size() == 1);
  CHECK(own_words(chat, {"whatsapp", "Cleo", "given", false, {"cleo"}}, others).empty());
}

TEST_CASE("chat: services say when") {
  const auto telegram = [](const char* fields) {
    return tern::detail::telegram_time(Json::parse(std::string("{") + fields + "}"));
  };
  CHECK(telegram(R"("date":"2020-12-31T21:41:05")") == 1'609'450'865);
  CHECK(telegram(R"("date":"2020-12-31T22:41:05","date_unixtime":"1609450865")") == 1'609'450'865);
  CHECK_FALSE(telegram(R"("date":"yesterday")"));
  CHECK(tern::detail::slack_time(Json::parse(R"({"ts":"1609450865.000200"})")) == 1'609'450'865);
  CHECK_FALSE(tern::detail::slack_time(Json::parse(R"({"ts":"x"})")));

  const auto irc = [](const std::string& text, const char* name) {
    return tern::detail::read_irc(text, name).messages.back().time;
  };
  CHECK(irc("[2020-12-31T21:41:05Z] <ana> x\n", "a.log") == 1'609'450'865);
  CHECK(irc("--- Log opened Thu Dec 31 20:00:00 2020\n21:41:05 < ana> x\n", "a.log") == 1'609'450'865);
  CHECK(irc("20:00 < ana> x\n--- Day changed Fri Jan 01 2021\n00:00 < ana> x\n", "a.log") == 1'609'459'200);
  CHECK(irc("21:41:05 <ana> x\n", "logs/2020-12-31.log") == 1'609'450'865);
  CHECK(irc("23:59 <ana> x\n00:00 <ana> x\n", "2020-12-31.log") == 1'609'459'200);
  CHECK_FALSE(irc("21:41 <ana> x\n", "a.log"));
  CHECK(tern::detail::read_irc("12:00 <Scribe> Ana_Ruiz: x\n", "a").kind == tern::Kind::transcript);
  CHECK(tern::detail::read_irc("12:00 <ana> x\n", "a").kind == tern::Kind::chat);
}
