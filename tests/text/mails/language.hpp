#pragma once
/// What a language brings to the labelled mail set: two people's words, and what mail programs say around them in it.
#include <string>
#include <vector>

namespace tern::test::mails {

/// The labels of a block of headers.
struct Labels {
  std::string from = "From:", sent = "Sent:", to = "To:", cc = "Cc:", subject = "Subject:";
};

/// Attributions hold {n}, the other's name, and {m}, their address. A phrase that a language does not give is English:
/// the program is not translated.
struct Language {
  std::string name;
  std::string self, other;          ///< the owner's name, the other's
  std::vector<std::string> own;     ///< the owner's words: greeting, paragraphs, farewell
  std::vector<std::string> others;  ///< the other's
  std::string subject;

  /// Attributions.
  std::string gmail = "On Tue, May 3, 2022 at 10:01 AM {n} <{m}> wrote:";
  std::string apple = "On 3 May 2022, at 10:01, {n} <{m}> wrote:";
  std::string thunderbird = "On 03/05/2022 10:01, {n} wrote:";
  std::string yahoo = "On Tuesday, May 3, 2022 at 10:01:00 AM GMT+2, {n} <{m}> wrote:";
  /// Headers of originals, and the lines above them.
  Labels outlook = {};
  std::string outlook_date = "Tuesday, May 3, 2022 10:01 AM";
  std::string original = "-----Original Message-----";
  std::string apple_forward = "Begin forwarded message:";
  std::string thunderbird_forward = "-------- Forwarded Message --------";
  Labels thunderbird_labels = {.sent = "Date:"};
  /// What programs and companies put below.
  std::string sent_from = "Sent from my iPhone";
  std::string evolution = "On Tue, 2022-05-03 at 10:01 +0200, {n} wrote:";  ///< an attribution
  std::string kmail = "On Tuesday, 3 May 2022 10:01:00 CEST {n} wrote:";    ///< an attribution
  std::string sent_from_galaxy = "Sent from my Galaxy";
  std::string get_outlook = "Get Outlook for iOS";
  std::string disclaimer = "This e-mail and any attachments are confidential and intended solely for the addressee.";
};

}  // namespace tern::test::mails
