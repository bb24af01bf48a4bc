#include "vaetl/recipe/solve_head.hpp"

#include "vaetl/core/device.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/train/checkpoint.hpp"

namespace vaetl::recipe {

Json solve_first(const Recipe& recipe, Prepared& prepared, const RunSettings& settings) {
  if (!prepared.solve_head) return {};
  const bool goes_on = settings.resume != "never" && has_checkpoint(settings.out / "checkpoints" / "last");
  if (goes_on) {
    const auto file = settings.out / head_file;
    return std::filesystem::exists(file) ? read_run_json(file) : Json();
  }
  prepared.model->to(choose_device(settings.device));
  const SolvedHead head = vaetl::solve_head(*prepared.model, prepared.data.pipeline, *prepared.solve_head, recipe.seed);
  vaetl::Progress progress{*prepared.model};
  progress.notice = head.text();
  for (const auto& callback : settings.callbacks) callback->on_notice(progress);
  return head.json();
}

}  // namespace vaetl::recipe
