#pragma once
/// How mail programs mark what is not the writer's, in the languages that they speak.
#include <string>
#include <string_view>

#include "tern/text/ingest/correspondents.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// A day as programs write it: a year beside other numbers, or two numbers and a time.
inline bool has_date(std::string_view text) {
  static const Pattern date("date", R"re(
      (?: 19|20|25|14)\d{2} (?!\d) .{0,60} \d | \d .{0,60} (?<!\d) (?:19|20|25|14)\d{2} (?!\d)
    | \d{1,2} [ ]? [./\-] [ ]? \d{1,2} [ ]? [./\-] [ ]? \d{2,4}
    | \d .{0,40} \d{1,2} [:.h時时시] \d{2}
    | (?! [0-9] ) \p{Nd}{1,4} .{0,40} (?! [0-9] ) \p{Nd}{2} )re");
  return date.matches(text);
}

inline bool has_time(std::string_view text) {
  static const Pattern time("time",
                            R"re( (?<! \p{Nd} ) \p{Nd}{1,2} \s? [:.h∶時时시] \s? \p{Nd}{1,2} (?! [.\p{Nd}] ) )re");
  return time.matches(text);
}

inline bool has_address(std::string_view text) {
  static const Pattern address("address", R"re( [^\s<>"@:]{1,64} @ [^\s<>"@]{2,} \.\p{L}{2,} | \[mailto: )re");
  return address.matches(text);
}

/// "wrote" in the languages of mail programs, where it may stand in an attribution.
inline const Pattern& wrote() {
  static const Pattern pattern("wrote", R"re(
    (?<!\p{L}) (?: wrote | writes | schrieb(?:en)? | schreibt | a\ écrit | écrit | écrivait | escribi[óo] | ha\ escrito
      | ha\ scritto | scrive | scriveva | escreveu | schreef | geschreven | skrev | skreiv | kirjoitti | napisał\(?a?\)?
      | pisze | napísal\(?a?\)? | napsal\(?a?\)? | írta | a\ scris | написал\(?а?\)? | написав\(?ла\)? | пишет | пише
      | писал\(?а?\)? | написа | έγραψε | yazdı | şunları\ yazdı | כתב/?ה? | כתבה | كتب | كتبت | نوشت | نوشته\ است
      | ने\ लिखा | đã\ viết | menulis | va\ escriure | idatzi\ zuen | escribiu | je\ napisao | je\ napisala | je\ napisal\(?a?\)?
      | napisao | napisala | kirjutas | rakstīja | rašė | skrifaði | shkroi | na\ napísal | bericht\ geschreven )
      (?!\p{L})
    | 写道|寫道|写到|さんは書きました|のメール|님이\ 작성|님이\ 쓴\ 글|작성|เขียนว่า|เขียน|さんからのメール|來信|来信 )re",
                               PCRE2_CASELESS);
  return pattern;
}

/// Whether a line ends in a colon or in what does its work elsewhere: full-width, Armenian, Khmer, Ethiopic.
inline bool ends_in_colon(std::string_view line) {
  for (const std::string_view colon : {":", "：", "՝", "៖", "፦", "﹕"})
    if (line.ends_with(colon)) return true;
  return false;
}

/// ">>> Ana Ruiz <ana@example.org> 03.05.2022 10:01 >>>", as GroupWise puts it above an original.
inline bool is_between_arrows(std::string_view line) {
  static const Pattern arrows("between arrows", R"re( ^ \s* (>{2,4}+) \s [^>].* \s \g1 \s* $ )re");
  return line.size() < 300 && trim(line).starts_with(">>") && arrows.matches(line) && has_date(line);
}

/// Whether a line has rules of dashes or the like at both of its ends.
inline bool is_flanked(std::string_view line) {
  static const Pattern flanked("flanked", R"re( ^ \s* ([-_=*]) \g1{2,}+ \s* [^-_=*\s] .* \g1{3} \s* $ )re");
  const std::string_view inner = trim(line);
  return inner.size() < 400 && !inner.empty() &&
         std::string_view("-_=*").find(inner.front()) != std::string_view::npos && flanked.matches(inner);
}

/// Whether a line is short, and no sentence or label ends within it.
inline bool reads_as_one_phrase(std::string_view text) {
  static const Pattern end("end within", R"re( [\p{Ll}\p{Lo}]{3} [.!?…] \s+ \p{Lu} | [:;]\s | [。！？] )re");
  return text.size() <= 160 && !end.matches(text);
}

/// Whether a line could be the last of an attribution: it ends in a colon or a dash, marks of emphasis aside.
inline bool may_end_attribution(std::string_view line) {
  while (!line.empty() && std::string_view("*_ ").find(line.back()) != std::string_view::npos) line.remove_suffix(1);
  return ends_in_colon(line) || line.ends_with('-');
}

/// Whether `text`, one to four lines joined, introduces an original: it ends in a colon or stands between dashes, and
/// holds two of a word for "wrote", an address, and a date; or one of those whom the mail is to, a date and a time.
/// Above a quotation a word for "wrote" or an address will do; and where the quotation `follows` directly, in whatever
/// language and without a colon, a date, a time, and whose words they are.
inline bool is_attribution(std::string_view text, const Correspondents& others, bool above_quote, bool follows) {
  text = trim(text);
  const bool flanked = is_flanked(text);  // "---- On Tue, 3 May 2022 10:01:00 +0200 Ana <ana@example.org> wrote ----"
  while (!text.empty() && std::string_view("*_- ").find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  if (text.size() < 6) return false;
  const bool addressed = has_address(text);
  if (!flanked && !ends_in_colon(text))
    return follows && has_date(text) && has_time(text) && (addressed || others.are_named_in(text));
  const bool says = wrote().matches(text);
  if (above_quote) return says || addressed || (has_date(text) && text.size() < 160);
  if (addressed) return says || has_date(text);
  return has_date(text) && reads_as_one_phrase(text) && (says || (has_time(text) && others.are_named_in(text)));
}

/// A line between an answer and an original: "-----Original Message-----", "---------- Forwarded message ---------",
/// "Begin forwarded message:".
inline bool is_original_line(std::string_view line) {
  static const Pattern original("original message", R"re(
    (?(DEFINE) (?<mail> messag | nachricht | mensaje | mensagem | missatge | bericht | meddel | melding | besked | viesti
      | wiadomo | zpráv | správ | üzenet | mesaj | ileti | сообщ | повідомл | съобщ | письмо | лист | поруке? | μήνυμα
      | הודעה | رسالة | الرسالة | پیام | संदेश | メッセージ | メール | 邮件 | 郵件 | 消息 | 訊息 | 메시지 | 메일 | 원본
      | ข้อความ | thư | tin\ nhắn | pesan | mesej | poruk | sporočil | kiri | ziņojum | laišk | pranešim | mezu | e-?mail
      | e-?post | courriel | mail | correo | bréf | письма | skeyti | brev ) )
    ^ [ \t*]*+ (?: [-_=]{3,}+ [ ]* [^-_=\n]{0,40}? (?&mail) [^-_=\n]{0,40} [ ]* [-_=]{1,}
                  | [-]{2,}+ [ ]* (?: original | forwarded | forwarded\ by ) \b .*
                  | (?: begin\ forwarded\ message | anfang\ der\ weitergeleiteten\ (?:nachricht|e-?mail)
                      | début\ du\ message\ (?:réexpédié|transféré) | inicio\ del\ mensaje\ reenviado
                      | inizio\ (?:del\ )?messaggio\ inoltrato | begin\ doorgestuurd\ bericht
                      | início\ da\ mensagem\ (?:re)?encaminhada | vidarebefordrat\ (?:brev|mejl|meddelande)
                      | start\ på\ videresendt\ (?:besked|melding) | videresendt\ (?:melding|besked)
                      | välitetty\ viesti(?:\ alkaa)? | początek\ przekazywanej\ wiadomości
                      | začátek\ přeposílané\ zprávy | továbbított\ levél\ kezdete | начало\ переадресованного\ сообщения
                      | початок\ переадресованого\ листа | αρχή\ προωθημένου\ μηνύματος | ileti?l(?:miş|en)\ (?:mesajın|ileti)\ başlangıcı
                      | תחילת\ ההודעה\ שהועברה | بدء\ الرسالة\ المُ?عاد\ توجيهها | 転送されたメッセージ | 下面是被转发的邮件
                      | 以下是轉寄的郵件 | 开始转发的邮件 | 전달된\ 메시지 ) \s* [:：] )
    \s* $ )re",
                                PCRE2_CASELESS);
  return original.matches(line);
}

/// A long rule, as programs draw it above an original, and people between their own paragraphs.
inline bool is_rule(std::string_view line) {
  line = trim(line);
  return line.size() >= 10 && line.find_first_not_of(line.front()) == std::string_view::npos &&
         std::string_view("_-=*").find(line.front()) != std::string_view::npos;
}

/// "----- Forwarded Message ----- From: Ana Ruiz <ana@example.org>To: ...", as Yahoo puts all of a header in one line.
inline bool is_forward_in_a_line(std::string_view line) {
  static const Pattern forward("forward in a line",
                               R"re( ^ \s* -{3,}+ \s [^-]{3,60} \s -{3,}+ \s* [^:：]{1,30} [:：] )re");
  return line.find("---") != std::string_view::npos && has_address(line) && forward.matches(line);
}

/// "Ana Ruiz <ana@example.org>", alone on its line.
inline bool is_sender_line(std::string_view line) {
  static const Pattern sender("sender", R"re( ^ \s* [^<>:：՝៖፦﹕;@]{2,60} \s* < [^\s<>@]+ @ [^\s<>@]+ > \s* $ )re");
  return line.size() < 200 && line.find('@') != std::string_view::npos && sender.matches(line);
}

/// A field of a header above an original: group 1 the label, group 2 the value.
inline const Pattern& header_field() {
  static const Pattern pattern("header field", R"re(
    ^ [ \t\x{200e}\x{200f}]*+ \*{0,2} ( \p{L} [\p{L}\p{M}.\-/ ]{0,24}? ) [ \x{a0}]? \*{0,2} [:：՝៖፦﹕] \*{0,2} [ \t\x{a0}]* ( \S .* ) $ )re");
  return pattern;
}

/// The label of the sender.
inline const Pattern& from_label() {
  static const Pattern pattern("from", R"re(
    ^ (?: from | von | de | da | van | från | fra | lähettäjä | keneltä | od | feladó | küldő | de\ la | от | от\ кого | отправитель
      | від | від\ кого | відправник | από | kimden | gönderen | מאת | من | از | प्रेषक | की\ ओर\ से | 差出人 | 送信者 | 送信元
      | 发件人 | 寄件者 | 寄件人 | 發件人 | 보낸\ 사람 | 보낸사람 | 발신 | จาก | từ | người\ gửi | dari | daripada | šalje | pošiljatelj
      | saatja | kellelt | no | nuo | nork | remitente | remetente | expéditeur | absender | mittente | afzender | avsändare
      | afsender | avsender | nadawca | odesílatel | odosielateľ | expeditor | подател | frá ) $ )re",
                               PCRE2_CASELESS);
  return pattern;
}

/// "Sent from my iPhone" and its like, a program's words: a short line of a word for "sent" and a device or program,
/// or of Outlook and a system; or what a virus scanner says.
inline bool is_program_signature(std::string_view line) {
  line = trim(line);
  if (line.size() > 200 || line.size() < 8) return false;
  static const Pattern sent("sent from", R"re(
    ^ (?= .* (?: (?<!\p{L}) (?: sent | get | gesendet | geschickt | envoyé | télécharge[rz] | envia[dt] | inviat | verstuurd
          | verzonden | skickat | sendt | lähetetty | wysłan | odesl[aá]n | odoslan | poslan | отправлен | надіслан
          | изпратен | στάλθηκε | trimis | küldve | gönderildi | נשלח | أُ?رسل | dikirim | được\ gửi )
        | đã\ gửi | مرسلة? | 送信 | 发送 | 发自 | 發自 | 来自 | 來自 | 傳送 | 寄出 | 寄件 | 보냄 | 보낸 | ส่งจาก ) )
    (?= .* (?: iphon | ipad | \bios\b | android | galaxy | samsung | huawei | xiaomi | redmi | oneplus | pixel | nokia | blackberry
        | outlook | yahoo | proton | gmx | web\.de | gmail | k-9 | fairemail | \bspark\b | zoho | mail\.ru | yandex | thunderbird
        | windows | smartphone | handy | mobil | telefon | móvil | мобил | мобіл | κινητό | 手机 | 手機 | 携帯 | 邮箱 | 휴대 ) )
    [^.!?。]{1,70}+ (?: [.!。] (?=\p{L}) [^.!?。]{1,40} )? [.!。]? (?: [ ]* [<(\[]? https?: \S* )? $
  | ^ (?= .* outlook ) (?= .* (?<![a-z]) (?: ios | android ) (?![a-z]) ) [^.!?<]{1,60}+ (?: [ ]* [<(\[]? https?: \S* )? $
  | ^ (?= .* (?: avast | \bavg\b | norton | mcafee | kaspersky | \beset\b ) ) .* (?: vir[uieoy] | вирус | вірус | 病毒 | ウイルス ) )re",
                            PCRE2_CASELESS);
  return sent.matches(line);
}

/// A line that holds a link alone.
inline bool is_link(std::string_view line) {
  line = trim(line);
  return (line.starts_with("http://") || line.starts_with("https://")) && line.find(' ') == std::string_view::npos;
}

/// Whether a line of at most eight words, none ending a sentence, names a phone or a program of mail whose name is no
/// other word.
inline bool names_phone(std::string_view line) {
  static const Pattern phone("phone", R"re(
    ^ (?= .* (?: iphon | ipad | galaxy | android | samsung | huawei | xiaomi | redmi | oneplus | pixel | blackberry
        | proton\ ?mail | tutanota | bluemail | aqua\ ?mail | fairemail | k-9\ mail | mailspring | mailbird | edison\ mail
        | yahoo\ mail | superhuman | typeapp | mymail | em\ client ) )
    [^\s.!?।:]+ (?: \s+ [^\s.!?।:]+ ){1,7} [.]? $ )re",
                             PCRE2_CASELESS);
  return phone.matches(line);
}

/// A company's words below a mail: that it is confidential, and meant for its recipient.
inline bool is_disclaimer(std::string_view line) {
  if (line.size() < 40) return false;
  static const Pattern disclaimer("disclaimer", R"re(
    ^ (?= .* (?: vertraulich | confiden | konfident | riservat | vertrouwelijk | poufn | конфиденц | конфіденц | поверит
        | 機密 | 机密 | 保密 | konfiden[st] | sekretess | gizli | fortrolig | luottamuk | důvěrn | dôvern | bizalmas | εμπιστευτ
        | povjerljiv | 기밀 | سري | חסוי | סודי | bảo\ mật | rahasia | ลับ | محرمانه | गोपनीय ) )
    (?= .* (?: recipient | addressee | empfänger | adressat | destina[tţț] | geadresseerde | ontvanger | adresat | получател
        | адресат | 受信者 | 宛先 | 名宛 | 收件人 | 收信人 | mottag | mottak | modtag | alıcı | vastaanottaj | příjemc | adresát | címzett
        | παραλήπτ | одержувач | primatelj | 수신 | المستلم | المرسل | נמען | מיועד | người\ nhận | penerima | ผู้รับ | adressaa | گیرنده | प्राप्तकर्ता ) )
    .* (?: messag | missatge | mail | nachricht | courriel | mensa | messagg | bericht | wiadomo | сообщ | письм | повідомл | лист | メール
        | メッセージ | 邮件 | 郵件 | meddel | melding | e-?post | ileti | viesti | zpráv | správ | üzenet | levél | μήνυμα | poruk
        | съобщ | kiri | پیام | ईमेल | संदेश | 메일 | رسالة | בריד | דוא | הודעה | mesaj | thư | pesan | surel | อีเมล ) )re",
                                  PCRE2_CASELESS);
  return disclaimer.matches(line);
}

/// Whether a subject is that of the mail answered or passed on, hence somebody else's words.
inline bool is_reply_subject(std::string_view subject) {
  static const Pattern reply("reply subject", R"re(
    ^ \s* (?: \[[^\]]{1,40}\] \s* )? (?: re|aw|antw|sv|vs|odp|vá|ré|r|ynt|ilt|ats|nal|atb|hs|ref|res|απ|отв|відп|fw|fwd|wg|tr|rv|enc|pd|i|vb|vl|fs|doorst|továbbítás
      |回复|答复|回覆|回應|转发|轉寄|返信|転送|답장|회신|전달|השב|הועבר|رد|إعادة\ توجيه|پاسخ ) (?: \[\d+\] | \(\d+\) )? \s* [:：] )re",
                             PCRE2_CASELESS);
  return reply.matches(subject);
}

/// Whether a subject begins as that of an answer does in a language that is_reply_subject() may not know: a short word
/// and a colon.
inline bool has_subject_prefix(std::string_view subject) {
  static const Pattern prefix("subject prefix", R"re( ^ \s* [\p{L}\p{M}]{1,8} [.]? (?: \[\d+\] )? [ ]? [:：՝៖፦﹕] )re");
  return prefix.matches(subject);
}

}  // namespace tern::detail
