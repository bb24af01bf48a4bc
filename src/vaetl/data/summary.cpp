#include "vaetl/data/summary.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/digest.hpp"
#include "vaetl/data/example_text.hpp"

namespace vaetl::data {
namespace {

constexpr std::int64_t most_columns = 4096;  // wider inputs are summed up as one
constexpr std::int64_t shown_examples = 3;

// Which dimension of `input` tells the columns apart; 0: none does.
std::int64_t column_axis(Form form, const at::Tensor& input) {
  const std::int64_t axis = form == Form::pictures || form == Form::table ? 1 : form == Form::series ? 2 : 0;
  return axis > 0 && input.size(axis) <= most_columns ? axis : 0;
}

// Exact in what statistics need: floats as they are, small integers as float32, others as double.
at::Tensor as_real(const at::Tensor& values) {
  if (values.is_floating_point()) return values.element_size() < 4 ? values.to(at::kFloat) : values;
  return values.to(values.element_size() <= 2 ? at::kFloat : at::kDouble);
}

// NaN behind the end of each example; how many values that are.
std::int64_t hide_padding(at::Tensor& values, const at::Tensor& lengths) {
  if (values.dim() < 2) return 0;
  const at::Tensor length = lengths.to(at::kLong).view({-1, 1});
  at::Tensor behind = at::arange(values.size(1), at::kLong).unsqueeze(0).ge(length);
  for (std::int64_t d = 2; d < values.dim(); ++d) behind = behind.unsqueeze(-1);
  behind = behind.expand_as(values);
  values = values.masked_fill(behind, std::numeric_limits<double>::quiet_NaN());
  return behind.sum().item<std::int64_t>();
}

// What one part adds to a column.
struct Share {
  double count = 0, missing = 0, mean = 0, squares = 0, low = 0, high = 0;
};

// Two sets of values as one. Chan, Golub and LeVeque 1983.
void merge(ColumnSummary& column, const Share& share) {
  column.missing += static_cast<std::int64_t>(share.missing);
  if (share.count == 0) return;
  const bool first = column.count == 0;
  const double count = static_cast<double>(column.count), all = count + share.count, step = share.mean - column.mean;
  column.low = first ? share.low : std::min(column.low, share.low);
  column.high = first ? share.high : std::max(column.high, share.high);
  column.mean += step * share.count / all;
  column.squares += share.squares + step * step * count * share.count / all;
  column.count = static_cast<std::int64_t>(all);
}

// (columns, values) → what each adds.
std::vector<Share> shares_of(const at::Tensor& values) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const at::Tensor finite = at::isfinite(values);
  const at::Tensor count = finite.sum({1}, /*keepdim=*/true, at::kDouble);
  const at::Tensor missing = at::isnan(values).sum({1}, /*keepdim=*/true, at::kDouble);
  const at::Tensor known = values.masked_fill(finite.logical_not(), 0);
  const at::Tensor mean = known.sum({1}, /*keepdim=*/true, at::kDouble).div(count.clamp_min(1));
  const at::Tensor step = known.sub(mean.to(known.scalar_type())).mul_(finite);
  const at::Tensor squares = step.square_().sum({1}, /*keepdim=*/true, at::kDouble);
  const at::Tensor low = values.masked_fill(finite.logical_not(), infinity).amin({1}, true).to(at::kDouble);
  const at::Tensor high = values.masked_fill(finite.logical_not(), -infinity).amax({1}, true).to(at::kDouble);
  const at::Tensor table = at::cat({count, missing, mean, squares, low, high}, 1).contiguous();
  std::vector<Share> shares(static_cast<std::size_t>(table.size(0)));
  for (std::size_t c = 0; c < shares.size(); ++c) {
    const double* row = table.const_data_ptr<double>() + 6 * c;
    shares[c] = {row[0], row[1], row[2], row[3], row[4], row[5]};
  }
  return shares;
}

class Summariser {
 public:
  explicit Summariser(const Dataset& data) : data_(data), form_(form_of(data.info())) {
    summary_.name = data.info().split;
    summary_.sha256 = data.info().sha256;
    summary_.examples = data.size();
    for (const auto& [key, info] : data.info().fields) summary_.fields[key].info = info;
    if (data.classes() > 0) summary_.classes.assign(static_cast<std::size_t>(data.classes()), 0);
    if (form_ == Form::table) table_ = table_columns(data.info());
    name_columns();
  }

  SplitSummary run() {
    if (data_.size() > 0) {
      visit_parts(data_, [&](const Fields& part, std::int64_t) { add(part); });
      summary_.shown = first_texts(data_, shown_examples);
    }
    for (std::size_t c = 0; c < categories_.size(); ++c) settle(summary_.columns[c], c);
    settle_lengths();
    return std::move(summary_);
  }

 private:
  void name_columns() {
    const auto found = data_.info().fields.find("input");
    if (found == data_.info().fields.end() || form_ == Form::tokens) return;
    const auto& shape = found->second.shape;
    const bool by_column = form_ == Form::pictures || form_ == Form::table || form_ == Form::series;
    const std::int64_t count = !by_column ? 1 : form_ == Form::pictures ? shape[0] : shape.back();
    summary_.columns.resize(static_cast<std::size_t>(count <= most_columns ? count : 1));
    if (form_ == Form::table && summary_.columns.size() == table_.size()) {
      categories_.resize(table_.size());
      for (std::size_t c = 0; c < table_.size(); ++c) name_column(c);
    } else {
      for (std::size_t c = 0; c < summary_.columns.size(); ++c) summary_.columns[c].name = fmt::format("{}", c);
    }
  }

  void name_column(std::size_t c) {
    summary_.columns[c].name = table_[c].name;
    if (!table_[c].categorical) return;
    summary_.columns[c].categories = static_cast<std::int64_t>(table_[c].categories.size());
    categories_[c].assign(table_[c].categories.size(), 0);
  }

  void add(const Fields& part) {
    for (const auto& [key, values] : part) add_field(summary_.fields[key], values);
    if (!summary_.classes.empty()) add_labels(part.target());
    if (!summary_.columns.empty() && part.has("input")) add_columns(part);
    if (form_ == Form::pictures && part.input().numel() > 0) {
      const at::Tensor flat = part.input().flatten(1);
      summary_.constant += flat.amin(1).eq(flat.amax(1)).sum().item<std::int64_t>();
    }
    if (part.has("length")) {
      const at::Tensor own = part["length"].to(at::kLong).flatten().contiguous();
      lengths_.insert(lengths_.end(), own.const_data_ptr<std::int64_t>(),
                      own.const_data_ptr<std::int64_t>() + own.numel());
    }
  }

  void add_field(FieldSummary& field, const at::Tensor& values) {
    if (values.numel() == 0) return;
    at::Tensor known = values;
    if (values.is_floating_point()) {
      field.missing += at::isnan(values).sum().item<std::int64_t>();
      field.infinite += at::isinf(values).sum().item<std::int64_t>();
      known = values.masked_select(at::isfinite(values));
      if (known.numel() == 0) return;
    }
    const auto [low, high] = at::aminmax(known.flatten(), 0);
    const bool first = seen_.insert(&field).second;
    field.low = first ? low.item<double>() : std::min(field.low, low.item<double>());
    field.high = first ? high.item<double>() : std::max(field.high, high.item<double>());
  }

  void add_labels(const at::Tensor& labels) {
    const at::Tensor counts = at::bincount(labels, {}, static_cast<std::int64_t>(summary_.classes.size()));
    for (std::size_t k = 0; k < summary_.classes.size(); ++k) {
      summary_.classes[k] += counts.const_data_ptr<std::int64_t>()[k];
    }
  }

  // A few rows at a time: what is computed on the way stays in the cache.
  void add_columns(const Fields& part) {
    constexpr std::int64_t values_at_once = std::int64_t{1} << 18;
    const at::Tensor& input = part.input();
    if (input.numel() == 0) return;
    const std::int64_t step = std::max<std::int64_t>(1, values_at_once * input.size(0) / input.numel());
    for (std::int64_t begin = 0; begin < input.size(0); begin += step) {
      const std::int64_t count = std::min(step, input.size(0) - begin);
      at::Tensor values = as_real(input.narrow(0, begin, count));
      const at::Tensor length = part.has("length") ? part["length"].narrow(0, begin, count) : at::Tensor();
      const std::int64_t hidden = length.defined() ? hide_padding(values, length) : 0;
      const std::int64_t axis = column_axis(form_, values);
      add_rows(axis > 0 ? values.movedim(axis, 0).flatten(1) : values.reshape({1, -1}), hidden);
    }
  }

  // (columns, values), of which `hidden` in all are padding.
  void add_rows(const at::Tensor& columns, std::int64_t hidden) {
    const auto shares = shares_of(columns);
    for (std::size_t c = 0; c < summary_.columns.size() && c < shares.size(); ++c) {
      Share share = shares[c];
      share.missing -= static_cast<double>(hidden / columns.size(0));
      const bool categorical = c < categories_.size() && table_[c].categorical;
      categorical ? add_codes(c, columns[static_cast<std::int64_t>(c)]) : merge(summary_.columns[c], share);
    }
  }

  void add_codes(std::size_t c, const at::Tensor& codes) {
    const at::Tensor own = codes.to(at::kDouble).contiguous();
    ColumnSummary& column = summary_.columns[c];
    for (const double* code = own.const_data_ptr<double>(); code < own.const_data_ptr<double>() + own.numel(); ++code) {
      const bool named = *code >= 0 && *code < static_cast<double>(categories_[c].size());
      if (named) ++categories_[c][static_cast<std::size_t>(*code)];
      ++(named ? column.count : *code == -2 ? column.unknown : column.missing);
    }
  }

  void settle(ColumnSummary& column, std::size_t c) const {
    const auto most = std::max_element(categories_[c].begin(), categories_[c].end());
    if (most == categories_[c].end()) return;
    column.most = table_[c].categories[static_cast<std::size_t>(most - categories_[c].begin())];
    column.most_count = *most;
  }

  void settle_lengths() {
    if (lengths_.empty()) return;
    const auto middle = lengths_.begin() + static_cast<std::ptrdiff_t>(lengths_.size() / 2);
    std::nth_element(lengths_.begin(), middle, lengths_.end());
    const auto [low, high] = std::minmax_element(lengths_.begin(), lengths_.end());
    summary_.lengths = Lengths{*low, *middle, *high};
  }

  const Dataset& data_;
  Form form_;
  std::vector<TableColumn> table_ = {};
  SplitSummary summary_ = {};
  std::vector<std::vector<std::int64_t>> categories_ = {};  // counts of each categorical column
  std::vector<std::int64_t> lengths_ = {};
  std::set<const FieldSummary*> seen_ = {};
};

Json column_json(const ColumnSummary& column) {
  Json json = {{"name", column.name}, {"count", column.count}, {"missing", column.missing}};
  if (column.categories > 0) {
    json.update({{"categories", column.categories},
                 {"most", column.most},
                 {"most_count", column.most_count},
                 {"unknown", column.unknown}});
  } else {
    json.update({{"mean", column.mean}, {"std", column.std()}, {"low", column.low}, {"high", column.high}});
  }
  return json;
}

Json field_json(const FieldSummary& field) {
  Json json = {
      {"shape", field.info.shape}, {"dtype", dtype_name(field.info.dtype)}, {"low", field.low}, {"high", field.high}};
  if (field.info.high > field.info.low) json["declared"] = {field.info.low, field.info.high};
  if (field.missing > 0) json["missing"] = field.missing;
  if (field.infinite > 0) json["infinite"] = field.infinite;
  return json;
}

}  // namespace

Form form_of(const DatasetInfo& info) {
  const auto found = info.fields.find("input");
  if (found == info.fields.end()) return Form::values;
  const FieldInfo& input = found->second;
  const std::size_t dims = input.shape.size();
  const bool real = at::isFloatingType(input.dtype);
  if (dims == 3 && input.shape[0] >= 1 && input.shape[0] <= 4 && (real || input.dtype == at::kByte)) {
    return Form::pictures;
  }
  if (dims == 2 && real) return Form::series;
  if (dims != 1) return Form::values;
  if (input.dtype == at::kInt) return Form::tokens;
  if (input.dtype == at::kShort) return Form::sound;
  return real ? Form::table : Form::values;
}

const char* text_of(Form form) {
  constexpr const char* names[] = {"pictures", "table", "tokens", "series", "sound", "values"};
  return names[static_cast<std::size_t>(form)];
}

double ColumnSummary::std() const { return count > 0 ? std::sqrt(squares / static_cast<double>(count)) : 0; }

bool ColumnSummary::constant() const {
  if (categories > 0) return count > 0 && most_count == count && missing == 0 && unknown == 0;
  return count > 0 && low == high && missing == 0;
}

Json SplitSummary::json(const std::vector<std::string>& class_names) const {
  Json json = {{"examples", examples}, {"sha256", sha256}};
  for (const auto& [key, field] : fields) json["fields"][key] = field_json(field);
  if (!classes.empty()) json["classes"] = Json::array();
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const std::string name = k < class_names.size() ? class_names[k] : fmt::format("{}", k);
    json["classes"].push_back({{"name", name}, {"examples", classes[k]}});
  }
  if (!columns.empty()) json["columns"] = Json::array();
  for (const ColumnSummary& column : columns) json["columns"].push_back(column_json(column));
  if (lengths) json["lengths"] = {{"low", lengths->low}, {"median", lengths->median}, {"high", lengths->high}};
  if (constant > 0) json["constant"] = constant;
  if (!shown.empty()) json["examples_shown"] = shown;
  return json;
}

SplitSummary summarise(const Dataset& data) { return Summariser(data).run(); }

std::optional<std::int64_t> vocabulary_size(const DatasetInfo& info) {
  if (form_of(info) != Form::tokens) return std::nullopt;
  return static_cast<std::int64_t>(info.fields.at("input").high) + 1;
}

}  // namespace vaetl::data
