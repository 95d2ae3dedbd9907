#pragma once
/// The words of HTML, by Gumbo, a parser of HTML5: for mails that bring no plain text, and for the character references
/// of subtitles.
#include <gumbo.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/ingest/html_limits.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// A parsed page. Its nodes live in blocks of memory that go all at once: Gumbo would free a deep tree by recursion.
class HtmlTree {
 public:
  /// `html` must outlive the tree, and is within html_limits.hpp.
  explicit HtmlTree(std::string_view html) {
    GumboOptions options = kGumboDefaultOptions;
    options.max_errors = 0;
    options.userdata = this;
    options.allocator = [](void* self, std::size_t size) { return static_cast<HtmlTree*>(self)->allocate(size); };
    options.deallocator = [](void*, void*) {};
    output_ = gumbo_parse_with_options(&options, html.data(), html.size());
  }
  HtmlTree(const HtmlTree&) = delete;
  HtmlTree& operator=(const HtmlTree&) = delete;

  const GumboNode* root() const { return output_->root; }

 private:
  void* allocate(std::size_t size) {
    size = (size + 15) / 16 * 16;
    if (size > left_) {
      left_ = std::max<std::size_t>(size, 1 << 16);
      blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(left_));
      next_ = blocks_.back().get();
    }
    void* const memory = next_;
    next_ += size;
    left_ -= size;
    return memory;
  }

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  GumboOutput* output_;
};

/// Calls enter(node), which says whether to go into it, and leave(node) for every element entered. Without recursion.
template <class Enter, class Leave>
void walk_html(const GumboNode* root, Enter enter, Leave leave) {
  const auto children = [](const GumboNode* node) -> const GumboVector* {
    const bool holds = node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
    return holds ? &node->v.element.children : nullptr;
  };
  struct Place {
    const GumboNode* node;
    unsigned next;
  };
  std::vector<Place> path;
  if (root != nullptr && enter(root)) path.push_back({root, 0});
  while (!path.empty()) {
    Place& here = path.back();
    const GumboVector* const list = children(here.node);
    if (list == nullptr || here.next == list->length) {
      leave(here.node);
      path.pop_back();
      continue;
    }
    const auto* child = static_cast<const GumboNode*>(list->data[here.next++]);
    if (enter(child)) path.push_back({child, 0});
  }
}

/// Puts a page's words together: blocks on lines of their own, white space as one space except in <pre>, cells apart.
/// Lines of a quoted reply begin with '>', so that replies.hpp treats them as it does those of plain text.
class HtmlText {
 public:
  static std::string of(std::string_view html) {
    const HtmlTree tree(html);
    HtmlText text;
    walk_html(
        tree.root(), [&](const GumboNode* node) { return text.enter(node); },
        [&](const GumboNode* node) { text.leave(node); });
    text.end_line();
    return decode_utf8(text.text_, "", BadBytes::replace).text;  // a reference may name what is no character
  }

 private:
  bool enter(const GumboNode* node) {
    switch (node->type) {
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_CDATA:
      case GUMBO_NODE_WHITESPACE:
        add(node->v.text.text);
        return false;
      case GUMBO_NODE_ELEMENT:
        return enter_element(node);
      default:
        return false;
    }
  }

  bool enter_element(const GumboNode* node) {
    const GumboElement& element = node->v.element;
    switch (element.tag) {
      case GUMBO_TAG_SCRIPT:
      case GUMBO_TAG_STYLE:
      case GUMBO_TAG_HEAD:
      case GUMBO_TAG_TITLE:
      case GUMBO_TAG_TEMPLATE:
      case GUMBO_TAG_NOSCRIPT:
        return false;
      case GUMBO_TAG_BR:
        end_line(true);
        return false;
      default:
        break;
    }
    if (is_signature(element)) return false;
    if (is_block(element.tag)) end_line();
    if (element.tag == GUMBO_TAG_HR) (line_ += "____________________"), end_line();
    if (is_cell(element.tag)) end_cell();
    if (element.tag == GUMBO_TAG_PRE || element.tag == GUMBO_TAG_TEXTAREA) ++verbatim_;
    if (is_header_of_original(element)) (line_ += "-----Original Message-----"), end_line();
    if (is_quote(node)) ++quotes_;
    return true;
  }

  void leave(const GumboNode* node) {
    const GumboElement& element = node->v.element;
    if (is_block(element.tag)) end_line();
    if (is_cell(element.tag)) end_cell();
    if (element.tag == GUMBO_TAG_P && quotes_ == 0 && !text_.ends_with("\n\n")) text_ += '\n';
    if (element.tag == GUMBO_TAG_PRE || element.tag == GUMBO_TAG_TEXTAREA) --verbatim_;
    if (is_quote(node)) --quotes_;
  }

  void add(std::string_view words) {
    for (const char c : words) {
      if (verbatim_ > 0 && c == '\n')
        end_line(true);
      else if (!is_space(c) || verbatim_ > 0)
        line_ += c;
      else if (!line_.empty() && line_.back() != ' ')
        line_ += ' ';
    }
  }

  void end_cell() {
    if (!line_.empty() && line_.back() != '\t') line_ += '\t';
  }

  /// Writes the line out; an empty one only where it `counts`.
  void end_line(bool counts = false) {
    while (!line_.empty() && is_space(line_.back())) line_.pop_back();
    if (line_.empty() && !counts) return;
    replace_all(line_, "\u00a0", " ");  // pages use it for layout
    if (quotes_ > 0) text_.append("> ");
    text_.append(line_) += '\n';
    line_.clear();
  }

  static bool is_cell(GumboTag tag) { return tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH; }

  static bool is_block(GumboTag tag) {
    switch (tag) {
      case GUMBO_TAG_P:
      case GUMBO_TAG_DIV:
      case GUMBO_TAG_LI:
      case GUMBO_TAG_UL:
      case GUMBO_TAG_OL:
      case GUMBO_TAG_DL:
      case GUMBO_TAG_DT:
      case GUMBO_TAG_DD:
      case GUMBO_TAG_TABLE:
      case GUMBO_TAG_TR:
      case GUMBO_TAG_H1:
      case GUMBO_TAG_H2:
      case GUMBO_TAG_H3:
      case GUMBO_TAG_H4:
      case GUMBO_TAG_H5:
      case GUMBO_TAG_H6:
      case GUMBO_TAG_HR:
      case GUMBO_TAG_PRE:
      case GUMBO_TAG_BLOCKQUOTE:
      case GUMBO_TAG_SECTION:
      case GUMBO_TAG_ARTICLE:
      case GUMBO_TAG_HEADER:
      case GUMBO_TAG_FOOTER:
      case GUMBO_TAG_ADDRESS:
      case GUMBO_TAG_FIGURE:
      case GUMBO_TAG_FORM:
      case GUMBO_TAG_BODY:
        return true;
      default:
        return false;
    }
  }

  static std::string_view attribute(const GumboElement& element, const char* name) {
    const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
    return found == nullptr ? std::string_view{} : std::string_view(found->value);
  }

  static bool has_class(const GumboElement& element, std::string_view wanted) {
    const std::string all = ' ' + std::string(attribute(element, "class")) + ' ';
    return all.find(' ' + std::string(wanted) + ' ') != std::string::npos;
  }

  static bool says(const GumboElement& element, std::string_view word) {
    for (const char* where : {"class", "id", "name"})
      if (lower(attribute(element, where)).find(word) != std::string::npos) return true;
    return false;
  }

  /// What programs put a reply's original into: elements that say so in class, id or name, with or without marks of the
  /// program's own around the word. Gmail's "gmail_quote" holds the writer's words too, between its blockquotes.
  static bool is_quote(const GumboNode* node) {
    const GumboElement& element = node->v.element;
    if (element.tag == GUMBO_TAG_BLOCKQUOTE) return !is_indentation(element);
    if (element.tag != GUMBO_TAG_DIV) return false;
    for (const char* word : {"zmail_extra", "moz-forward-container", "replycontent", "forwardcontent", "replysection",
                             "reply-intro", "reference-message"})
      if (says(element, word)) return true;
    if (says(element, "gmail_attr") || says(element, "moz-cite-prefix")) return is_above_blockquote(node);
    return says(element, "quote") && !says(element, "gmail_quote");
  }

  /// The blockquotes by which Apple Mail and Gmail indent the writer's own words have no border, and say nothing else.
  static bool is_indentation(const GumboElement& element) {
    std::string style = lower(attribute(element, "style"));
    std::erase(style, ' ');
    return style.find("border:none") != std::string::npos && attribute(element, "type").empty() &&
           attribute(element, "class").empty();
  }

  /// Whether the next element beside `node` is a blockquote.
  static bool is_above_blockquote(const GumboNode* node) {
    if (node->parent == nullptr || node->parent->type != GUMBO_NODE_ELEMENT) return false;
    const GumboVector& beside = node->parent->v.element.children;
    for (std::size_t i = node->index_within_parent + 1; i < beside.length; ++i)
      if (const auto* next = static_cast<const GumboNode*>(beside.data[i]); next->type == GUMBO_NODE_ELEMENT)
        return next->v.element.tag == GUMBO_TAG_BLOCKQUOTE;
    return false;
  }

  /// The header that Outlook puts above an original, which follows without marks.
  static bool is_header_of_original(const GumboElement& element) {
    return says(element, "rplyfwdmsg") || says(element, "outlookmessageheader");
  }

  static bool is_signature(const GumboElement& element) {
    return has_class(element, "gmail_signature") || has_class(element, "moz-signature") ||
           has_class(element, "gmail_signature_prefix");
  }

  std::string text_, line_;
  int quotes_ = 0, verbatim_ = 0;
};

/// The words of an HTML page. Throws FormatError where it is beyond what is parsed (html_limits.hpp).
inline std::string html_text(std::string_view html) {
  expect_modest_html(html);
  return HtmlText::of(html);
}

/// `text` with its character references (&eacute; &#8211;) as characters. Texts without '&' are returned as they are.
inline std::string decode_references(std::string_view text) {
  if (text.find('&') == std::string_view::npos || text.find("</title") != std::string_view::npos)
    return std::string(text);
  const std::string page = "<title>" + std::string(text) + "</title>";  // an element that knows no tags, but references
  const HtmlTree tree(page);
  std::string decoded;
  walk_html(
      tree.root(),
      [&](const GumboNode* node) {
        if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) decoded += node->v.text.text;
        return node->type == GUMBO_NODE_ELEMENT;
      },
      [](const GumboNode*) {});
  return decode_utf8(decoded, "", BadBytes::replace).text;
}

}  // namespace tern::detail
