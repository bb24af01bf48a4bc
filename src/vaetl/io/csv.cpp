// Physical lines are cut here and fed to libcsv one by one, so that a row is known by its line, and a quote that is
// never closed costs one row: reading goes on behind the row's first line.
#include "vaetl/io/csv.hpp"

#include <csv.h>
#include <unistd.h>

#include <cerrno>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/descriptor.hpp"
#include "vaetl/io/gzip.hpp"
#include "vaetl/io/utf8.hpp"

namespace vaetl {
namespace {

constexpr std::size_t csv_block = std::size_t{1} << 16;
constexpr std::size_t most_reread = std::size_t{1} << 28;  // bytes read again after quotes left open

std::string from_latin1(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xc0 | byte >> 6);
      result += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return result;
}

int never(unsigned char) { return 0; }

// What is there, and waits only where there is nothing.
std::size_t read_some(int descriptor, char* to, std::size_t size, const std::string& name) {
  for (;;) {
    const ssize_t count = ::read(descriptor, to, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw DataError({name, "to be read", quote(errno_text(errno)), {}});
  }
}

}  // namespace

struct CsvReader::Parser {
  Parser(std::string name, CsvOptions options);
  ~Parser() { csv_free(&csv_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  void from_file(const std::filesystem::path& path) {
    read_ = [file = std::make_shared<ByteReader>(path)](char* to, std::size_t size) { return file->read(to, size); };
  }
  void from_descriptor(int descriptor) {
    read_ = [descriptor, name = name_](char* to, std::size_t size) { return read_some(descriptor, to, size, name); };
  }
  void from_bytes(std::string bytes) { window_ = std::move(bytes); }
  bool next(CsvRow& row);

 private:
  enum class Line { some, none, too_long };

  void reset();
  bool refill();
  void skip_mark();
  std::size_t line_end(std::size_t from) const;
  Line take_line(std::string_view& line);
  void skip_line();
  void feed(std::string_view line);
  void finish_last(CsvRow& row);
  void reopen(CsvRow& row);
  void give(CsvRow& row);
  bool read_row(CsvRow& row);
  static void on_value(void* bytes, std::size_t size, void* self);
  static void on_row(int, void* self) { static_cast<Parser*>(self)->complete_ = true; }

  std::string name_;
  CsvOptions options_;
  std::function<std::size_t(char* to, std::size_t size)> read_;  // 0: there is no more; none: all is in the window
  csv_parser csv_ = {};
  bool begun_ = false, complete_ = false;
  std::string window_, scratch_;  // bytes from the row's beginning on; a line with tabs made blanks
  std::size_t start_ = 0, cursor_ = 0, second_ = 0, reread_ = 0;  // row, next line, the row's second line, in window_
  std::int64_t line_ = 1;                                         // at cursor_
  std::vector<std::string> values_;
  std::string flaw_;
};

CsvReader::Parser::Parser(std::string name, CsvOptions options) : name_(std::move(name)), options_(options) {
  if (csv_init(&csv_, CSV_EMPTY_IS_NULL) != 0) throw std::bad_alloc();
  csv_set_delim(&csv_, static_cast<unsigned char>(options_.delimiter));
  csv_set_quote(&csv_, static_cast<unsigned char>(options_.quote));
  if (options_.delimiter == ' ') csv_set_space_func(&csv_, never);
}

void CsvReader::Parser::reset() {
  csv_set_opts(&csv_, CSV_EMPTY_IS_NULL);
  csv_fini(&csv_, nullptr, nullptr, nullptr);
  values_.clear();
  flaw_.clear();
  complete_ = false;
}

void CsvReader::Parser::on_value(void* bytes, std::size_t size, void* data) {
  auto& self = *static_cast<Parser*>(data);
  if (!self.flaw_.empty()) return;
  const std::string_view value(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
  if (bytes == nullptr && self.options_.delimiter == ' ') return;  // between neighbours in a run of blanks
  if (value.size() > self.options_.max_field) {
    self.flaw_ = fmt::format("a value of {} bytes; at most {} are read", value.size(), self.options_.max_field);
  } else if (self.values_.size() == self.options_.max_values) {
    self.flaw_ = fmt::format("more than {} values", self.options_.max_values);
  } else if (self.options_.latin1) {
    self.values_.push_back(from_latin1(value));
  } else if (is_utf8(value)) {
    self.values_.emplace_back(value);
  } else {
    self.flaw_ = "text that is not UTF-8";
  }
}

// Appends a csv_block; false at the end of the data. What lies before the row's beginning is dropped first.
bool CsvReader::Parser::refill() {
  if (!read_) return false;
  window_.erase(0, start_);
  cursor_ -= start_;
  second_ -= std::min(second_, start_);
  start_ = 0;
  const std::size_t size = window_.size();
  window_.resize(size + csv_block);
  window_.resize(size + read_(window_.data() + size, csv_block));
  return window_.size() > size;
}

void CsvReader::Parser::skip_mark() {
  begun_ = true;
  refill();
  if (std::string_view(window_).starts_with("\xef\xbb\xbf")) cursor_ = 3;
}

// Where the line's end stands; the window's size where it is not read yet.
std::size_t CsvReader::Parser::line_end(std::size_t from) const {
  const auto end = std::find_if(window_.begin() + static_cast<std::ptrdiff_t>(from), window_.end(),
                                [](char c) { return c == '\n' || c == '\r'; });
  return static_cast<std::size_t>(end - window_.begin());
}

// The next physical line with its end; the view holds until the next call.
CsvReader::Parser::Line CsvReader::Parser::take_line(std::string_view& line) {
  std::size_t end = line_end(cursor_);
  for (;;) {
    if (end - start_ > options_.max_row) return Line::too_long;
    const bool whole = end < window_.size() && (window_[end] == '\n' || end + 1 < window_.size());
    if (whole) break;
    const std::size_t seen = end - cursor_;
    if (!refill()) break;
    end = line_end(cursor_ + seen);
  }
  if (cursor_ == window_.size()) return Line::none;
  std::size_t behind = std::min(end + 1, window_.size());
  if (behind < window_.size() && window_[end] == '\r' && window_[behind] == '\n') ++behind;
  line = std::string_view(window_).substr(cursor_, behind - cursor_);
  cursor_ = behind;
  ++line_;
  return Line::some;
}

// Drops the rest of a line that is too long to be kept.
void CsvReader::Parser::skip_line() {
  do {
    start_ = cursor_ = line_end(cursor_);
  } while (cursor_ == window_.size() && refill());
  std::string_view rest;
  take_line(rest);  // its end
}

void CsvReader::Parser::feed(std::string_view line) {
  if (options_.delimiter == ' ' && line.find('\t') != std::string_view::npos) {
    scratch_.assign(line);
    std::replace(scratch_.begin(), scratch_.end(), '\t', ' ');
    line = scratch_;
  }
  if (csv_parse(&csv_, line.data(), line.size(), on_value, on_row, this) != line.size()) throw std::bad_alloc();
}

void CsvReader::Parser::give(CsvRow& row) {
  row.flaw = flaw_;
  if (flaw_.empty()) row.values.swap(values_);
}

// The data end within a row: its line has no end, or its quote.
void CsvReader::Parser::finish_last(CsvRow& row) {
  csv_set_opts(&csv_, CSV_EMPTY_IS_NULL | CSV_STRICT | CSV_STRICT_FINI);
  if (csv_fini(&csv_, on_value, on_row, this) != 0) return reopen(row);
  give(row);
}

void CsvReader::Parser::reopen(CsvRow& row) {
  row.flaw = "a quote that is never closed";
  reread_ += cursor_ - second_;
  if (reread_ > most_reread) {
    throw DataError({.where = fmt::format("{}:{}", name_, row.line),
                     .expected = "quotes that are closed",
                     .found = "too many that are not",
                     .remedy = "check the quote character and the delimiter"});
  }
  cursor_ = second_;
  line_ = row.line + 1;
}

// One row that is not blank, or has a flaw; false: try the next.
bool CsvReader::Parser::read_row(CsvRow& row) {
  for (std::string_view line;;) {
    const bool first = line_ == row.line;
    const Line taken = take_line(line);
    if (first) second_ = cursor_;
    if (taken == Line::none) {
      finish_last(row);
      return !row.values.empty() || !row.flaw.empty();
    }
    const bool strange = taken == Line::some && line.find('\0') != std::string_view::npos;
    if (!first && (taken == Line::too_long || strange)) return reopen(row), true;
    if (taken == Line::too_long) {
      row.flaw = fmt::format("a row of more than {} bytes", options_.max_row);
      return skip_line(), true;
    }
    if (strange) return row.flaw = "a byte 0, which no text has", true;
    feed(line);
    if (complete_) {
      give(row);
      return !row.values.empty() || !row.flaw.empty();
    }
    const bool blank = first && line.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (blank) return false;
  }
}

bool CsvReader::Parser::next(CsvRow& row) {
  if (!begun_) skip_mark();
  for (;;) {
    reset();
    start_ = second_ = cursor_;
    row.values.clear();
    row.flaw.clear();
    row.line = line_;
    if (cursor_ == window_.size() && !refill()) return false;
    if (read_row(row)) return true;
  }
}

CsvReader::CsvReader(const std::filesystem::path& path, CsvOptions options)
    : parser_(std::make_unique<Parser>(path.string(), options)) {
  parser_->from_file(path);
}
CsvReader::CsvReader(std::string bytes, std::string name, CsvOptions options)
    : parser_(std::make_unique<Parser>(std::move(name), options)) {
  parser_->from_bytes(std::move(bytes));
}

CsvReader::CsvReader(int descriptor, std::string name, CsvOptions options)
    : parser_(std::make_unique<Parser>(std::move(name), options)) {
  parser_->from_descriptor(descriptor);
}
CsvReader::~CsvReader() = default;
CsvReader::CsvReader(CsvReader&&) noexcept = default;
CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;

bool CsvReader::next(CsvRow& row) { return parser_->next(row); }

std::string csv_cell(std::string_view value) {
  const bool plain = value.find_first_of(",\"\r\n") == value.npos && !value.empty() && !value.starts_with(' ') &&
                     !value.ends_with(' ');
  if (plain) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

char delimiter_of(const std::filesystem::path& file) {
  std::filesystem::path name = file.filename();
  if (name.extension() == ".gz") name = name.stem();
  std::string extension = name.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension == ".tsv" || extension == ".tab" ? '\t' : ',';
}

}  // namespace vaetl
