#include "vaetl/recipe/encode.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/transforms/resize.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/csv.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/recipe/pixels.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t widest_sprite = 8192;  // pixels: what browsers take as one texture
constexpr std::int64_t largest_thumbnail = 64;

at::Tensor chosen_examples(std::int64_t size, const EncodeOptions& options) {
  const std::int64_t count = options.count == 0 ? size : std::min(options.count, size);
  if (!options.sample || count == size) return at::arange(count, at::kLong);
  auto random = make_generator(random_key(*options.sample, Purpose::evaluate));
  const at::Tensor order = at::randperm(size, random, at::TensorOptions().dtype(at::kLong));
  return std::get<0>(order.narrow(0, 0, count).sort());
}

at::Tensor thumbnails_of(const Model& model, const at::Tensor& inputs, std::int64_t side) {
  const at::Tensor pixels = to_pixels(model, inputs);
  const std::int64_t height = pixels.size(2), width = pixels.size(3), longest = std::max(height, width);
  if (longest <= side) return pixels;
  return transforms::resize_images(pixels, std::max<std::int64_t>(1, height * side / longest),
                                   std::max<std::int64_t>(1, width * side / longest), "bilinear");
}

void read_labels(const Dataset& examples, Latents& latents) {
  if (!examples.has("target") || examples.classes() == 0) return;
  const at::Tensor labels = examples.labels().contiguous();
  if (labels.dim() != 1) return;
  latents.labels.assign(labels.const_data_ptr<std::int64_t>(), labels.const_data_ptr<std::int64_t>() + labels.numel());
  latents.classes = examples.info().classes;
  for (auto k = std::ssize(latents.classes); k < examples.classes(); ++k) latents.classes.push_back(std::to_string(k));
}

// Rows of text, some at a time.
void write_rows(AtomicFile& file, std::int64_t count, const std::function<void(std::int64_t, std::string&)>& row) {
  std::string text;
  for (std::int64_t i = 0; i < count; ++i) {
    row(i, text);
    if (text.size() < (1u << 20) && i + 1 < count) continue;
    file.write(text);
    text.clear();
  }
}

void append_values(std::string& text, const at::Tensor& values, std::int64_t row, char separator, bool first) {
  const float* value = values.const_data_ptr<float>() + row * values.size(1);
  for (std::int64_t f = 0; f < values.size(1); ++f) {
    if (f > 0 || !first) text += separator;
    fmt::format_to(std::back_inserter(text), "{}", value[f]);
  }
}

void write_tensors(const std::filesystem::path& path, const at::Tensor& values) {
  AtomicFile file(path);
  write_rows(file, values.size(0), [&](std::int64_t row, std::string& text) {
    append_values(text, values, row, '\t', true);
    text += '\n';
  });
  file.commit();
}

// One column has no header, two have one: so TensorBoard reads them.
void write_metadata(const std::filesystem::path& path, const Latents& latents) {
  AtomicFile file(path);
  const bool labelled = !latents.labels.empty();
  if (labelled) file.write(std::string_view("label\tinput\n"));
  write_rows(file, latents.values.size(0), [&](std::int64_t row, std::string& text) {
    if (labelled) text += one_line(latents.label(row)) + "\t";
    text += one_line(latents.names[static_cast<std::size_t>(row)]) + "\n";
  });
  file.commit();
}

std::int64_t sprite_columns(std::int64_t count) {
  return static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
}

}  // namespace

std::int64_t sprite_side(std::int64_t count) {
  return std::min(largest_thumbnail, widest_sprite / std::max<std::int64_t>(1, sprite_columns(count)));
}

Latents encode(Model& model, const Dataset& data, const EncodeOptions& given) {
  const auto options = from_json<EncodeOptions>(to_json(given), "encode");
  require_capability(model, Encoder::capability, "encode");
  Latents latents;
  latents.index = chosen_examples(data.size(), options);
  const auto* position = latents.index.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < latents.index.size(0); ++i) latents.names.push_back(data.name(position[i]));
  const Dataset examples = latents.index.size(0) == data.size() ? data : data.select(latents.index);
  const bool shown = options.thumbnails > 0 && sees_pictures(model);
  std::vector<at::Tensor> values, pictures;
  visit(model, examples, [&](Pass& pass) {
    values.push_back(pass.features().to(at::kCPU, at::kFloat).flatten(1));
    if (shown) pictures.push_back(thumbnails_of(model, pass.fields().input().cpu(), options.thumbnails));
  });
  latents.values = at::cat(values).contiguous();
  if (shown) latents.pictures = at::cat(pictures);
  read_labels(examples, latents);
  return latents;
}

void write_latents_csv(const std::filesystem::path& path, const Latents& latents, const at::Tensor& values, bool map) {
  AtomicFile file(path);
  const at::Tensor own = values.to(at::kFloat).contiguous();
  const bool labelled = !latents.labels.empty();
  std::string header = labelled ? "input,label" : "input";
  for (std::int64_t f = 0; f < own.size(1); ++f) header += map ? (f == 0 ? ",x" : ",y") : fmt::format(",z{}", f);
  file.write(header + "\n");
  write_rows(file, own.size(0), [&](std::int64_t row, std::string& text) {
    text += csv_cell(latents.names[static_cast<std::size_t>(row)]);
    if (labelled) text += "," + csv_cell(latents.label(row));
    append_values(text, own, row, ',', false);
    text += '\n';
  });
  file.commit();
}

// The configuration, by which TensorBoard finds the others, comes last.
void add_projector(const std::filesystem::path& folder, const Latents& latents) {
  write_tensors(folder / "tensors.tsv", latents.values);
  write_metadata(folder / "metadata.tsv", latents);
  std::string config =
      "embeddings {\n  tensor_name: \"latents\"\n  tensor_path: \"tensors.tsv\"\n  metadata_path: \"metadata.tsv\"\n";
  if (latents.pictures.defined()) {
    const at::Tensor& pictures = latents.pictures;
    write_png(folder / "sprite.png", image_grid(pictures, sprite_columns(pictures.size(0)), /*padding=*/0));
    config += fmt::format(
        "  sprite {{\n    image_path: \"sprite.png\"\n    single_image_dim: {}\n    single_image_dim: {}\n  }}\n",
        pictures.size(3), pictures.size(2));
  }
  write_atomically(folder / "projector_config.pbtxt", config + "}\n");
}

void write_projector(const std::filesystem::path& folder, const Latents& latents) {
  std::error_code ignored;
  if (std::filesystem::exists(folder, ignored) && !std::filesystem::is_empty(folder, ignored)) {
    throw OutputError({folder.string(), "a folder that is new or empty", "one that holds files", "name another"});
  }
  AtomicFolder files(folder);
  add_projector(files.path(), latents);
  files.commit();
}

Scatter scatter_of(const Latents& latents, const at::Tensor& map, const std::string& title) {
  return {.title = title, .points = map, .group = latents.labels, .names = latents.classes};
}

}  // namespace vaetl::recipe
