#include "vaetl/data/readers/pixels.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/table_columns.hpp"
#include "vaetl/io/csv.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
using PixelsOptions = Pixels::Options;

constexpr std::size_t most_bytes = std::size_t{1} << 32;  // of pixels in memory
constexpr std::int64_t most_classes = 1 << 20;

struct Pictures {
  std::vector<std::uint8_t> pixels = {};
  std::vector<std::int64_t> labels = {};  // empty: the file has none
  std::int64_t count = 0;
};

std::int64_t pixels_of(const PixelsOptions& options) {
  std::int64_t count = 1;
  for (const std::int64_t size : options.size) count *= size;
  return count;
}

char delimiter_for(const fs::path& file, const std::string& text) {
  if (text.empty()) return delimiter_of(file);
  return text == "tab" || text == "\\t" ? '\t' : text == "space" ? ' ' : text[0];
}

// Reads the rows of one file.
class File {
 public:
  File(const fs::path& path, const PixelsOptions& options, Skips& skips)
      : path_(path), options_(options), skips_(skips), count_(static_cast<std::size_t>(pixels_of(options))) {}

  Pictures read() {
    CsvReader reader(path_, {.delimiter = delimiter_for(path_, options_.delimiter), .max_row = std::size_t{1} << 28});
    bool first = true;
    for (CsvRow row; reader.next(row); first = false) {
      if (first && is_header(row)) continue;
      if (auto flaw = add(row)) skip(row, std::move(*flaw));
    }
    skips_.check_left(pictures_.count, path_.string());
    return std::move(pictures_);
  }

 private:
  struct Flaw {
    std::string expected = {}, found = {};
  };

  static bool is_header(const CsvRow& row) {
    return !row.values.empty() &&
           std::none_of(row.values.begin(), row.values.end(), [](const auto& v) { return parse_number(v); });
  }

  void skip(const CsvRow& row, Flaw flaw) {
    skips_.add({fmt::format("{}:{}", path_.string(), row.line), std::move(flaw.expected), std::move(flaw.found), {}});
  }

  // The first good row tells whether there are labels.
  std::optional<Flaw> add(const CsvRow& row) {
    if (!row.flaw.empty()) return Flaw{"a row of numbers", row.flaw};
    if (pictures_.count == 0) labelled_ = row.values.size() != count_;
    const std::size_t width = count_ + (labelled_ ? 1 : 0);
    if (row.values.size() != width) {
      const char* of = labelled_ ? "a label and" : "no label and";
      return Flaw{fmt::format("{} values, {} {} pixels", width, of, count_), fmt::format("{}", row.values.size())};
    }
    const bool last = options_.label == "last";
    std::int64_t label = 0;
    if (labelled_) {
      const std::string& text = last ? row.values.back() : row.values.front();
      const auto found = label_of(text);
      if (!found) return Flaw{label_rule(), quote(text)};
      label = *found;
    }
    if (auto flaw = add_pixels(row.values.data() + (labelled_ && !last ? 1 : 0))) return flaw;
    if (labelled_) pictures_.labels.push_back(label);
    ++pictures_.count;
    return std::nullopt;
  }

  std::int64_t classes() const { return options_.classes > 0 ? options_.classes : most_classes; }
  std::string label_rule() const { return fmt::format("a label from 0 to {}", classes() - 1); }

  std::optional<std::int64_t> label_of(const std::string& text) const {
    const auto value = parse_number(text);
    if (!value || std::trunc(*value) != *value || *value < 0 || *value >= static_cast<double>(classes())) return {};
    return static_cast<std::int64_t>(*value);
  }

  std::optional<Flaw> add_pixels(const std::string* values) {
    auto& pixels = pictures_.pixels;
    const std::size_t before = pixels.size();
    if (before + count_ > most_bytes) {
      throw DataError(
          {path_.string(), fmt::format("at most {} pixels", thousands(most_bytes)), "more", "divide the file"});
    }
    for (std::size_t i = 0; i < count_; ++i) {
      const auto value = parse_number(values[i]);
      if (!value || !(*value >= options_.low && *value <= options_.high)) {
        pixels.resize(before);
        return Flaw{fmt::format("pixels from {} to {}", options_.low, options_.high), quote(values[i])};
      }
      pixels.push_back(
          static_cast<std::uint8_t>(std::lround((*value - options_.low) / (options_.high - options_.low) * 255)));
    }
    return std::nullopt;
  }

  const fs::path& path_;
  const PixelsOptions& options_;
  Skips& skips_;
  std::size_t count_ = 0;
  bool labelled_ = false;
  Pictures pictures_ = {};
};

Fields fields_of(const Pictures& pictures, const PixelsOptions& options) {
  std::vector<std::int64_t> shape = {pictures.count};
  if (options.size.size() == 2) shape.push_back(1);
  shape.insert(shape.end(), options.size.begin(), options.size.end());
  const at::Tensor input = at::empty(shape, at::kByte);
  std::memcpy(input.mutable_data_ptr(), pictures.pixels.data(), pictures.pixels.size());
  Fields fields;
  fields.set("input", input);
  if (!pictures.labels.empty()) fields.set("target", at::tensor(pictures.labels, at::kLong));
  return fields;
}

DatasetInfo info_of(const PixelsOptions& options, const Reading& reading) {
  DatasetInfo info = reading.about;
  const auto named = static_cast<std::int64_t>(info.classes.size());
  if (named < options.classes) info.classes = numbered_classes(options.classes);
  info.reader = to_json(options);
  for (const char* key : {"test", "test_share"}) info.reader.erase(key);
  info.reader["name"] = Pixels::name;
  return info;
}

}  // namespace

void Pixels::Options::validate() const {
  const bool shaped = size.size() == 2 || size.size() == 3;
  if (!shaped || pixels_of(*this) > 1 << 24) {
    throw ConfigError({"size", "[H, W] or [C, H, W] of at most 16,777,216 pixels", shape_text(size), {}});
  }
  if (!(low < high))
    throw ConfigError({"low", fmt::format("a value below high ({})", high), fmt::format("{}", low), {}});
  if (delimiter.size() > 1 && delimiter != "tab" && delimiter != "\\t" && delimiter != "space") {
    throw ConfigError({"delimiter", "one character, tab or space", quote(delimiter), {}});
  }
}

Splits Pixels::open(const fs::path& path, const Reading& reading) const {
  Skips skips(reading);
  PixelsOptions learnt = options_;
  const Pictures train = File(path, learnt, skips).read();
  if (learnt.classes == 0) {
    learnt.classes = static_cast<std::int64_t>(reading.about.classes.size());
    for (const std::int64_t label : train.labels) learnt.classes = std::max(learnt.classes, label + 1);
  }
  const DatasetInfo info = info_of(learnt, reading);
  const Dataset all = make_split(fields_of(train, learnt), info, "train");
  if (learnt.test.empty()) return split_off(all, learnt.test_share);
  const fs::path file = path.parent_path() / learnt.test;
  return {all, none_of(all, "validation"),
          make_split(fields_of(File(file, learnt, skips).read(), learnt), info, "test")};
}

}  // namespace vaetl::readers
