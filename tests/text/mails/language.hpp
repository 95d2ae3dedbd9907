#pragma once
/// What a language brings to the labelled mail set: two people's words, and what mail programs say around them in it.
#include <string>
#include <vector>

namespace tern::test::mails {

/// The labels of a block of headers; empty: the English ones.
struct Labels {
  std::string from = "From:", sent = "Sent:", to = "To:", cc = "Cc:", subject = "Subject:";
};

/// Attributions hold {n}, the other's name, and {m}, their address. An empty phrase: the program is not translated and
/// speaks English.
struct Language {
  std::string name;
  std::string self, other;         ///< the owner's name, the other's
  std::vector<std::string> own;    ///< the owner's words: greeting, paragraphs, farewell
  std::vector<std::string> others; ///< the other's
  std::string subject;

  std::string gmail, apple, thunderbird, yahoo;  ///< attributions
  Labels outlook;
  std::string outlook_date;                   ///< "Tuesday, May 3, 2022 10:01 AM"
  std::string original;                       ///< the line above an original: "-----Original Message-----"
  std::string apple_forward;                  ///< "Begin forwarded message:"
  std::string thunderbird_forward;            ///< "-------- Forwarded Message --------"
  Labels thunderbird_labels;                  ///< Sent: its "Date:"
  std::string sent_from;                      ///< "Sent from my iPhone"
  std::string evolution, kmail;               ///< attributions
  std::string sent_from_galaxy;               ///< Samsung's "Sent from my Galaxy"
  std::string get_outlook;                    ///< "Get Outlook for iOS"
  std::string disclaimer;                     ///< what companies put below all mail
};

}  // namespace tern::test::mails
