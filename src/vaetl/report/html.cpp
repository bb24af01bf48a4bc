#include "vaetl/report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "vaetl/report/style.hpp"

namespace vaetl::html {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view minus = "\xe2\x88\x92";        // U+2212

// The length in bytes of the UTF-8 character that begins `text`; 0 for what is none or may not stand in XML.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\n' || first == '\t' ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  std::uint32_t code = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  const bool surrogate = code >= 0xd800 && code <= 0xdfff, never = code == 0xfffe || code == 0xffff;
  return code < least || code > 0x10ffff || surrogate || never ? 0 : length;
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

// "12345.6" → "12,345.6"
std::string with_separators(std::string_view digits) {
  const std::size_t whole = std::min(digits.find('.'), digits.size());
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i < whole && (whole - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

std::string signed_text(bool negative, const std::string& digits) {
  return negative ? std::string(minus) + digits : digits;
}

std::string cell(const Table::Cell& cell, std::string_view scope) {
  std::string attributes = scope.empty() ? "" : fmt::format("scope=\"{}\"", scope);
  if (!cell.classes.empty()) attributes += fmt::format("{}class=\"{}\"", attributes.empty() ? "" : " ", cell.classes);
  return tag(scope.empty() ? "td" : "th", cell.html, attributes);
}

}  // namespace

std::string escape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text.substr(i));
    const std::string_view special = entity(text[i]);
    if (length == 0) {
      result += replacement;
    } else if (!special.empty()) {
      result += special;
    } else {
      result += text.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return result;
}

std::string breakable(std::string_view name) {
  std::string result = escape(name);
  for (std::size_t at = 0; (at = result.find('_', at)) != std::string::npos; ++at) result.insert(at + 1, "<wbr/>");
  return result;
}

std::string tag(std::string_view name, std::string_view content, std::string_view attributes) {
  return fmt::format("<{0}{1}{2}>{3}</{0}>", name, attributes.empty() ? "" : " ", attributes, content);
}

std::string heading(int level, std::string_view text) { return tag(fmt::format("h{}", level), escape(text)) + "\n"; }

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return "not finite";
  const double size = std::abs(value);
  if (size < 1e15 && size == std::floor(size))
    return signed_text(value < 0, with_separators(fmt::format("{:.0f}", size)));
  if (size < 1e-4 || size >= 1e7) return signed_text(value < 0, fmt::format("{:.{}g}", size, digits));
  return fixed(value, decimals(value, digits));
}

int decimals(double value, int digits) {
  if (value == 0) return 0;
  const int before = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;  // at most 0 for a value below 1
  return std::clamp(digits - before, 0, 12);
}

std::string fixed(double value, int decimals, bool plus) {
  if (!std::isfinite(value)) return "not finite";
  const std::string digits = with_separators(fmt::format("{:.{}f}", std::abs(value), decimals));
  const bool zero = digits.find_first_not_of("0.,") == std::string::npos;
  if (zero) return digits;
  return plus && value > 0 ? "+" + digits : signed_text(value < 0, digits);
}

std::string table(const Table& t) {
  std::string head, body;
  for (const Table::Cell& column : t.columns) head += cell(column, "col");
  for (const auto& row : t.rows) {
    std::string cells;
    for (std::size_t i = 0; i < row.size(); ++i) cells += cell(row[i], i == 0 ? "row" : "");
    body += tag("tr", cells) + "\n";
  }
  const std::string whole = tag("thead", tag("tr", head)) + "\n" + tag("tbody", "\n" + body);
  const std::string scrolled = tag("div", tag("table", whole), "class=\"scroll\" tabindex=\"0\"") + "\n";
  // A caption beside the table and not in it, so that it stays readable where the table scrolls.
  const std::string caption = t.caption.empty() ? "" : tag("figcaption", escape(t.caption)) + "\n";
  return tag("figure", caption + scrolled,
             fmt::format("class=\"table{}{}\"", t.classes.empty() ? "" : " ", t.classes)) +
         "\n";
}

std::string folded(std::string_view summary, std::string_view content) {
  return tag("details", tag("summary", escape(summary)) + "\n" + std::string(content)) + "\n";
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escape(title), style, body);
}

}  // namespace vaetl::html
