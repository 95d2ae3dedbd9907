#pragma once
/// What WhatsApp itself writes into messages: "image omitted", "<This message was edited>", "You deleted this message",
/// in the languages of phones, with the invisible mark that should betray it or without.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/normalize.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// A kind of picture or sound, and a word for its being left out, in either order: no more than these and two others.
inline const Pattern& omitted_media() {
  static const Pattern pattern("omitted media", R"re(
    (?(DEFINE)
      (?<media> image|picture|photo|video|audio|sticker|gif|document|file|contact\ card|voice\ message|media|attachment
        |bild(?:er)?|foto|sprachnachricht|dokument|datei|kontaktkarte|anhang|medien
        |imagen|vídeo|vídeo|documento|mensaje\ de\ voz|nota\ de\ voz|tarjeta\ de\ contacto|multimedia|archivo
        |vidéo|fiche\ (?:de\ )?contact|message\ vocal|fichier|médias?
        |immagine|messaggio\ vocale|scheda\ (?:del\ )?contatto|file\ multimediali
        |imagem|áudio|figurinha|mensagem\ de\ voz|cartão\ d[eo]\ contato|arquivo\ de\ mídia|mídia
        |afbeelding|spraakbericht|contactkaart|bestand
        |ljud|klistermärke|röstmeddelande|kontaktkort|billede|lyd|klistermærke|dokumentet|bilde|klistremerke
        |kuva|ääni|tarra|asiakirja|tiedosto
        |obraz|film|zdjęcie|dźwięk|naklejka|dokument|wiadomość\ głosowa|wizytówka|multimedia
        |obrázek|nálepka|zvuk|hlasová\ zpráva|kép|videó|hang|matrica|dokumentum|hangüzenet
        |imagine|imaginea|autocolant|mesaj\ vocal
        |изображение|фото|видео|аудио(?:файл)?|стикер|документ|файл|карточка\ контакта|голосовое\ сообщение|медиафайл|медиа
        |зображення|відео|аудіо|стікер|наліпка|медіафайл|изображението|снимка
        |εικόνα|βίντεο|ήχος|αυτοκόλλητο|έγγραφο|φωνητικό\ μήνυμα
        |görüntü|resim|fotoğraf|ses|çıkartma|belge|medya|sesli\ mesaj|kişi\ kartı
        |תמונה|התמונה|וידאו|סרטון|אודיו|מדבקה|המדבקה|מסמך|מדיה|הקלטה
        |صورة|الصورة|فيديو|الفيديو|صوت|المقطع\ الصوتي|ملصق|الملصق|مستند|المستند|الوسائط|رسالة\ صوتية
        |تصویر|عکس|ویدیو|فیلم|صدا|برچسب|استیکر|سند|رسانه
        |छवि|चित्र|फ़ोटो|वीडियो|ऑडियो|स्टिकर|दस्तावेज़|मीडिया
        |gambar|stiker|dokumen|pesan\ suara|kartu\ kontak|imej
        |hình\ ảnh|âm\ thanh|nhãn\ dán|tài\ liệu|รูปภาพ|วิดีโอ|เสียง|สติกเกอร์|เอกสาร
        |画像|動画|ビデオ|音声|スタンプ|ステッカー|文書|ドキュメント|メディア|图像|图片|圖片|圖像|照片|影片|视频|視訊|音频|音訊|貼圖|贴图|表情|文件|文檔|语音|媒體|媒体
        |이미지|사진|동영상|비디오|오디오|스티커|문서|음성\ 메시지|미디어 )
      (?<left> omitted|not\ included|weggelassen|ausgelassen|ausgeschlossen|nicht\ enthalten|omitid[oa]s?|omiss?[oaei]|omess[oaie]
        |non\ inclus[oaei]|esclus[oaei]|ocultad[oa]|ocult[oa]|absente?|retirée?|manquante?|non\ inclus?e?|omise?
        |weggelaten|utelämna[dt]|utelämnades|udeladt|ikke\ inkluderet|utelatt|jätetty\ pois|poistettu|jätettiin\ pois
        |pominięt[yae]|został[ao]?\ pominięt[yae]|vynechán[ao]?|byl[ao]?\ vynechán[ao]?|kihagyva|omis[ăe]?|exclus[ăe]?
        |пропущен[оаы]?|отсутствует|опущен[оаы]?|без\ файла|пропуснат[оа]?|παραλείφθηκε|εξαιρέθηκε
        |dahil\ edilmedi|atlandı|hariç\ tutuldu|yok|הושמט[הו]?|לא\ נכללה?|محذوفة?|تم\ (?:حذف|استبعاد)|مستبعدة?|حذف\ شد|حذف\ شده
        |हटा(?:ई|या)\ गई?|छोड़(?:ा|ी)\ गई?|नहीं\ है|tidak\ disertakan|dihilangkan|diabaikan|tidak\ dimuatkan|bị\ bỏ\ qua|đã\ bỏ\ qua
        |ถูกละไว้|ไม่ได้รวม|省略|含まれていません|を省略しました|は含まれていません|已忽略|已略過|已略去|忽略|略過|未包含|생략됨|생략|제외됨 ) )
    ^ (?: \p{L}{1,4} [ ] )? (?: (?&media) [ ]? (?: \p{L}{1,6} [ ] )? (?&left) | (?&left) [ ]? (?:la\ |el\ |ال|η\ )? (?&media) ) $)re",
                               PCRE2_CASELESS);
  return pattern;
}

/// Whole messages in place of one that was taken back, and of calls.
inline bool is_note_of_service(std::string_view plain) {
  static const std::vector<std::string> notes = [] {
    std::vector<std::string> all = {"this message was deleted",
                                    "you deleted this message",
                                    "this message was deleted by admin",
                                    "null",
                                    "missed voice call",
                                    "missed video call",
                                    "missed group voice call",
                                    "missed group video call",
                                    "waiting for this message",
                                    "waiting for this message. this may take a while",
                                    "diese nachricht wurde gelöscht",
                                    "du hast diese nachricht gelöscht",
                                    "verpasster sprachanruf",
                                    "verpasster videoanruf",
                                    "se eliminó este mensaje",
                                    "este mensaje fue eliminado",
                                    "eliminaste este mensaje",
                                    "llamada perdida",
                                    "videollamada perdida",
                                    "ce message a été supprimé",
                                    "vous avez supprimé ce message",
                                    "ce message a été effacé",
                                    "appel vocal manqué",
                                    "appel vidéo manqué",
                                    "questo messaggio è stato eliminato",
                                    "hai eliminato questo messaggio",
                                    "chiamata vocale persa",
                                    "videochiamata persa",
                                    "esta mensagem foi apagada",
                                    "esta mensagem foi eliminada",
                                    "mensagem apagada",
                                    "você apagou esta mensagem",
                                    "eliminou esta mensagem",
                                    "apagou esta mensagem",
                                    "ligação de voz perdida",
                                    "ligação de vídeo perdida",
                                    "dit bericht is verwijderd",
                                    "u heeft dit bericht verwijderd",
                                    "je hebt dit bericht verwijderd",
                                    "gemiste spraakoproep",
                                    "gemiste video-oproep",
                                    "detta meddelande raderades",
                                    "det här meddelandet raderades",
                                    "du raderade det här meddelandet",
                                    "du raderade detta meddelande",
                                    "denne besked blev slettet",
                                    "du slettede denne besked",
                                    "denne meldingen ble slettet",
                                    "du slettet denne meldingen",
                                    "tämä viesti poistettiin",
                                    "poistit tämän viestin",
                                    "ta wiadomość została usunięta",
                                    "usunięto tę wiadomość",
                                    "usunięto wiadomość",
                                    "tato zpráva byla smazána",
                                    "zpráva byla odstraněna",
                                    "tato zpráva byla odstraněna",
                                    "smazali jste tuto zprávu",
                                    "táto správa bola vymazaná",
                                    "ezt az üzenetet törölték",
                                    "törölted ezt az üzenetet",
                                    "acest mesaj a fost șters",
                                    "ai șters acest mesaj",
                                    "данное сообщение удалено",
                                    "это сообщение удалено",
                                    "сообщение удалено",
                                    "вы удалили данное сообщение",
                                    "вы удалили это сообщение",
                                    "це повідомлення було видалено",
                                    "це повідомлення видалено",
                                    "ви видалили це повідомлення",
                                    "това съобщение беше изтрито",
                                    "αυτό το μήνυμα διαγράφηκε",
                                    "διαγράψατε αυτό το μήνυμα",
                                    "bu mesaj silindi",
                                    "bu mesajı sildiniz",
                                    "הודעה זו נמחקה",
                                    "מחקת הודעה זו",
                                    "تم حذف هذه الرسالة",
                                    "لقد حذفت هذه الرسالة",
                                    "حذفت هذه الرسالة",
                                    "این پیام حذف شد",
                                    "شما این پیام را حذف کردید",
                                    "यह संदेश हटाया गया",
                                    "यह संदेश हटाया गया था",
                                    "आपने यह संदेश हटाया",
                                    "आपने यह संदेश हटा दिया",
                                    "pesan ini telah dihapus",
                                    "anda telah menghapus pesan ini",
                                    "anda menghapus pesan ini",
                                    "mesej ini telah dipadam",
                                    "tin nhắn này đã bị xóa",
                                    "bạn đã xóa tin nhắn này",
                                    "ข้อความนี้ถูกลบแล้ว",
                                    "คุณลบข้อความนี้แล้ว",
                                    "このメッセージは削除されました",
                                    "このメッセージを削除しました",
                                    "此消息已删除",
                                    "您删除了此消息",
                                    "你删除了这条消息",
                                    "此訊息已刪除",
                                    "你已刪除此訊息",
                                    "您已刪除此訊息",
                                    "삭제된 메시지입니다",
                                    "이 메시지는 삭제되었습니다",
                                    "이 메시지를 삭제했습니다",
                                    "삭제된 메시지"};
    for (std::string& note : all) note = folded(note);
    std::sort(all.begin(), all.end());
    return all;
  }();
  return std::binary_search(notes.begin(), notes.end(), std::string(plain));
}

/// Whether one line of a message is WhatsApp's own.
inline bool is_whatsapp_note(std::string_view line) {
  constexpr std::string_view left_to_right_mark = "\xE2\x80\x8E";
  if (line.substr(0, left_to_right_mark.size()) == left_to_right_mark) return true;
  line = trim(line);
  if (line.size() > 2 && line.front() == '<' && line.back() == '>') return true;
  if (line.size() > 160) return false;
  std::string plain = folded(line);
  while (!plain.empty() && (plain.back() == '.' || plain.back() == ' ')) plain.pop_back();
  if (plain.ends_with("。")) plain.resize(plain.size() - 3);
  if (is_note_of_service(plain) || omitted_media().matches(plain)) return true;
  static const Pattern attached("attached file", R"re(^ [^()<>]{1,120} \.[a-z\d]{2,5} [ ] \( [^()\d]{3,60} \) $)re");
  return attached.matches(plain);
}

/// Tags "<...>" that end messages beside words of their own, and how often.
using ClosingTags = std::map<std::string, Index>;

/// Counts the tag that ends a message, if there is one; a file has few kinds of them.
inline void count_closing_tag(std::string_view text, ClosingTags& tags) {
  text = trim(text);
  const std::size_t open = text.rfind('<');
  if (text.empty() || text.back() != '>' || open == std::string_view::npos || open == 0) return;
  const std::string_view tag = text.substr(open);
  if (tag.size() < 6 || tag.size() > 120 || tag.find('\n') != std::string_view::npos) return;
  if (tags.size() < 10'000 || tags.count(std::string(tag)) > 0) ++tags[std::string(tag)];
}

/// Whether a closing tag says that the message was edited, in one of many languages.
inline bool is_edit_tag(std::string_view tag) {
  static const Pattern edited("edited", R"re(
    edit|bearbeitet|modifi|bewerkt|redig|изменен|изменён|отредактир|відредаг|редактир|düzenlen|edyt|upraven|szerkeszt
    |επεξεργ|muokat|تعديل|ویرایش|נערכה|נערך|संपादित|sunting|disunting|chỉnh\ sửa|แก้ไข|编辑|編輯|編集|수정|편집 )re",
                              PCRE2_CASELESS);
  return edited.matches(tag);
}

/// Takes WhatsApp's own words out of a message; captions under an attached file stay.
inline void drop_whatsapp_notes(std::string& text, const ClosingTags& tags) {
  constexpr std::string_view marked = "\xE2\x80\x8E<";
  const std::size_t note = text.rfind(marked);
  if (note != std::string::npos && note > 0 && trim(text).back() == '>') text.erase(note);
  if (const std::string_view plain = trim(text); !plain.empty() && plain.back() == '>') {
    const std::size_t open = text.rfind('<');
    if (open != std::string::npos && open > 0) {
      const std::string tag(trim(std::string_view(text).substr(open)));
      const auto known = tags.find(tag);
      const bool has_words = std::count(tag.begin(), tag.end(), ' ') >= 1;
      if (is_edit_tag(tag) || (known != tags.end() && known->second >= 3 && has_words)) text.erase(open);
    }
  }
  if (is_whatsapp_note(std::string_view(text).substr(0, text.find('\n'))))
    text.erase(0, text.find('\n') == std::string::npos ? text.size() : text.find('\n') + 1);
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

}  // namespace tern::detail
