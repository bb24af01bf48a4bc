#include "vaetl/data/readers/text.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/text/unicode.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

// Windows over token ids int32 (M): input the ids, target those one further.
class TokenWindows final : public Source {
 public:
  TokenWindows(at::Tensor ids, std::int64_t window, DatasetInfo info)
      : ids_(std::move(ids)), window_(window), info_(std::move(info)) {}
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return std::max<std::int64_t>(ids_.size(0) - 1, 0) / window_; }
  Fields gather(const at::Tensor& index) const override {
    Fields fields;
    fields.set("input", shifted(0).index_select(0, index));
    fields.set("target", shifted(1).index_select(0, index).to(at::kLong));
    return fields;
  }
  at::Tensor column(const std::string& field) const override {
    return field == "input" ? shifted(0) : shifted(1).to(at::kLong);
  }

 private:
  at::Tensor shifted(std::int64_t by) const {
    return size() == 0 ? ids_.narrow(0, 0, 0).view({0, window_})
                       : ids_.narrow(0, by, size() * window_).view({size(), window_});
  }

  at::Tensor ids_;
  std::int64_t window_;
  DatasetInfo info_;
};

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Where a part may end that would end at `place`: between two characters, between two words where tokens are longer.
std::size_t next_cut(std::string_view text, std::size_t place, bool words) {
  constexpr std::size_t longest_word = 4096;
  const std::size_t furthest = std::min(text.size(), place + longest_word);
  for (std::size_t at = place; words && at < furthest; ++at) {
    if (is_space(text[at])) return at;
  }
  while (place < text.size() && (static_cast<unsigned char>(text[place]) & 0xc0) == 0x80) ++place;
  return place;
}

// Gives the text in pieces of about 64 KiB that end with a line where there are lines.
void take_pieces(std::string_view text, const text::TakeText& take) {
  constexpr std::size_t piece = std::size_t{1} << 16, longest = std::size_t{1} << 20;
  while (!text.empty()) {
    std::size_t end = std::min(text.size(), piece);
    const std::size_t line = text.substr(0, std::min(text.size(), longest)).find('\n', end);
    end = line != std::string_view::npos ? line + 1 : next_cut(text, end, /*words=*/true);
    take(text.substr(0, end));
    text.remove_prefix(end);
  }
}

at::Tensor encode(std::string_view text, const text::Tokenizer& tokenizer) {
  text::Ids ids;
  take_pieces(text, [&](std::string_view piece) { tokenizer.encode(piece, ids); });
  return at::tensor(at::ArrayRef<std::int32_t>(ids), at::kInt);
}

// The parts of one text; those with files of their own hold these whole.
struct TextParts {
  std::string whole = {}, validation_file = {}, test_file = {};
  std::string_view train = {}, validation = {}, test = {};
};

void cut_shares(TextParts& parts, double validation, double test, bool words) {
  const std::string_view whole = parts.whole;
  const auto size = static_cast<double>(whole.size());
  auto place = [&](double share) {
    return share == 0 ? whole.size() : next_cut(whole, static_cast<std::size_t>(size * (1 - share)), words);
  };
  const std::size_t tested = place(test), validated = std::min(tested, place(validation + test));
  parts.train = whole.substr(0, validated);
  if (validation > 0) parts.validation = whole.substr(validated, tested - validated);
  if (test > 0) parts.test = whole.substr(tested);
}

}  // namespace

void Text::Options::validate() const {
  text::token_options(*this).validate(name);
  auto refuse = [](const char* key, double share) {
    throw ConfigError({fmt::format("text.{}", key), "0 beside a file of its own", fmt::format("{}", share), {}});
  };
  if (!test.empty() && test_share > 0) refuse("test_share", test_share);
  if (!validation.empty() && validation_share > 0) refuse("validation_share", validation_share);
  if (test_share + validation_share < 1) return;
  throw ConfigError({"text.validation_share",
                     "shares that leave a text for training",
                     fmt::format("{} and {}", validation_share, test_share),
                     {}});
}

Splits Text::open(const fs::path& path, const Reading& reading) const {
  Options options = options_;
  TextParts parts;
  parts.whole = text::read_text(path, options.encoding);
  cut_shares(parts, options.validation_share, options.test_share,
             options.by == "word" || options.by == "sentencepiece");
  auto read_named = [&](const std::string& file, std::string& whole, std::string_view& part) {
    if (file.empty()) return;
    whole = text::read_text(path.parent_path() / file, options.encoding);
    part = whole;
  };
  read_named(options.validation, parts.validation_file, parts.validation);
  read_named(options.test, parts.test_file, parts.test);

  text::TokenOptions tokens = text::token_options(options);
  const auto tokenizer = text::make_tokenizer(tokens, path.parent_path(),
                                              [&](const text::TakeText& take) { take_pieces(parts.train, take); });
  text::complete(options, tokens);
  DatasetInfo info = reading.about;
  info.classes.clear();
  info.reader = to_json(options);
  for (const char* key : {"model", "test", "validation", "test_share", "validation_share"}) info.reader.erase(key);
  info.reader["name"] = name;
  const auto last = static_cast<double>(tokenizer->size() - 1);
  info.fields = {{"input", {{options.window}, at::kInt, 0, last}}, {"target", {{options.window}, at::kLong, 0, last}}};
  info.overlap = 1;  // a window's last target is the next one's first input; held-out windows are the last

  auto split = [&](std::string_view part, const char* split_name) {
    const at::Tensor ids = encode(part, *tokenizer);
    if (!part.empty() && ids.size(0) <= options.window) {
      throw DataError({path.string(), fmt::format("more than {} tokens as the {} text", options.window, split_name),
                       fmt::format("{}", ids.size(0)), "use shorter windows or other shares"});
    }
    DatasetInfo own = info;
    own.split = split_name;
    Fields fields;
    fields.set("input", ids);
    own.sha256 = part.empty() ? "" : data_sha256(Dataset::from_tensors(fields));
    return Dataset(std::make_shared<TokenWindows>(ids, options.window, std::move(own)));
  };
  return {split(parts.train, "train"), split(parts.validation, "validation"), split(parts.test, "test")};
}

}  // namespace vaetl::readers
