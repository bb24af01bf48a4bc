// vaetl-data show: what data hold, split by split, and a grid of their pictures.
#include <ATen/ATen.h>

#include "apps/data/commands.hpp"
#include "apps/support/skipped.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/summary.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl::apps {
namespace {

constexpr std::size_t shown_problems = 10, shown_columns = 40, shown_classes = 40;
constexpr std::int64_t grid_columns = 10, most_rows = 100, most_pixels = std::int64_t{1} << 25;

// What reading left out, and how long it took.
struct Notes {
  std::vector<Problem> problems = {};
  std::int64_t left_out = 0;
  double seconds = 0;
};

Splits open_noting(const data::Reference& reference, bool strict, Notes& notes) {
  Reading reading;
  reading.strict = strict;
  reading.skipped = [&notes](const Problem& problem) {
    if (notes.left_out++ < static_cast<std::int64_t>(shown_problems)) notes.problems.push_back(problem);
  };
  const auto begin = std::chrono::steady_clock::now();
  Splits splits = data::open(reference, reading);
  notes.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return splits;
}

std::vector<Dataset> chosen(const Splits& splits, const Arguments& arguments) {
  const std::map<std::string, const Dataset*> named = {
      {"train", &splits.train}, {"validation", &splits.validation}, {"test", &splits.test}};
  if (arguments.has("split")) {
    const auto found = named.find(arguments.text("split"));
    if (found != named.end()) return {*found->second};
    throw ConfigError({"--split", "train, validation or test", quote(arguments.text("split")), {}});
  }
  std::vector<Dataset> all;
  for (const char* name : {"train", "validation", "test"}) {
    if (named.at(name)->size() > 0) all.push_back(*named.at(name));
  }
  return all.empty() ? std::vector<Dataset>{splits.train} : all;
}

// uint8 (N, C, H, W): values of another type take the whole range.
at::Tensor as_pixels(const at::Tensor& pictures, const FieldInfo& input) {
  if (pictures.scalar_type() == at::kByte) return pictures;
  const at::Tensor values = pictures.to(at::kFloat).nan_to_num(0, 0, 0);
  const bool declared = input.high > input.low;
  const double low = declared ? input.low : values.min().item<double>();
  const double high = declared ? input.high : values.max().item<double>();
  return values.sub(low).mul(high > low ? 255 / (high - low) : 0).round().clamp(0, 255).to(at::kByte);
}

// The first examples of each class, a row each; without labels the first ones. Empty places are white.
at::Tensor grid_of(const Dataset& data) {
  const FieldInfo& input = data.info().fields.at("input");
  const std::int64_t pixels = input.shape[1] * input.shape[2];
  const bool labelled = data.classes() > 0;
  const std::int64_t rows = std::min(labelled ? data.classes() : grid_columns, most_rows);
  const std::int64_t columns =
      std::clamp<std::int64_t>(most_pixels / std::max<std::int64_t>(1, rows * pixels), 1, grid_columns);
  const at::Tensor labels = labelled ? data.labels() : at::Tensor();
  std::vector<at::Tensor> images;
  for (std::int64_t row = 0; row < rows; ++row) {
    const at::Tensor of_row = labelled ? labels.eq(row).nonzero().squeeze(1) : at::arange(row * columns, data.size());
    const at::Tensor index = of_row.narrow(0, 0, std::min(columns, of_row.size(0)));
    const at::Tensor pictures = as_pixels(data.gather(index).input(), input);
    const at::Tensor filled = at::full({columns, input.shape[0], input.shape[1], input.shape[2]}, 255, at::kByte);
    filled.narrow(0, 0, pictures.size(0)).copy_(pictures);
    images.push_back(filled);
    if (!labelled && (row + 1) * columns >= data.size()) break;
  }
  return image_grid(at::cat(images), columns);
}

void write_grid(const Dataset& data, const std::string& file) {
  const auto& info = data.info();
  if (data::form_of(info) != data::Form::pictures || data.size() == 0) {
    throw ConfigError(
        {"--grid", "a set of pictures", data.size() == 0 ? "no examples" : data::text_of(data::form_of(info)), {}});
  }
  write_png(file, grid_of(data));
}

std::string range_text(double low, double high) { return fmt::format("{:.6g} … {:.6g}", low, high); }

std::string fields_table(const data::SplitSummary& split) {
  std::vector<Words> rows;
  for (const auto& [key, field] : split.fields) {
    rows.push_back({key, shape_text(field.info.shape), dtype_name(field.info.dtype), range_text(field.low, field.high),
                    field.missing + field.infinite > 0 ? thousands(field.missing + field.infinite) : ""});
  }
  return table_text({"field", "shape", "type", "range", "not finite"}, rows);
}

std::string classes_table(const std::vector<data::SplitSummary>& splits, const std::vector<std::string>& names) {
  Words header = {"class"};
  for (const auto& split : splits) header.push_back(split.name);
  const std::size_t count = splits[0].classes.size();
  std::vector<Words> rows;
  for (std::size_t k = 0; k < std::min(count, shown_classes); ++k) {
    Words row = {k < names.size() ? names[k] : fmt::format("{}", k)};
    for (const auto& split : splits) row.push_back(k < split.classes.size() ? thousands(split.classes[k]) : "");
    rows.push_back(std::move(row));
  }
  const std::string more = count > shown_classes ? fmt::format("and {} more: --json\n", count - shown_classes) : "";
  return table_text(header, rows) + more;
}

std::string columns_table(const data::SplitSummary& split, const std::string& what) {
  std::vector<Words> rows;
  for (std::size_t c = 0; c < std::min(split.columns.size(), shown_columns); ++c) {
    const data::ColumnSummary& column = split.columns[c];
    const std::string missing = column.missing > 0 ? thousands(column.missing) : "";
    if (column.categories > 0) {
      const double share =
          100.0 * static_cast<double>(column.most_count) / std::max<double>(1, static_cast<double>(column.count));
      rows.push_back({column.name, "", "",
                      fmt::format("{} texts, {} {:.0f} %", column.categories, quote(column.most), share), missing});
    } else {
      rows.push_back({column.name, fmt::format("{:.5g}", column.mean), fmt::format("{:.5g}", column.std()),
                      range_text(column.low, column.high), missing});
    }
  }
  const std::size_t more = split.columns.size() - rows.size();
  return table_text({what, "mean", "std", "range", "missing"}, rows) +
         (more > 0 ? fmt::format("and {} more: --json\n", more) : "");
}

std::string head_text(const Json& json, const std::vector<data::SplitSummary>& splits) {
  std::vector<Words> rows;
  for (const char* key : {"name", "form", "licence", "found"}) {
    const std::string value = json.value(key, "");
    if (!value.empty()) rows.push_back({key, value});
  }
  if (json.contains("vocabulary"))
    rows.push_back({"vocabulary", thousands(json["vocabulary"].get<std::int64_t>()) + " tokens"});
  if (json.contains("overlap"))
    rows.push_back({"overlap", fmt::format("{} neighbours share values", json["overlap"].get<std::int64_t>())});
  rows.push_back({"opened in", fmt::format("{:.2f} s", json["seconds"].get<double>())});
  std::string text = table_text({}, rows) + "\n";
  rows.clear();
  for (const auto& split : splits) rows.push_back({split.name, thousands(split.examples), split.sha256});
  return text + table_text({"split", "examples", "sha256"}, rows);
}

std::string left_out_text(const Notes& notes) {
  std::string text;
  for (const Problem& problem : notes.problems) text += std::string("left out: ") + DataError(problem).what() + "\n";
  if (notes.left_out > static_cast<std::int64_t>(notes.problems.size())) {
    text += fmt::format("left out: {} in all; `vaetl-data check` lists them\n", thousands(notes.left_out));
  }
  return text.empty() ? text : "\n" + text;
}

std::string text_of(const Json& json, const std::vector<data::SplitSummary>& splits, const DatasetInfo& info,
                    const Notes& notes) {
  const data::SplitSummary& first = splits[0];
  std::string text = head_text(json, splits) + "\n" + fields_table(first);
  if (!first.classes.empty()) text += "\n" + classes_table(splits, info.classes);
  const bool pictures = data::form_of(info) == data::Form::pictures;
  if (!first.columns.empty()) text += "\n" + columns_table(first, pictures ? "channel" : "column");
  if (first.lengths) {
    text +=
        fmt::format("\nlengths: {} to {}, median {}\n", first.lengths->low, first.lengths->high, first.lengths->median);
  }
  for (const std::string& example : first.shown) text += (&example == first.shown.data() ? "\n" : "") + example + "\n";
  return text + left_out_text(notes);
}

Json left_out_json(const Notes& notes) {
  Json problems = Json::array();
  for (const Problem& problem : notes.problems) problems.push_back(DataError(problem).what());
  return {{"count", notes.left_out}, {"problems", problems}};
}

Json json_of(const data::Reference& reference, const std::vector<data::SplitSummary>& splits, const DatasetInfo& info,
             const Notes& notes) {
  Json json = {{"reference", reference.text()},
               {"name", info.name},
               {"form", data::text_of(data::form_of(info))},
               {"licence", info.licence},
               {"found", place_of(reference)},
               {"seconds", notes.seconds},
               {"classes", info.classes}};
  const auto vocabulary = data::vocabulary_size(info);
  if (vocabulary) json["vocabulary"] = *vocabulary;
  if (info.overlap > 0) json["overlap"] = info.overlap;
  if (!info.preprocess.is_null()) json["preprocess"] = info.preprocess;
  json["examples"] = 0;
  for (const auto& split : splits) {
    json["examples"] = json["examples"].get<std::int64_t>() + split.examples;
    json["splits"][split.name] = split.json(info.classes);
  }
  json["left_out"] = left_out_json(notes);
  return json;
}

}  // namespace

Result show_data(const Words& words, const Arguments& arguments) {
  const data::Reference reference = data::parse_reference(only_word(words, "REF"));
  Notes notes;
  const std::vector<Dataset> sets = chosen(open_noting(reference, arguments.has("strict"), notes), arguments);
  if (arguments.has("grid")) write_grid(sets[0], arguments.text("grid"));
  std::vector<data::SplitSummary> splits;
  for (const Dataset& data : sets) splits.push_back(data::summarise(data));
  Json json = json_of(reference, splits, sets[0].info(), notes);
  if (arguments.has("grid")) json["grid"] = arguments.text("grid");
  return {json, text_of(json, splits, sets[0].info(), notes)};
}

}  // namespace vaetl::apps
