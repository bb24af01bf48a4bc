// vaetl-reconstruct: what a model makes of examples from their codes alone, beside the examples, and how far off it is.
#include "vaetl/recipe/reconstruct.hpp"

#include <ATen/ops/arange.h>

#include <filesystem>

#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/recipe/pixels.hpp"
#include "vaetl/zoo/zoo.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

constexpr std::int64_t shown_pictures = 20;

// ConfigError for an --out that says nothing of its form, or pictures of what are none.
bool wants_picture(const Arguments& arguments, const Model& model) {
  const std::string extension = std::filesystem::path(arguments.text("out")).extension();
  if (extension == ".npy") return false;
  if (extension != ".png") {
    throw ConfigError(
        {"--out", "FILE.png or FILE.npy", arguments.has("out") ? quote(arguments.text("out")) : "none", {}});
  }
  if (recipe::sees_pictures(model)) return true;
  throw ConfigError(
      {"--out", "FILE.npy, as the model sees no pictures of 1 or 3 channels", quote(arguments.text("out")), {}});
}

// The first --count of them; otherwise a few for a picture, all for an array.
Dataset first_of(const Dataset& examples, const Arguments& arguments, bool picture) {
  std::int64_t count = picture ? shown_pictures : examples.size();
  if (arguments.has("count")) count = arguments.integer("count", at_least(1));
  return count >= examples.size() ? examples : examples.select(at::arange(count, at::kLong));
}

Result rebuild_examples(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = zoo::load(reference);
  const bool picture = wants_picture(arguments, *loaded.model);
  ScoredData data = scored_data(arguments, *loaded.model);
  data.examples = first_of(data.examples, arguments, picture);
  loaded.model->to(device);
  const auto rebuilt = recipe::reconstruct(*loaded.model, data.examples);
  const std::string out = arguments.text("out");
  if (picture) write_png(out, recipe::reconstruction_grid(*loaded.model, rebuilt));
  if (!picture) write_npy(out, recipe::own_units(*loaded.model, rebuilt.outputs));
  return {{{"model", reference}, {"data", data.about()}, {"metrics", rebuilt.metrics}, {"out", out}},
          metrics_text(rebuilt.metrics)};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-reconstruct",
      .synopsis = "vaetl-reconstruct MODEL --data REF --out FILE [options]",
      .purpose = "rebuilds examples from their codes",
      .flags = data_flags({{"count", "N", "the first N examples (20 for a picture, all for an array)"},
                           out_flag("FILE", "FILE.png: inputs above, what is made of them below; FILE.npy: that alone"),
                           device_flag(),
                           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of an autoencoder\n"
          "of any kind. Printed are the mean errors of these examples, as the model sees them; an\n"
          "array is in the data's own units.\n",
      .example = "  vaetl-reconstruct fashion-mnist-conv-vae --data fashion-mnist --out rebuilt.png\n",
      .run = rebuild_examples};
  return run_program(program, argc, argv);
}
