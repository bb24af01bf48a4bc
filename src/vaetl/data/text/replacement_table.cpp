// A unit of the double array: bits 0 … 7 the byte that leads to it, bits 10 … 30 the offset of its children, bit 9 its
// scale, bit 8 whether a value stands at the offset; with bit 31 it is a value itself, from which no walk goes on. The
// first unit, where walks begin, is not asked for that bit.
#include "vaetl/data/text/replacement_table.hpp"

#include <algorithm>
#include <cstring>

namespace vaetl::text {
namespace {

constexpr std::size_t longest_replacement = 1024;  // bytes; the longest of Unicode's own has 33
constexpr std::size_t size_bytes = 4, block_bytes = 1024;
constexpr std::uint32_t value_flag = std::uint32_t{1} << 31, value_mask = value_flag - 1,
                        label_mask = value_flag | 0xff;

std::size_t offset_of(std::uint32_t unit) { return std::size_t{unit >> 10} << ((unit & 0x200) >> 6); }
bool has_value(std::uint32_t unit) { return (unit & 0x100) != 0; }

std::uint32_t word_at(std::string_view bytes, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + 4 * index, sizeof(word));
  return word;
}

bool leads_outside(std::string_view units, std::size_t index, std::size_t texts) {
  const std::uint32_t unit = word_at(units, index);
  if (index > 0 && (unit & value_flag) != 0) return false;
  const std::size_t next = index ^ offset_of(unit);
  if ((next | 0xff) >= units.size() / 4) return true;  // with the bytes of the text, 0 … 255
  return has_value(unit) && (word_at(units, next) & value_mask) >= texts;
}

bool are_short(std::string_view texts) {
  while (!texts.empty()) {
    const std::size_t length = texts.find('\0');
    if (length > longest_replacement) return false;
    texts.remove_prefix(length + 1);
  }
  return true;
}

}  // namespace

bool ReplacementTable::is_whole(std::string_view table) {
  if (table.size() < size_bytes) return false;
  const std::size_t size = word_at(table, 0);
  table.remove_prefix(size_bytes);
  if (size == 0 || size % block_bytes != 0 || size >= table.size()) return false;
  const std::string_view units = table.substr(0, size), texts = table.substr(size);
  if (texts.back() != 0) return false;
  for (std::size_t i = 0; i < size / 4; ++i) {
    if (leads_outside(units, i, texts.size())) return false;
  }
  return are_short(texts);
}

ReplacementTable::ReplacementTable(std::string_view table) {
  units_.resize(word_at(table, 0) / 4);
  std::memcpy(units_.data(), table.data() + size_bytes, 4 * units_.size());
  texts_ = table.substr(size_bytes + 4 * units_.size());
}

ReplacementTable::Match ReplacementTable::longest(std::string_view text) const {
  Match match;
  if (units_.empty()) return match;
  std::size_t node = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    const std::uint32_t unit = units_[node];
    if ((unit & label_mask) != byte) break;
    node ^= offset_of(unit);
    if (has_value(unit)) match = {i + 1, texts_.data() + (units_[node] & value_mask)};
  }
  return match;
}

}  // namespace vaetl::text
