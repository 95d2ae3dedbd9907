#include "read.hpp"

#include <unistd.h>

#include <array>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace program {
namespace {

using namespace tern;
using Json = nlohmann::ordered_json;

struct Part {
  const char* name;
  const std::vector<Split::Piece>& pieces;
};

std::array<Part, 3> parts_of(const Split& s) {
  return {{{"train", s.train}, {"validation", s.validation}, {"held out", s.held_out}}};
}

Index bytes_of(const Part& part) {
  Index bytes = 0;
  for (const Split::Piece& piece : part.pieces) bytes += static_cast<Index>(piece.text.size());
  return bytes;
}

Json describe(const Person& person, const ReadOptions& options) {
  Json owners = Json::array(), scrubbed = Json::object(), skipped = Json::array(), parts = Json::object();
  for (const Owner& o : person.found.owners)
    owners.push_back({{"service", o.service}, {"name", shown(o.name)}, {"how", o.reason}, {"guessed", o.guessed}});
  for (const Pii kind : pii_classes)
    scrubbed[tern::detail::pii_label(kind)] = person.found.scrubbed[static_cast<std::size_t>(kind)];
  for (const Skipped& s : person.found.skipped)
    skipped.push_back({{"file", s.name}, {"reason", s.reason}, {"count", s.count}});
  Index bytes = 0;
  for (const Document& d : person.found.documents) bytes += d.bytes;
  for (const Part& part : parts_of(person.parts)) {
    parts[part.name] = {{"pieces", part.pieces.size()}, {"bytes", bytes_of(part)}};
    if (options.tokenizer == nullptr) continue;
    std::size_t tokens = 0;
    for (const Split::Piece& piece : part.pieces) tokens += options.tokenizer->encode(piece.text).size();
    parts[part.name]["tokens"] = tokens;
  }
  Json json = {{"name", person.name},
               {"kind", person.kind},
               {"language", person.language},
               {"owners", owners},
               {"documents", person.found.documents.size()},
               {"token_documents", person.found.token_documents.size()},
               {"bytes", bytes},
               {"replaced_characters", person.found.replaced},
               {"split", person.parts.method},
               {"one_work", person.parts.one_work},
               {"parts", parts},
               {"duplicate_lines_removed", person.parts.duplicates_removed},
               {"scrubbed", scrubbed},
               {"skipped", skipped},
               {"left_out", person.parts.left_out ? Json(*person.parts.left_out) : Json()}};
  if (!options.text) return json;
  json["texts"] = Json::array();
  for (const Part& part : parts_of(person.parts))
    for (const Split::Piece& piece : part.pieces)
      json["texts"].push_back({{"document", piece.document}, {"part", part.name}, {"text", piece.text}});
  return json;
}

/// `text` for a terminal: nothing in it steers one. Files and pipes get the very bytes.
std::string for_terminal(const std::string& text) {
  if (::isatty(1) == 0) return text;
  std::string line, all;
  for (const char c : text + '\n') {
    if (c != '\n' && c != '\t') {
      line += c;
      continue;
    }
    all += shown(line) + c;
    line.clear();
  }
  return all;
}

void print(const Person& person, const Json& json) {
  std::cout << person.name << ": " << person.kind << ", " << person.language << ", " << json["documents"]
            << " documents, " << json["bytes"] << " bytes\n";
  for (const Owner& o : person.found.owners) {
    std::cout << "  " << o.service << ": the words of " << shown(o.name) << " (" << o.reason << ")\n";
    if (o.guessed)
      std::cout << "  !! GUESSED: nothing but frequency says that these are this person's words. Name the person with "
                   "--self.\n";
  }
  if (!person.parts.method.empty())
    std::cout << "  split " << person.parts.method
              << (person.parts.one_work ? ": what is scored comes from documents that are trained on, too\n" : "\n");
  for (const Part& part : parts_of(person.parts)) {
    const Json& p = json["parts"][part.name];
    std::cout << "  " << part.name << ": " << p["bytes"] << " bytes in " << p["pieces"] << " pieces";
    if (p.contains("tokens")) std::cout << ", " << p["tokens"] << " tokens";
    std::cout << '\n';
  }
  if (person.parts.duplicates_removed > 0)
    std::cout << "  " << person.parts.duplicates_removed << " lines removed that stand in two parts\n";
  for (const auto& [kind, count] : json["scrubbed"].items())
    if (count > 0) std::cout << "  scrubbed: " << count << ' ' << kind << '\n';
  if (person.found.replaced > 0)
    std::cout << "  " << person.found.replaced << " characters that could not be read are U+FFFD\n";
  for (const Skipped& s : person.found.skipped)
    std::cout << "  skipped: " << s.name << ": " << (s.count == 1 ? "" : std::to_string(s.count) + " x ") << s.reason
              << '\n';
  if (person.parts.left_out) std::cout << "  LEFT OUT: " << *person.parts.left_out << '\n';
}

void print_texts(const Person& person) {
  for (const Part& part : parts_of(person.parts))
    for (const Split::Piece& piece : part.pieces)
      std::cout << "\n----- " << person.name << " / " << shown(piece.document) << " / " << part.name << " -----\n"
                << for_terminal(piece.text) << '\n';
}

}  // namespace

int read_people(const ReadOptions& options) {
  std::vector<LeftOut> left_out;
  Json all = {{"users", Json::array()}, {"left_out", Json::array()}};
  bool is_known = options.user.empty();
  std::vector<PersonSource> people;
  for (const Population& population : options.people) {
    people.insert(people.end(), population.people.begin(), population.people.end());
    left_out.insert(left_out.end(), population.left_out.begin(), population.left_out.end());
  }
  for (const PersonSource& source : people) {
    if (!options.user.empty() && folded(source.name) != folded(options.user)) continue;
    is_known = true;
    try {
      const Person person = source.read(source.name, options.reading);
      Json json = describe(person, options);
      if (!options.json) {
        print(person, json);
        if (options.text) print_texts(person);
      }
      all["users"].push_back(std::move(json));
    } catch (const Error& error) {
      left_out.push_back({source.name, shown(error.what())});
    }
  }
  if (!is_known)
    throw ValueError("--user: expected one of the people's names, got " + in_quotes(options.user));
  for (const LeftOut& l : left_out) {
    all["left_out"].push_back({{"name", l.name}, {"reason", l.reason}});
    if (!options.json) std::cout << "left out: " << l.name << ": " << l.reason << '\n';
  }
  if (options.json) std::cout << all.dump(2) << '\n';
  return all["users"].empty() ? 1 : 0;
}

}  // namespace program
