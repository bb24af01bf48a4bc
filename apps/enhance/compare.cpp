// Damage that is done on purpose, and how well the model and what needs no model repair it.
#include <filesystem>

#include "apps/enhance/modes.hpp"
#include "apps/support/bar.hpp"
#include "apps/support/described.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/query.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/recipe/compare_repairs.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {
namespace {

// --damage, or else what the model was trained to repair, where the recipe beside its weights tells that.
Spec<Corruption> damage_of(const Arguments& arguments, const std::string& reference) {
  if (arguments.has("damage")) return recipe::damage_from(arguments.text("damage"), "--damage");
  const std::filesystem::path file = zoo::resolve(reference) / "recipe.json";
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    if (const auto damage = recipe::trained_damage(read_json(file))) return *damage;
  }
  throw ConfigError({"command line", "--damage NAME, as no recipe beside the weights tells of any", "nothing",
                     "choose one of " + join(registry<Corruption>().names())});
}

void check_side_by_side(const Arguments& arguments) {
  if (!arguments.has("out")) return;
  if (arguments.text("out").ends_with(".png")) return check_place(arguments.text("out"));
  throw ConfigError({"--out", "FILE.png, to compare side by side", quote(arguments.text("out")), {}});
}

Dataset first_examples(const Dataset& examples, const Arguments& arguments) {
  if (!arguments.has("count")) return examples;
  const std::int64_t count = arguments.integer("count", at_least(1));
  return count >= examples.size() ? examples : examples.select(at::arange(count, at::kLong));
}

Json methods_json(const recipe::Comparison& found) {
  Json methods = Json::array();
  for (const recipe::Quality& each : found.methods) {
    methods.push_back({{"method", each.method}, {"psnr", each.psnr}, {"rmse", each.rmse}});
    if (each.ssim) methods.back()["ssim"] = *each.ssim;
  }
  return methods;
}

std::string methods_text(const recipe::Comparison& found) {
  std::vector<std::vector<std::string>> rows;
  for (const recipe::Quality& each : found.methods) {
    rows.push_back({each.method, fmt::format("{:.2f}", each.psnr), each.ssim ? fmt::format("{:.4f}", *each.ssim) : "",
                    fmt::format("{:.4f}", each.rmse)});
  }
  return table_text({"", "PSNR", "SSIM", "RMSE"}, rows);
}

}  // namespace

Result compare_on_data(const Arguments& arguments) {
  check_side_by_side(arguments);
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  const Spec<Corruption> damage = damage_of(arguments, reference);
  ScoredData data = scored_data(arguments, *loaded.model);
  data.examples = first_examples(data.examples, arguments);
  loaded.model->to(device);
  const auto corruption = registry<Corruption>().make(damage, "--damage");
  const auto bar = bar_of(arguments, "enhance", data.examples.size());
  const auto found =
      recipe::compare_repairs(*loaded.model, data.examples, *corruption, {.seed = arguments.seed(), .progress = bar});
  if (arguments.has("out")) write_png(arguments.text("out"), recipe::comparison_grid(found));
  Result result{.json = {{"model", reference},
                         {"data", data.about()},
                         {"damage", Codec<Spec<Corruption>>::write(damage)},
                         {"methods", methods_json(found)}},
                .text = methods_text(found)};
  if (arguments.has("out")) result.json["out"] = arguments.text("out");
  tell(arguments,
       fmt::format("{}{} on {} pictures", damage.name, query_text(damage.options), thousands(data.examples.size())));
  return result;
}

}  // namespace vaetl::apps
