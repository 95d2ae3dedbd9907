#pragma once
/// Mails, in two passes: who wrote most of them shows only when all headers were seen; then the owner's are read.
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tern/text/ingest/gathering.hpp"
#include "tern/text/ingest/mail.hpp"
#include "tern/text/ingest/mail_header.hpp"
#include "tern/text/ingest/mbox.hpp"
#include "tern/text/ingest/records.hpp"

namespace tern::detail {

/// Borrows where mails go.
class Mailboxes {
 public:
  explicit Mailboxes(Gathering& into) : into_(into) {}

  /// The first of two passes, over headers alone: whose mails are kept depends on all of them.
  void count(const FoundFile& file, bool is_mbox) {
    for_each_mail(file, is_mbox, true, [&](std::size_t, const std::string& mail) {
      const ChatMessage sender = mail_sender(mail);
      if (sender.sender.empty()) return into_.omit(file.name, "a mail without a sender");
      Presence& presence = senders_[person_key(sender.sender, sender.sender_id)];
      ++presence.chats;
      ++presence.messages;
      ++presence.names[sender.sender];
      if (const std::string receiver = mail_receiver(mail); !receiver.empty()) ++receivers_[receiver];
    });
    files_.emplace_back(file, is_mbox);
  }

  /// The second pass.
  void add_own() {
    if (senders_.empty()) return;
    OwnerHints hints{into_.options().self};
    hints.folder = into_.folder_name();
    hints.receivers = std::move(receivers_);
    const Owner owner = choose_owner("mail", senders_, hints);
    for (const auto& [file, is_mbox] : files_)
      for_each_mail(file, is_mbox, false,
                    [&, &file = file, &is_mbox = is_mbox](std::size_t number, const std::string& mail) {
                      const ChatMessage sender = mail_sender(mail);
                      if (sender.sender.empty()) return;
                      if (!is_from(sender.sender, sender.sender_id, owner))
                        return into_.omit(file.name, "a mail by someone else");
                      add_mail(file, is_mbox ? part_name(file.name, number) : file.name, mail, is_mbox);
                    });
    into_.owners.push_back(owner);
  }

 private:
  /// Calls take(number, mail) for each mail of a file that can be read whole.
  template <class Take>
  void for_each_mail(const FoundFile& file, bool is_mbox, bool counts, Take take) {
    const auto limit = static_cast<std::size_t>(into_.options().max_mail_bytes);
    const std::string too_large = "a mail over " + std::to_string(limit) + " bytes";
    if (!is_mbox) {
      if (file.bytes <= limit) return take(std::size_t{1}, read_file(file.path, file.bytes));
      if (counts) into_.skip(file.name, too_large);
      return;
    }
    MboxStream stream(file.path, limit);
    if (!stream.is_mbox()) throw FormatError("expected mails, each after a line of 'From ', sender and date; got none");
    if (stream.has_preamble() && counts) into_.skip(file.name, "words before the first mail");
    MboxStream::Mail mail;
    for (std::size_t number = 1; stream.next(mail); ++number) {
      if (!mail.is_too_large)
        take(number, mail.bytes);
      else if (counts)
        into_.omit(file.name, too_large);
    }
  }

  void add_mail(const FoundFile& file, const std::string& name, const std::string& bytes, bool is_mbox) {
    try {
      OwnMail mail = read_own_mail(bytes, is_mbox);
      if (into_.options().strict && mail.replaced > 0)
        throw FormatError("expected characters of its charset, got others");
      if (mail.text.empty()) return into_.omit(file.name, "a mail without words of its writer's own");
      into_.replaced += mail.replaced;
      into_.add({name, std::move(mail.text), Kind::mail, 0, mail_time(bytes)}, file.name);
    } catch (const Error& error) {
      if (into_.options().strict) throw FormatError("mail " + in_quotes(name) + ": " + error.what());
      into_.omit(file.name, "a mail that cannot be read: " + shown(error.what()));
    }
  }

  Gathering& into_;
  std::vector<std::pair<FoundFile, bool>> files_;  ///< and whether they are mbox
  Senders senders_;
  std::map<std::string, Index> receivers_;
};

}  // namespace tern::detail
