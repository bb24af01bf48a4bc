// Latents: what a model's encoder makes of examples, the mean of the posterior where it has one, as files to look at
// and to work on.
//
//   const recipe::Latents latents = recipe::encode(*vae.model, fashion.test, {.count = 2000});
//   write_npy("latents.npy", latents.values);
//   write_png("map.png", scatter_picture(recipe::scatter_of(latents, metrics::tsne(latents.values), "t-SNE")));
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/report/scatter.hpp"

namespace vaetl::recipe {

struct EncodeOptions {
  std::int64_t count = 0;
  std::optional<std::uint64_t> sample = {};
  std::int64_t thumbnails = 0;
  static constexpr auto fields() {
    using E = EncodeOptions;
    return std::tuple{
        field("count", &E::count, "examples; 0: all", at_least(0)),
        field("sample", &E::sample, "seed by which they are drawn; none: the first"),
        field("thumbnails", &E::thumbnails, "longest side of small pictures of them; 0: none", between(0, 1024))};
  }
};

struct Latents {
  at::Tensor values = {};                 // (N, F) float32, on the CPU
  at::Tensor index = {};                  // int64 (N): the examples' positions in the data
  std::vector<std::string> names = {};    // theirs: a file, or the number in the data, from 1
  std::vector<std::int64_t> labels = {};  // empty: the data have none
  std::vector<std::string> classes = {};  // their names, a number where they have none
  at::Tensor pictures = {};               // uint8 (N, C, h, w) where the model sees pictures and thumbnails are wanted
  std::string label(std::int64_t row) const { return classes[static_cast<std::size_t>(labels[row])]; }
};

// In evaluation mode, with the preprocessing that the weights carry. ConfigError for a model that is no Encoder.
Latents encode(Model& model, const Dataset& data, const EncodeOptions& options = {});

// Comma-separated values: input (the example's name), label where there are any, then a column each of
// `values` (N, F): x and y where `map`, else z0, z1, ….
void write_latents_csv(const std::filesystem::path& file, const Latents& latents, const at::Tensor& values, bool map);

// A folder that `tensorboard --logdir FOLDER` shows in its projector: tensors.tsv, metadata.tsv, sprite.png where there
// are thumbnails, projector_config.pbtxt. OutputError for a folder that holds other files.
void write_projector(const std::filesystem::path& folder, const Latents& latents);
// The same files in a folder that is there and may hold others, such as a run's events.
void add_projector(const std::filesystem::path& folder, const Latents& latents);
// The longest side of thumbnails of `count` examples that such a sprite has room for.
std::int64_t sprite_side(std::int64_t count);

Scatter scatter_of(const Latents& latents, const at::Tensor& map, const std::string& title);

}  // namespace vaetl::recipe
