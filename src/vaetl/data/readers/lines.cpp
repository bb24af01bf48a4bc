#include "vaetl/data/readers/lines.hpp"

#include <ATen/ATen.h>

#include <charconv>
#include <set>

#include "vaetl/core/text.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
using text::Ids;
using text::TextRow;
using TextRows = std::vector<TextRow>;

constexpr std::int64_t longest_learnt = 1024;
constexpr std::int64_t most_values = std::int64_t{1} << 31;  // N × T, of four bytes each

text::TokenOptions token_options(const Lines::Options& options) {
  text::TokenOptions result = text::token_options(options);
  result.ngrams = options.ngrams;
  result.marks = options.marks;
  return result;
}

text::RowOptions row_options(const Lines::Options& o) {
  return {o.separator, o.encoding, o.labels, o.target, o.text, o.header, o.label_until};
}

std::optional<std::int64_t> number_of(const std::string& label) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  return error == std::errc() && end == label.data() + label.size() ? std::optional(number) : std::nullopt;
}

// The labels of the rows, each once: by value where all are numbers, otherwise by their bytes.
std::vector<std::string> learn_classes(const TextRows& rows) {
  std::set<std::string> labels;
  for (const TextRow& row : rows) labels.insert(row.label);
  std::vector<std::string> classes(labels.begin(), labels.end());
  const bool numbers = std::all_of(classes.begin(), classes.end(), [](const auto& c) { return number_of(c); });
  if (numbers) {
    std::stable_sort(classes.begin(), classes.end(),
                     [](const auto& a, const auto& b) { return *number_of(a) < *number_of(b); });
  }
  return classes;
}

// One file's rows with their labels as numbers; rows of other classes are left out.
struct TextPart {
  TextRows rows = {};
  std::vector<std::int64_t> labels = {};
};

TextPart number_labels(TextRows rows, const std::vector<std::string>& classes, const fs::path& file, Skips& skips) {
  std::map<std::string, std::int64_t> numbers;
  for (std::size_t i = 0; i < classes.size(); ++i) numbers.emplace(classes[i], i);
  TextPart part;
  for (TextRow& row : rows) {
    const auto found = numbers.find(row.label);
    if (found == numbers.end()) {
      skips.add({fmt::format("{}:{}", file.string(), row.line), "a label of the training rows", quote(row.label),
                 did_you_mean(row.label, classes)});
      continue;
    }
    part.labels.push_back(found->second);
    part.rows.push_back(std::move(row));
  }
  return part;
}

// Moves a stratified share of the rows into a part of their own.
TextPart split_off_rows(TextPart& all, double share) {
  Fields fields;
  fields.set("input", at::arange(static_cast<std::int64_t>(all.rows.size()), at::kLong));
  if (!all.labels.empty()) fields.set("target", at::tensor(all.labels, at::kLong));
  const Parts parts = hold_out(Dataset::from_tensors(fields), share, /*seed=*/0);
  auto pick = [&](const Dataset& data) {
    TextPart part;
    const at::Tensor chosen = data.column("input").contiguous();
    for (std::int64_t i = 0; i < chosen.size(0); ++i) {
      const auto place = static_cast<std::size_t>(chosen.const_data_ptr<std::int64_t>()[i]);
      part.rows.push_back(std::move(all.rows[place]));
      if (!all.labels.empty()) part.labels.push_back(all.labels[place]);
    }
    return part;
  };
  TextPart held = pick(parts.held), rest = pick(parts.rest);
  all = std::move(rest);
  return held;
}

// Token ids of texts one after the other; text i ends before ends[i].
struct Encoded {
  Ids ids = {};
  std::vector<std::int64_t> lengths = {};
};

// At most `length` ids each. A text without tokens is one unknown, so that no length is 0.
Encoded encode(const TextRows& rows, const text::Tokenizer& tokenizer, std::int64_t length, bool marks) {
  Encoded result;
  Ids ids;
  const auto room = static_cast<std::size_t>(marks ? length - 2 : length);
  for (const TextRow& row : rows) {
    ids.clear();
    tokenizer.encode(row.text, ids);
    if (ids.empty()) ids.push_back(text::unknown_id);
    if (ids.size() > room) ids.resize(room);
    if (marks) result.ids.push_back(text::begin_id);
    result.ids.insert(result.ids.end(), ids.begin(), ids.end());
    if (marks) result.ids.push_back(text::end_id);
    result.lengths.push_back(static_cast<std::int64_t>(ids.size()) + (marks ? 2 : 0));
  }
  return result;
}

at::Tensor pad(const Encoded& encoded, std::int64_t length, const fs::path& file) {
  const auto count = static_cast<std::int64_t>(encoded.lengths.size());
  if (count > most_values / length) {
    throw DataError({file.string(), fmt::format("at most {} ids, padding included", most_values),
                     fmt::format("{} texts of {}", count, length), "a smaller `length` cuts the texts"});
  }
  at::Tensor input = at::zeros({count, length}, at::kInt);
  auto* to = input.data_ptr<std::int32_t>();
  const std::int32_t* from = encoded.ids.data();
  for (const std::int64_t own : encoded.lengths) {
    std::copy(from, from + own, to);
    from += own;
    to += length;
  }
  return input;
}

// Opens one set: what is learnt from the training rows is filled into `options_`.
class Opening {
 public:
  Opening(Lines::Options options, const fs::path& path, const Reading& reading)
      : options_(std::move(options)), path_(path), reading_(reading) {}

  Splits run() {
    if (options_.separator == "auto") options_.separator = text::find_separator(path_, options_.encoding);
    if (options_.separator == "none") options_.labels = false;
    row_options(options_).validate(Lines::name);
    TextPart train = read(path_);
    const TextPart test =
        options_.test_share > 0 ? split_off_rows(train, options_.test_share) : read_named(options_.test);
    const TextPart validation = read_named(options_.validation);
    learn(train);
    info_.reader = to_json(options_);
    for (const char* key : {"model", "test", "validation", "test_share"}) info_.reader.erase(key);
    info_.reader["name"] = Lines::name;
    return {split(train, "train"), split(validation, "validation"), split(test, "test")};
  }

 private:
  fs::path beside(const std::string& file) const { return path_.parent_path() / file; }

  TextPart read(const fs::path& file) {
    Skips skips(reading_);
    TextRows rows = text::read_rows(file, row_options(options_), skips);
    if (options_.labels && options_.classes.empty()) options_.classes = learn_classes(rows);
    TextPart part;
    if (options_.labels) {
      part = number_labels(std::move(rows), options_.classes, file, skips);
    } else {
      part.rows = std::move(rows);
    }
    skips.check_left(static_cast<std::int64_t>(part.rows.size()), file.string());
    return part;
  }

  TextPart read_named(const std::string& file) { return file.empty() ? TextPart{} : read(beside(file)); }

  void learn(const TextPart& train) {
    text::TokenOptions tokens = token_options(options_);
    tokenizer_ = text::make_tokenizer(tokens, path_.parent_path(), [&](const text::TakeText& take) {
      for (const TextRow& row : train.rows) take(row.text);
    });
    text::complete(options_, tokens);
    info_ = reading_.about;
    if (!options_.labels || info_.classes.size() != options_.classes.size()) info_.classes = options_.classes;
    if (options_.length > 0) return;
    const Encoded encoded = encode(train.rows, *tokenizer_, longest_learnt, options_.marks);
    options_.length = *std::max_element(encoded.lengths.begin(), encoded.lengths.end());
  }

  Dataset split(const TextPart& part, const std::string& name) const {
    const Encoded encoded = encode(part.rows, *tokenizer_, options_.length, options_.marks);
    Fields fields;
    fields.set("input", pad(encoded, options_.length, path_));
    fields.set("length", at::tensor(encoded.lengths, at::kLong));
    if (options_.labels) fields.set("target", at::tensor(part.labels, at::kLong));
    DatasetInfo info = info_;
    info.fields["input"] = {{options_.length}, at::kInt, 0, static_cast<double>(tokenizer_->size() - 1)};
    return make_split(std::move(fields), std::move(info), name);
  }

  Lines::Options options_;
  const fs::path& path_;
  const Reading& reading_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  DatasetInfo info_;
};

// Every line is a text.
class FurtherLines final : public FurtherStream {
 public:
  FurtherLines(Place place, const Lines::Options& options)
      : place_(std::move(place)), options_(options), reader_(text::open_lines(place_, options.encoding)) {
    text::TokenOptions tokens = token_options(options);
    tokenizer_ = text::make_tokenizer(tokens, {}, [](const text::TakeText&) {});
  }

  bool next(std::int64_t count, FurtherExamples& examples) override {
    examples = {};
    TextRows rows;
    CsvRow line;
    std::int64_t seen = 0;
    for (; seen < count && reader_.next(line); ++seen) {
      const std::string where = fmt::format("{}:{}", place_.name(), line.line);
      if (!line.flaw.empty()) {
        examples.problems.push_back({where, "a line of text", line.flaw, {}});
        continue;
      }
      rows.push_back({.text = std::move(line.values[0]), .line = line.line});
      examples.names.push_back(place_.row_name(line.line));
    }
    if (rows.empty()) return seen > 0;
    const Encoded encoded = encode(rows, *tokenizer_, options_.length, options_.marks);
    examples.fields.set("input", pad(encoded, options_.length, place_.name()));
    examples.fields.set("length", at::tensor(encoded.lengths, at::kLong));
    return true;
  }

 private:
  Place place_;
  Lines::Options options_;
  CsvReader reader_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
};

}  // namespace

void Lines::Options::validate() const {
  token_options(*this).validate(name);
  row_options(*this).validate(name);
  if (!test.empty() && test_share > 0) {
    throw ConfigError({"lines.test_share", "0 beside a file of test rows", fmt::format("{}", test_share), {}});
  }
  if (marks && length > 0 && length < 3) {
    throw ConfigError({"lines.length", "at least 3, for two of them are marks", fmt::format("{}", length), {}});
  }
}

std::unique_ptr<FurtherStream> Lines::further(const Place& place) const {
  return std::make_unique<FurtherLines>(place, options_);
}

Splits Lines::open(const fs::path& path, const Reading& reading) const {
  return Opening(options_, path, reading).run();
}

}  // namespace vaetl::readers
