#include "vaetl/io/npy_format.hpp"

#include <fmt/ranges.h>

#include <charconv>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::npy {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest_header = std::size_t{1} << 16;
constexpr std::size_t most_dimensions = 32;  // NumPy's own limit of old

struct Type {
  std::string_view code;
  at::ScalarType dtype;
};
constexpr Type types[] = {{"b1", at::kBool}, {"u1", at::kByte},  {"i1", at::kChar},   {"i2", at::kShort},
                          {"i4", at::kInt},  {"i8", at::kLong},  {"u2", at::kUInt16}, {"u4", at::kUInt32},
                          {"f2", at::kHalf}, {"f4", at::kFloat}, {"f8", at::kDouble}};

// What NumPy calls the types that are refused.
std::string refused_text(std::string_view code) {
  switch (code.empty() ? '?' : code[0]) {
    case 'O':
      return "an array of Python objects";
    case 'U':
    case 'S':
    case 'a':
      return "an array of strings";
    case 'V':
      return "an array of records";
    case 'c':
      return "an array of complex numbers";
    case 'm':
    case 'M':
      return "an array of times";
    default:
      return "the type " + quote(code);
  }
}

// The literal, read from left to right.
class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Header parse() {
    expect('{');
    while (!take('}')) {
      read_entry();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    blanks();
    if (at_ != text_.size()) fail("the end of the header");
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (!seen_[i]) fail(fmt::format("the key {}", keys[i]));
    }
    count();
    return std::move(header_);
  }

 private:
  static constexpr std::string_view keys[] = {"descr", "fortran_order", "shape"};

  void read_entry() {
    const std::string key = read_text();
    const auto which = static_cast<std::size_t>(std::find(std::begin(keys), std::end(keys), key) - std::begin(keys));
    if (which == std::size(keys) || std::exchange(seen_[which], true)) fail("each of descr, fortran_order, shape once");
    expect(':');
    if (which == 0) read_type();
    if (which == 1) header_.fortran = read_bool();
    if (which == 2) read_shape();
  }

  void read_type() {
    blanks();
    if (peek() == '[') refuse("an array of records");
    const std::string descr = read_text();
    const bool order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
    std::string_view code = std::string_view(descr).substr(order ? 1 : 0);
    if (code == "?") code = "b1";
    const auto* found = std::find_if(std::begin(types), std::end(types), [&](const Type& t) { return t.code == code; });
    if (found == std::end(types)) refuse(refused_text(code));
    header_.dtype = found->dtype;
    header_.swapped = descr[0] == '>' && c10::elementSize(found->dtype) > 1;
  }

  void read_shape() {
    expect('(');
    while (!take(')')) {
      header_.shape.push_back(read_size());
      if (header_.shape.size() > most_dimensions) fail(fmt::format("at most {} dimensions", most_dimensions));
      if (!take(',')) {
        if (header_.shape.size() == 1) fail("a comma, as in (3,)");
        expect(')');
        break;
      }
    }
  }

  std::int64_t read_size() {
    blanks();
    std::int64_t value = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc() || value < 0) fail("a dimension from 0 to 2⁶³ − 1");
    at_ = static_cast<std::size_t>(stop - text_.data());
    if (peek() == 'L') ++at_;  // Python 2
    return value;
  }

  bool read_bool() {
    blanks();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    fail("True or False");
  }

  std::string read_text() {
    blanks();
    const char mark = peek();
    if (mark != '\'' && mark != '"') fail("a text in quotes");
    const std::size_t end = text_.find(mark, at_ + 1);
    if (end == std::string_view::npos) fail("a closing quote");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }

  // The number of bytes; a dimension of 0 hides no overflow of the others.
  void count() {
    auto bytes = static_cast<std::int64_t>(c10::elementSize(header_.dtype));
    bool empty = false;
    for (const std::int64_t size : header_.shape) {
      empty |= size == 0;
      if (size > 0 && __builtin_mul_overflow(bytes, size, &bytes)) fail("dimensions whose product fits 63 bits");
    }
    header_.bytes = empty ? 0 : static_cast<std::uint64_t>(bytes);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void blanks() {
    while (at_ < text_.size() && std::string_view(" \t\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    blanks();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(fmt::format("'{}'", c));
  }
  [[noreturn]] void fail(const std::string& expected) const {
    throw DataError({where_, fmt::format("{} at byte {} of the header", expected, at_), quote(text_), {}});
  }
  [[noreturn]] void refuse(std::string found) const {
    throw DataError({where_, "numbers: bool, int, uint or float of up to 64 bits", std::move(found),
                     "save the array with another dtype"});
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::array<bool, std::size(keys)> seen_ = {};
  Header header_ = {};
};

[[noreturn]] void fail_short(const std::string& where, std::size_t at_least) {
  throw DataError({where, fmt::format("a .npy header of at least {} bytes", at_least), "the end of the data",
                   "fetch or copy the file again"});
}

std::size_t little_endian(const unsigned char* bytes, std::size_t count) {
  std::size_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

Header parse_header(std::string_view text, const std::string& where) { return Parser(text, where).parse(); }

Header read_header(const std::function<std::size_t(void*, std::size_t)>& read, const std::string& where) {
  unsigned char start[12] = {};
  auto fill = [&](std::size_t from, std::size_t count) {
    if (read(start + from, count) != count) fail_short(where, from + count);
  };
  fill(0, 10);
  if (std::memcmp(start, magic.data(), magic.size()) != 0) {
    throw DataError(
        {where, "a .npy file, beginning with \\x93NUMPY", fmt::format("{:02x}", fmt::join(start, start + 6, " ")), {}});
  }
  const int version = start[6];
  if (version < 1 || version > 3) {
    throw DataError({where, "the .npy format 1, 2 or 3", fmt::format("{}.{}", version, start[7]), {}});
  }
  const std::size_t width = version == 1 ? 2 : 4;
  if (width == 4) fill(10, 2);
  const std::size_t length = little_endian(start + 8, width);
  if (length > longest_header) {
    throw DataError(
        {where, fmt::format("a header of at most {} bytes", longest_header), fmt::format("{}", length), {}});
  }
  std::string text(length, '\0');
  if (read(text.data(), length) != length) fail_short(where, 8 + width + length);
  return parse_header(text, where);
}

std::string write_header(at::ScalarType dtype, const std::vector<std::int64_t>& shape) {
  const auto* type = std::find_if(std::begin(types), std::end(types), [&](const Type& t) { return t.dtype == dtype; });
  const bool single = c10::elementSize(dtype) == 1;
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", single ? '|' : '<',
                                 type->code, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t prefix = 10, unit = 64;  // the values begin at a multiple of 64 bytes
  text.resize((prefix + text.size() + 1 + unit - 1) / unit * unit - prefix - 1, ' ');
  text += '\n';
  std::string start(magic);
  start += {1, 0, static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return start + text;
}

}  // namespace vaetl::npy
