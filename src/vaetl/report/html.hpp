// Text as HTML. Pages are well-formed XML too: every tag is closed and every attribute quoted, which a test checks.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl::html {

// For content and for attributes in double quotes: & < > " ' escaped, control characters and what is no UTF-8 replaced
// by U+FFFD. Everything that comes from a file passes here.
std::string escape(std::string_view text);

// Escaped, and a name such as reconstruction_mse may be broken after an underscore.
std::string breakable(std::string_view name);

// <name attributes>content</name>; `content` and `attributes` are HTML already.
std::string tag(std::string_view name, std::string_view content, std::string_view attributes = {});
std::string heading(int level, std::string_view text);  // text is escaped

// 60000 → "60,000"; others to `digits` significant digits: 0.0123, −241.6.
std::string number(double value, int digits = 4);
// The decimals that show `digits` significant digits of a value.
int decimals(double value, int digits = 4);
// With a fixed number of decimals; a minus sign as in print, and a plus where asked for.
std::string fixed(double value, int decimals, bool plus = false);

// A table in a box that scrolls sideways. Cells are HTML; the first of each row is its header.
struct Table {
  std::string caption = {};  // escaped
  struct Cell {
    std::string html;
    std::string classes = {};  // "text": to the left
  };
  std::vector<Cell> columns = {};
  std::vector<std::vector<Cell>> rows = {};
  std::string classes = {};  // of the whole: "matrix"
};
std::string table(const Table& table);

// <details>: folded away until asked for.
std::string folded(std::string_view summary, std::string_view content);

// The whole page around `body`.
std::string page(std::string_view title, std::string_view body);

}  // namespace vaetl::html
