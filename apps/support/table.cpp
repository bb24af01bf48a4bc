#include "apps/support/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "vaetl/io/csv.hpp"

namespace vaetl::apps {
namespace {

// Characters of a UTF-8 text.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

bool is_number(const std::string& cell) {
  const std::string digits = cell.substr(cell.starts_with("-") ? 1 : 0);
  return !digits.empty() && std::isdigit(static_cast<unsigned char>(digits[0])) != 0 &&
         digits.find_first_not_of("0123456789.e+-,") == std::string::npos;
}

std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                 const std::vector<bool>& right) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string space(widths[i] - characters(cells[i]), ' ');
    text += (i > 0 ? "  " : "") + (right[i] ? space + cells[i] : cells[i] + space);
  }
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& cell : cells) text += (text.empty() ? "" : ",") + csv_cell(cell);
  return text + "\n";
}

}  // namespace

std::string table_text(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  std::vector<std::size_t> widths(rows[0].size(), 0);
  std::vector<bool> right(rows[0].size(), true);
  auto widen = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], characters(cells[i]));
  };
  widen(header);
  for (const auto& row : rows) {
    widen(row);
    for (std::size_t i = 0; i < row.size(); ++i) right[i] = right[i] && (row[i].empty() || is_number(row[i]));
  }
  std::string text = header.empty() ? "" : line(header, widths, right);
  for (const auto& row : rows) text += line(row, widths, right);
  return text;
}

std::string csv_text(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::string text = csv_line(header);
  for (const auto& row : rows) text += csv_line(row);
  return text;
}

std::string metrics_text(const std::map<std::string, double>& metrics) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : metrics) rows.push_back({name, fmt::format("{:.4f}", value)});
  return table_text({}, rows);
}

}  // namespace vaetl::apps
