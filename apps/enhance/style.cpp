// The content of one picture in the style of another.
#include "apps/enhance/modes.hpp"
#include "apps/support/described.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/picture_fit.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/recipe/style_transfer.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {
namespace {

std::string style_argument(const Arguments& arguments, const std::string& name, const std::string& value) {
  if (arguments.has(name)) return arguments.text(name);
  throw ConfigError({"command line", fmt::format("--{} {}", name, value), "none", "see --help"});
}

std::string png_file(const Arguments& arguments) {
  std::string out = style_argument(arguments, "out", "FILE.png");
  if (!out.ends_with(".png")) throw ConfigError({"--out", "FILE.png", quote(out), {}});
  check_place(out);
  return out;
}

recipe::StyleOptions style_options(const Arguments& arguments) {
  recipe::StyleOptions options;
  if (arguments.has("steps")) options.steps = arguments.integer("steps", between(1, 100000));
  if (arguments.has("size")) options.size = arguments.integer("size", between(16, 4096));
  options.style_weight = arguments.number("style-weight", options.style_weight, between(0, 1e9));
  options.smoothness = arguments.number("smoothness", options.smoothness, between(0, 1e9));
  options.content_layer = arguments.text("content-layer");
  options.style_layers = arguments.list("style-layers");
  return options;
}

Json losses_json(const recipe::StyleLosses& losses) {
  return {{"content", losses.content}, {"style", losses.style}, {"smooth", losses.smooth}, {"total", losses.total}};
}

std::string losses_text(const recipe::StyleLosses& losses) {
  return fmt::format("content {:.4f}, style {:.4f}", losses.content, losses.style);
}

}  // namespace

Result restyle(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL"), out = png_file(arguments);
  const std::string content = style_argument(arguments, "content", "FILE"),
                    style = style_argument(arguments, "style", "FILE");
  const recipe::StyleOptions options = style_options(arguments);
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  loaded.model->to(device);
  const auto picture = [&](const std::string& file) {
    const auto shape = loaded.model->signature().inputs.at("input").shape;
    return readers::read_picture({.where = file, .path = file}, {.channels = shape.size() == 3 ? shape[0] : 0});
  };
  std::optional<ProgressBar> bar;
  if (!arguments.has("quiet")) bar.emplace("restyle", options.steps, "step");
  const auto styled = recipe::transfer_style(*loaded.model, picture(content), picture(style), options,
                                             [&](std::int64_t step, const recipe::StyleLosses& losses) {
                                               if (bar) bar->update(step, losses_text(losses));
                                             });
  bar.reset();
  write_png(out, styled.picture);
  return {.json = {{"model", reference},
                   {"steps", options.steps},
                   {"before", losses_json(styled.before)},
                   {"after", losses_json(styled.after)},
                   {"content_layer", styled.content_layer},
                   {"style_layers", styled.style_layers},
                   {"out", out}},
          .text = fmt::format("before: {}\nafter: {}\n", losses_text(styled.before), losses_text(styled.after))};
}

}  // namespace vaetl::apps
