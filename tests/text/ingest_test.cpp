#include "tern/text/ingest.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/fsuid.h>
#endif

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/data.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::string_literals;
using tern::ingest;
using tern::Ingested;
using tern::Kind;

/// A user's folder that is written file by file.
class Folder : public tern::test::TemporaryDirectory {
 public:
  Folder& write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((*this / name).parent_path());
    std::ofstream(*this / name, std::ios::binary) << content;
    return *this;
  }
};

/// "name: reason" of what was skipped, "name: 2 x reason" of several parts.
std::vector<std::string> skipped(const Ingested& result) {
  std::vector<std::string> all;
  for (const auto& one : result.skipped)
    all.push_back(one.name + ": " + (one.count == 1 ? "" : std::to_string(one.count) + " x ") + one.reason);
  return all;
}

std::vector<std::string> names(const Ingested& result) {
  std::vector<std::string> all;
  for (const auto& one : result.documents) all.push_back(one.name);
  return all;
}

template <class Error>
std::string error_of(const std::filesystem::path& folder, const tern::IngestOptions& options = {}) {
  try {
    ingest(folder, options);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string npy(const std::string& descr, const std::string& shape, const std::string& data, int version = 1) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  while ((header.size() + (version == 1 ? 11 : 13)) % 64 != 0) header += ' ';
  header += '\n';
  std::string length = {static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  if (version > 1) length += "\0\0"s;
  return "\x93NUMPY" + std::string(1, static_cast<char>(version)) + '\0' + length + header + data;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("ingest: a mixed folder, in the order of paths") {
  Folder folder;
  folder.write("b.txt", "second\r\nline\r").write("a/z.md", "# cafe\xCC\x81\n").write("a.rst", "first\n");
  folder.write("code/x.CPP", "int x;\n")
      .write("run.sh", "echo\n")
      .write("talk.srt", "1\n00:00:01,000 --> 00:00:02,000\nhi\n");
  folder.write("n.jsonl", "{\"text\":\"one\"}\n\n{\"other\":1}\n{\"text\":\"three\"}\n");
  folder.write("SOURCE.md", "from there").write(".hidden", "x").write(".git/config", "x").write("p.png", "\x89PNG");
  folder.write("empty.txt", "").write("blank.md", " \n\n").write("other.json", "{\"a\":1}").write("noextension", "x");
  std::filesystem::create_symlink("/etc/hostname", folder / "link.txt");
  ::mkfifo((folder / "pipe.txt").c_str(), 0600);
  const Ingested result = ingest(folder.path());
  CHECK(names(result) ==
        Names{"a.rst", "a/z.md", "b.txt", "code/x.CPP", "n.jsonl#000001", "n.jsonl#000004", "run.sh", "talk.srt"});
  CHECK(skipped(result) == Names{".git: git's records; --git reads them", ".hidden: hidden", "SOURCE.md: a note on where the texts come from",
                                 "blank.md: no text in it", "empty.txt: empty", "link.txt: a symbolic link",
                                 "n.jsonl: a record without a text in field 'text'",
                                 "noextension: unknown extension ''",
                                 "other.json: JSON that is neither a Telegram nor a Slack export",
                                 "p.png: unknown extension '.png'", "pipe.txt: not a regular file"});
  CHECK(result.documents[1].text == "# caf\xC3\xA9\n");
  CHECK(result.documents[2].text == "second\nline\n");
  CHECK(result.documents[2].bytes == 12);
  CHECK(result.documents[2].kind == Kind::prose);
  CHECK(result.documents[3].kind == Kind::code);
  CHECK(result.documents[4].kind == Kind::prose);
  CHECK(result.documents[7].kind == Kind::transcript);
  CHECK(result.documents[7].text == "hi\n");
  CHECK(result.replaced == 0);
  CHECK(result.owners.empty());
}

TEST_CASE("ingest: scrubbing is on by default and counted") {
  Folder folder;
  folder.write("a.txt", "mail ana@example.org\n").write("b.py", "# ben@example.org, 192.0.2.1\n");
  const Ingested clean = ingest(folder.path());
  CHECK(clean.documents[0].text == "mail [EMAIL]\n");
  CHECK(clean.documents[0].bytes == 21);
  CHECK(clean.scrubbed[static_cast<std::size_t>(tern::Pii::email)] == 2);
  CHECK(clean.scrubbed[static_cast<std::size_t>(tern::Pii::ip)] == 1);
  tern::IngestOptions options;
  options.scrub = false;
  CHECK(ingest(folder.path(), options).documents[0].text == "mail ana@example.org\n");
  CHECK(ingest(folder.path(), options).scrubbed == tern::PiiCounts{});
}

TEST_CASE("ingest: bad bytes are counted, or the file is skipped, or, strict, an error with its place") {
  for (const std::string& bad :
       {"ok \xC0\x80"s, "ok \xED\xA0\x80"s, "ok \xF4\x90\x80\x80"s, "ok \xE4\xBD"s, "ok \0"s}) {
    Folder folder;
    folder.write("a.txt", "fine\n").write("b.txt", bad);
    tern::IngestOptions options;
    options.strict = true;
    CHECK(
        contains(error_of<tern::FormatError>(folder.path(), options), "b.txt' at byte 3: expected a UTF-8 character"));
    CHECK(names(ingest(folder.path())) == Names{"a.txt"});
    CHECK(contains(skipped(ingest(folder.path())).at(0), "characters that are none, over 1%"));
    folder.write("b.txt", bad + " " + std::string(400, 'x'));
    const Ingested result = ingest(folder.path());
    CHECK(result.replaced > 0);
    CHECK(contains(result.documents.at(1).text, "ok \xEF\xBF\xBD"));
  }
}

TEST_CASE("ingest: a folder that cannot be used is a clear error") {
  Folder folder;
  CHECK(contains(error_of<tern::FormatError>(folder.path()), "expected at least one text, got none"));
  CHECK(contains(error_of<tern::IoError>(folder / "nowhere"), "nowhere': No such file or directory"));
  folder.write("a.png", "x");
  CHECK(contains(error_of<tern::FormatError>(folder.path()), "(skipped a.png: unknown extension '.png')"));
  CHECK(contains(error_of<tern::IoError>(folder / "a.png"), "expected a folder, got a file"));
  folder.write("large.txt", std::string(1000, 'x')).write("small.txt", "x\n");
  tern::IngestOptions options;
  options.max_file_bytes = 999;
  CHECK(skipped(ingest(folder.path(), options)).at(1) == "large.txt: 1000 bytes, more than 999");
  options.max_files = 2;
  CHECK(contains(error_of<tern::IoError>(folder.path(), options), "expected at most 2 files"));
}

#ifdef __linux__
TEST_CASE("ingest: what may not be read is skipped, or, strict, an error") {
  Folder folder;
  folder.write("a.txt", "x\n").write("b.txt", "x\n").write("closed/c.txt", "x\n");
  ::chmod(folder.path().c_str(), 0755);
  const auto as_nobody = [&](auto f) {  // root may read everything
    if (::geteuid() == 0) ::setfsuid(65534);
    const auto result = f();
    if (::geteuid() == 0) ::setfsuid(0);
    return result;
  };
  const auto strictly = [&] {
    tern::IngestOptions options;
    options.strict = true;
    return error_of<tern::IoError>(folder.path(), options);
  };
  ::chmod((folder / "closed").c_str(), 0);
  CHECK(contains(as_nobody(strictly), "closed': cannot read: Permission denied"));
  ::chmod((folder / "a.txt").c_str(), 0);
  const Ingested result = as_nobody([&] { return ingest(folder.path()); });
  CHECK(names(result) == Names{"b.txt"});
  CHECK(contains(skipped(result).at(0), "a.txt': cannot read: Permission denied"));
  CHECK(skipped(result).at(1) == "closed: cannot read: Permission denied");
  ::chmod((folder / "closed").c_str(), 0755);
  CHECK(contains(as_nobody(strictly), "a.txt': cannot read: Permission denied"));
  ::chmod(folder.path().c_str(), 0);
  CHECK(contains(as_nobody([&] { return error_of<tern::IoError>(folder.path()); }), "cannot read: Permission denied"));
  ::chmod(folder.path().c_str(), 0755);
}
#endif

TEST_CASE("ingest: of conversations only the owner's words stay") {
  Folder folder;
  folder.write("ana/WhatsApp Chat.txt",
               "31/12/2020, 21:41 - Ana: mine\n31/12/2020, 21:42 - Ben: not mine\n31/12/2020, 21:43 - Ben: nor this\n");
  folder.write("ana/result.json", R"({"name":"x","type":"personal_chat","id":1,"messages":[
    {"type":"message","from":"Ana R","from_id":"user1","text":"my telegram"},{"type":"message","from":"Ben","from_id":"user2","text":"no"}]})");
  folder.write("ana/slack/users.json", R"([{"id":"U1","real_name":"Ana Ruiz"}])");
  folder.write(
      "ana/slack/general/2020-01-01.json",
      R"([{"type":"message","user":"U1","ts":"1","text":"my slack"},{"type":"message","user":"U2","ts":"2","text":"no"}])");
  folder.write("ana/sent.mbox",
               "From a Mon Jan  1 00:00:00 2024\nFrom: Ana <a@example.org>\nSubject: s\n\nmy mail\n\n"
               "From b Mon Jan  1 00:00:00 2024\nFrom: Ben <b@example.org>\nSubject: t\n\nno\n\n");
  const Ingested result = ingest(folder / "ana/");
  CHECK(names(result) ==
        Names{"WhatsApp Chat.txt", "result.json", "sent.mbox#000001", "slack/general/2020-01-01.json"});
  CHECK(result.documents[0].text == "mine\n");
  CHECK(result.documents[1].text == "my telegram\n");
  CHECK(result.documents[2].text == "s\n\nmy mail");
  CHECK(result.documents[2].kind == Kind::mail);
  CHECK(result.documents[3].text == "my slack\n");
  CHECK(result.documents[3].kind == Kind::chat);
  REQUIRE(result.owners.size() == 4);
  CHECK(result.owners[0].service == "whatsapp");
  CHECK(result.owners[0].name == "Ana");
  CHECK(result.owners[0].reason == "matches the folder's name");
  CHECK(skipped(result) == Names{"WhatsApp Chat.txt: 2 x a message by someone else",
                                 "result.json: a message by someone else", "sent.mbox: a mail by someone else",
                                 "slack/general/2020-01-01.json: a message by someone else",
                                 "slack/users.json: Slack's list of people, read for their names"});
  tern::IngestOptions options;
  options.self = {"ben"};
  CHECK(ingest(folder / "ana", options).documents.at(0).text == "not mine\nnor this\n");
  options.self = {"nobody"};
  CHECK(contains(error_of<tern::FormatError>(folder / "ana", options), "nothing written by 'nobody'"));
}

TEST_CASE("ingest: a diary that begins with a date is no chat") {
  Folder folder;
  folder.write("a.txt", "[31/12/2020, 21:41] The last evening.\nWe ate.\n");
  CHECK(ingest(folder.path()).documents.at(0).kind == Kind::prose);
  CHECK(ingest(folder.path()).documents.at(0).text == "[31/12/2020, 21:41] The last evening.\nWe ate.\n");
}

TEST_CASE("ingest: broken JSON is left out, the smallest part of it; strict, it names its file and place") {
  Folder folder;
  folder.write("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\n{\"text\":\"cut \\ud83d\"}\n{\"n\":1e999}\r{\"text\":\"end\"}");
  const Ingested result = ingest(folder.path());
  CHECK(names(result) == Names{"a.jsonl#000001", "a.jsonl#000003", "a.jsonl#000005"});
  CHECK(result.documents[1].text == "cut \uFFFD");
  CHECK(result.replaced == 1);
  CHECK(skipped(result) == Names{"a.jsonl: 2 x a record that is no JSON"});
  tern::IngestOptions options;
  options.strict = true;
  CHECK(contains(error_of<tern::FormatError>(folder.path(), options), "json 'a.jsonl:2' at byte"));
  Folder deep;
  deep.write("b.txt", "x\n").write("a.json", std::string(100'000, '['));
  CHECK(contains(error_of<tern::FormatError>(deep.path(), options), "a.json': expected at most 64 levels"));
  CHECK(names(ingest(deep.path())) == Names{"b.txt"});
  deep.write("a.json", std::string(100'000, '[') + std::string(100'000, ']'));
  CHECK(ingest(deep.path()).documents.size() == 1);
}

TEST_CASE("subtitles: numbers, times, tags, notes and repeats go") {
  using tern::detail::read_subtitles;
  CHECK(read_subtitles("1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i> {\\an8}there\nsecond line\n\n"
                       "2\n00:00:03,000 --> 00:00:04,000\n1984\n\n3\n00:00:05,000 --> 00:00:06,000\n1984\n") ==
        "Hello there\nsecond line\n1984\n");
  CHECK(read_subtitles("WEBVTT - title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE a note\nof two lines\n\n"
                       "intro\n00:01.000 --> 00:02.000 align:start\n<v Ana>Hi <00:01.500><c>you</c> <3\n\n"
                       "00:02.000 --> 00:03.000\na < b\n") == "Hi you <3\na < b\n");
  CHECK(read_subtitles("no cues").empty());
}

TEST_CASE("token ids: .npy and .bin") {
  Folder folder;
  const std::string three = "\1\0\0\0\2\0\0\0\3\0\0\0"s, wide = "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"s;
  folder.write("a.npy", npy("<i4", "(3,)", three)).write("b.npy", npy("<i8", "(2,)", wide, 2));
  folder.write("c.npy", npy("|u1", "(3,)", "\1\2\xFF")).write("d.bin", three).write("e.u16.bin", "\1\0\xFF\xFF"s);
  folder.write("f.npy", npy("<u2", "(0,)", "")).write("g.npy", npy("<u2", "(2,)", "\1\0\xFF\xFF"s, 3));
  const Ingested result = ingest(folder.path());
  REQUIRE(result.token_documents.size() == 7);
  const std::vector<std::vector<tern::Token>> expected = {{1, 2, 3},  {1, 2}, {1, 2, 255}, {1, 2, 3},
                                                          {1, 65535}, {},     {1, 65535}};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(result.token_documents[i].tokens == expected[i]);
}

TEST_CASE("token ids: broken files say what was expected") {
  const std::string three = "\1\0\0\0\2\0\0\0\3\0\0\0"s;
  const auto error = [](const std::string& name, const std::string& content) {
    Folder folder;
    folder.write(name, content);
    tern::IngestOptions options;
    options.strict = true;
    return error_of<tern::FormatError>(folder.path(), options);
  };
  CHECK(contains(error("a.npy", "\x93NUM"), "expected a .npy file"));
  CHECK(contains(error("a.npy", npy("<i4", "(3,)", three, 4)), "expected .npy version 1, 2 or 3, got 4"));
  CHECK(contains(error("a.npy", npy("<f4", "(3,)", three)), "expected little-endian integers"));
  CHECK(contains(error("a.npy", npy(">i4", "(3,)", three)), "expected little-endian integers"));
  CHECK(contains(error("a.npy", npy("<i4", "(3, 1)", three)), "expected one dimension"));
  CHECK(contains(error("a.npy", npy("<i4", "(4,)", three)), "expected 4 ids of 4 bytes, got 12 bytes"));
  CHECK(contains(error("a.npy", npy("<i4", "(999999999999999,)", three)), "expected 999999999999999 ids"));
  CHECK(contains(error("a.npy", npy("<i4", "(1,)", "\xFF\xFF\xFF\xFF")),
                 "id 0: expected 0 to 2^31 - 1, got a negative number"));
  CHECK(contains(error("a.npy", npy("<u8", "(1,)", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")), "got 18446744073709551615"));
  CHECK(contains(error("a.bin", "\1\0\0"s), "expected a multiple of 4 bytes, got 3"));
  const std::string whole = npy("<i4", "(3,)", three);
  for (std::size_t size = 1; size < whole.size(); ++size) {  // cut anywhere
    CAPTURE(size);
    CHECK(contains(error("a.npy", whole.substr(0, size)), "token ids '"));
  }
  std::string lying = whole;
  lying[8] = lying[9] = '\xFF';
  CHECK(contains(error("a.npy", lying), "expected a header of 65535 bytes"));
}

TEST_CASE("ingest: the shared users" * tern::test::needs_data()) {
  for (const char* user : {"office-ml", "voice-transcript-en", "poet-luyou-zh"}) {
    const Ingested first = ingest(tern::test::data() / "users" / user);
    CHECK(first.replaced == 0);
    CHECK(first.skipped.front().name == "SOURCE.md");
    tern::Index bytes = 0;
    for (const auto& document : first.documents) bytes += document.bytes;
    CHECK(bytes > 300'000);
  }
  const Ingested voice = ingest(tern::test::data() / "users" / "voice-transcript-en");
  REQUIRE(voice.owners.size() == 1);
  CHECK(voice.owners[0].service == "irc");
  CHECK_FALSE(contains(voice.documents.front().text, "<Transcriber>"));
}
