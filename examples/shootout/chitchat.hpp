#pragma once
/// The chitchat population: private chats of anonymous students (package chitchat-dataset, MIT), a conversation a document.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tern/experiment/users.hpp"
#include "tern/text/ingest/dates.hpp"

namespace program {

/// Senders whose messages no person wrote, and how that shows.
inline const std::map<std::string, std::string>& chitchat_machines() {
  static const std::map<std::string, std::string> known = {
      {"ed35a50a", "3,195 machine-made sentences in one day"}};
  return known;
}

namespace detail {

/// What one sender wrote: a document for each conversation that the sender took part in, at the time of its first
/// message.
struct Sender {
  std::vector<tern::Document> documents;
  std::size_t bytes = 0;
};

/// By the first eight digits of the sender's id.
inline std::map<std::string, Sender> chitchat_senders(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const auto fail = [&](const std::string& where, const std::string& expected) {
    throw tern::FormatError(tern::in_quotes(file.string()) + where + ": expected " + expected);
  };
  const auto all = nlohmann::json::parse(stream, nullptr, false);
  if (!all.is_object()) fail("", "an object of conversations");
  std::map<std::string, Sender> senders;
  for (const auto& [id, conversation] : all.items()) {
    const std::string where = ": " + tern::shown(id);
    if (!conversation.is_object() || !conversation.contains("messages") || !conversation["messages"].is_array())
      fail(where, "messages, a list of turns");
    std::map<std::string, tern::Document> own;
    for (const auto& turn : conversation["messages"])
      for (const auto& message : turn) {
        const auto text_of = [&](const char* field) {
          if (!message.is_object() || !message.contains(field) || !message[field].is_string()) fail(where, "messages with a " + std::string(field));
          return message[field].get<std::string>();
        };
        tern::Document& document = own[text_of("sender").substr(0, 8)];
        if (!document.time) document.time = tern::detail::iso_time(text_of("timestamp"));
        document.text += text_of("text") + "\n";
      }
    for (auto& [sender, document] : own) {
      document.name = id;
      document.kind = tern::Kind::chat;
      Sender& of = senders[sender];
      of.bytes += document.text.size();
      of.documents.push_back(std::move(document));
    }
  }
  return senders;
}

}  // namespace detail

/// The `most` people who wrote most. Throws tern::FormatError where the file is no such data.
inline tern::Population chitchat_population(const std::filesystem::path& file, std::size_t most) {
  auto senders = std::make_shared<std::map<std::string, detail::Sender>>(detail::chitchat_senders(file));
  tern::Population population{"chitchat", {}, {}};
  std::vector<std::pair<std::size_t, std::string>> by_size;
  for (const auto& [name, sender] : *senders)
    if (const auto machine = chitchat_machines().find(name); machine != chitchat_machines().end())
      population.left_out.push_back({name, machine->second});
    else
      by_size.emplace_back(sender.bytes, name);
  std::sort(by_size.begin(), by_size.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  by_size.resize(std::min(most, by_size.size()));
  for (const auto& [bytes, name] : by_size)
    population.people.push_back({name, [senders, sender = name](const std::string& as, const tern::PopulationOptions& options) {
                                   tern::detail::Gathering gathering(sender, options.ingest);
                                   for (tern::Document document : senders->at(sender).documents) gathering.add(std::move(document), sender);
                                   return tern::make_person(as, std::move(gathering).finish(), options);
                                 }});
  return population;
}

}  // namespace program
