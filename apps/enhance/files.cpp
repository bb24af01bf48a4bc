// Files and folders of pictures, repaired.
#include "apps/enhance/modes.hpp"
#include "apps/support/bar.hpp"
#include "apps/support/described.hpp"
#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/recipe/repair_files.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {

Result repair_given_files(const Arguments& arguments) {
  const std::vector<std::string> files(arguments.positional().begin() + 1, arguments.positional().end());
  if (!arguments.has("out")) throw ConfigError({"command line", "--out FILE.png or FOLDER/", "none", "see --help"});
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, arguments.positional()[0]);
  loaded.model->to(device);
  const recipe::RepairFilesOptions options{
      .doubles = arguments.has("double"), .mask = arguments.text("mask"), .strict = arguments.has("strict")};
  const auto bar = bar_of(arguments, "enhance", 0);
  const auto done =
      recipe::repair_files(*loaded.model, files, arguments.text("out"), options,
                           {.left_out = [&](const Problem& problem) { tell(arguments, left_out_line(problem)); },
                            .note = [&](const Problem& problem) { tell(arguments, DataError(problem).what()); },
                            .progress = bar});
  if (done.left_out > 0) tell(arguments, fmt::format("{} left out, {} repaired", done.left_out, done.pictures));
  return {.json = {{"model", arguments.positional()[0]},
                   {"pictures", done.pictures},
                   {"left_out", done.left_out},
                   {"out", arguments.text("out")}},
          .exit = done.left_out > 0 ? Exit::data : Exit::ok};
}

}  // namespace vaetl::apps
