#include "vaetl/recipe/generate_series.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/csv.hpp"
#include "vaetl/recipe/generate_text.hpp"
#include "vaetl/recipe/pixels.hpp"

namespace vaetl::recipe {
namespace {

// Of values (N, T) or (N, T, F).
std::string header_of(const at::Tensor& values, bool classes) {
  const std::int64_t features = values.dim() == 3 ? values.size(2) : 1;
  std::string line = classes ? "class" : "";
  auto add = [&](const std::string& name) { line += (line.empty() ? "" : ",") + name; };
  for (std::int64_t t = 0; t < values.size(1); ++t) {
    if (features == 1) add(fmt::format("t{}", t));
    for (std::int64_t f = 0; features > 1 && f < features; ++f) add(fmt::format("t{}.{}", t, f));
  }
  return line + "\n";
}

std::string class_cell(const std::vector<std::string>& classes, std::int64_t label) {
  const auto place = static_cast<std::size_t>(label);
  return csv_cell(place < classes.size() ? classes[place] : std::to_string(label));
}

}  // namespace

bool sees_series(const Model& model) {
  const auto inputs = model.signature().inputs;
  const auto input = inputs.find("input");
  if (input == inputs.end() || sees_text(model)) return false;
  const auto preprocess = model.preprocess().is_null() ? Preprocess() : Preprocess::from_json(model.preprocess());
  const auto raw = preprocess.raw_shape(input->second.shape);
  return raw && (raw->size() == 1 || raw->size() == 2);
}

void write_series(const std::filesystem::path& file, const Model& model, const Generated& made,
                  const std::vector<std::string>& classes) {
  if (!sees_series(model)) {
    throw ConfigError({file.string(), "a model of series (T) or (T, F) in units that can be restored", "another",
                       "write a .npy file"});
  }
  const bool labelled = made.condition.defined();
  const at::Tensor values = own_units(model, made.values), rows = values.flatten(1).to(at::kFloat).contiguous();
  AtomicFile table(file);
  table.write(header_of(values, labelled));
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    std::string line = labelled ? class_cell(classes, made.condition[i].item<std::int64_t>()) : "";
    const float* row = rows.const_data_ptr<float>() + i * rows.size(1);
    for (std::int64_t k = 0; k < rows.size(1); ++k) line += fmt::format("{}{}", line.empty() ? "" : ",", row[k]);
    table.write(line + "\n");
  }
  table.commit();
}

}  // namespace vaetl::recipe
