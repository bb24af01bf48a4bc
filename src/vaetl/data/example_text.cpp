#include "vaetl/data/example_text.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/summary.hpp"
#include "vaetl/data/text/tokenizer.hpp"

namespace vaetl::data {
namespace {

constexpr std::size_t longest = 200;

// A description may come from any file: what has another type than expected is as good as absent.
const Json* member(const Json& object, const char* key, Json::value_t type) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found != object.end() && found->type() == type ? &*found : nullptr;
}

std::string text_member(const Json& object, const char* key) {
  const Json* found = member(object, key, Json::value_t::string);
  return found != nullptr ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts_member(const Json& object, const char* key) {
  std::vector<std::string> texts;
  const Json* found = member(object, key, Json::value_t::array);
  if (found == nullptr) return texts;
  for (const Json& item : *found) texts.push_back(item.is_string() ? item.get<std::string>() : std::string());
  return texts;
}

bool is_run_of_characters(std::string_view token) {
  const auto characters = std::count_if(token.begin(), token.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; });
  return characters > 1;
}

std::string value_text(const TableColumn& column, double value) {
  if (!column.categorical) return std::isnan(value) ? "" : fmt::format("{:.6g}", value);
  const bool named = value >= 0 && value < static_cast<double>(column.categories.size());
  return named ? column.categories[static_cast<std::size_t>(value)] : "";
}

std::shared_ptr<const text::SentencePieces> pieces_of(const Json& reader) {
  const std::string model = text_member(reader, "pieces");
  if (model.empty()) return nullptr;
  try {
    return std::make_shared<text::SentencePieces>(text::SentencePieces::from_base64(model));
  } catch (const Error&) {
    return nullptr;
  }
}

std::vector<std::string> rows_as_text(const at::Tensor& rows, const DatasetInfo& info) {
  const auto columns = table_columns(info);
  const at::Tensor values = rows.to(at::kDouble).contiguous();
  std::vector<std::string> texts;
  for (std::int64_t row = 0; row < values.size(0); ++row) {
    const double* value = values.const_data_ptr<double>() + row * values.size(1);
    std::string text;
    for (std::size_t c = 0; c < columns.size() && text.size() < longest; ++c) {
      text += fmt::format("{}{}={}", c > 0 ? " " : "", columns[c].name, value_text(columns[c], value[c]));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> tokens_as_text(const at::Tensor& ids, const DatasetInfo& info) {
  const TokenText text(info.reader);
  std::vector<std::string> texts;
  if (!text.known()) return texts;
  const at::Tensor own = ids.contiguous();
  for (std::int64_t row = 0; row < own.size(0); ++row) {
    texts.push_back(text(own.const_data_ptr<std::int32_t>() + row * own.size(1), own.size(1)));
  }
  return texts;
}

}  // namespace

TokenText::TokenText(const Json& reader) {
  const std::string by = text_member(reader, "by");
  const Json* marks = member(reader, "marks", Json::value_t::boolean);
  first_ = marks != nullptr && marks->get<bool>() ? text::end_id + 1 : text::unknown_id + 1;
  bytes_ = by == "byte";
  words_ = by == "word";
  if (by == "sentencepiece") pieces_ = pieces_of(reader);
  if (words_ || by == "character") tokens_ = texts_member(reader, "vocabulary");
}

std::string TokenText::piece_text(const std::int32_t* ids, std::int64_t count) const {
  std::string text;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t piece = ids[i] == text::unknown_id ? pieces_->unknown() : ids[i] - first_;
    if (piece >= 0 && piece < pieces_->size()) text += pieces_->surface(piece);
  }
  return text.starts_with(' ') ? text.substr(1) : text;  // SentencePiece puts a blank in front
}

std::string TokenText::operator()(const std::int32_t* ids, std::int64_t count) const {
  if (pieces_) return piece_text(ids, count);
  std::string text;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t place = ids[i] - first_;
    if (bytes_ && place >= 0 && place < 256) text += static_cast<char>(place);
    const bool named = place >= 0 && static_cast<std::size_t>(place) < tokens_.size();
    if (bytes_ || (!named && ids[i] != text::unknown_id)) continue;
    const std::string token = named ? tokens_[static_cast<std::size_t>(place)] : "�";
    // Runs of neighbours repeat what single tokens have said.
    if (words_ ? token.find(' ') != std::string::npos : is_run_of_characters(token)) continue;
    if (words_ && !text.empty()) text += ' ';
    text += token;
  }
  return text;
}

std::vector<TableColumn> table_columns(const DatasetInfo& info) {
  const auto& shape = info.fields.at("input").shape;
  std::vector<TableColumn> columns(static_cast<std::size_t>(shape.empty() ? 1 : shape.back()));
  for (std::size_t c = 0; c < columns.size(); ++c) columns[c].name = fmt::format("{}", c);
  const Json* learnt = member(info.reader, "columns", Json::value_t::array);
  if (learnt == nullptr || learnt->size() != columns.size()) return columns;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Json& column = (*learnt)[c];
    const std::string name = column.is_string() ? column.get<std::string>() : text_member(column, "name");
    if (!name.empty()) columns[c].name = name;
    columns[c].categories = texts_member(column, "categories");
    columns[c].categorical = text_member(column, "kind") == "categorical";
  }
  return columns;
}

std::vector<std::string> first_texts(const Dataset& data, std::int64_t count) {
  const Form form = form_of(data.info());
  if (form != Form::table && form != Form::tokens) return {};
  const at::Tensor input = data.gather(at::arange(std::min(count, data.size()), at::kLong)).input();
  auto texts = form == Form::table ? rows_as_text(input, data.info()) : tokens_as_text(input, data.info());
  for (std::string& text : texts) {
    const std::string quoted = quote(text, longest);  // cut between two characters
    text = quoted.substr(1, quoted.size() - 2);
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  }
  return texts;
}

}  // namespace vaetl::data
