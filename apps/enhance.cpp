// vaetl-enhance: damaged pictures repaired by a model, how well it does that, and pictures in the style of others.
#include "apps/enhance/modes.hpp"
#include "apps/support/described.hpp"
#include "apps/support/scored_data.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

// What only some of the three uses read. Elsewhere it would do nothing, which is a mistake.
struct Use {
  std::string name;
  std::vector<std::string> flags;
};
const std::vector<Use>& uses() {
  static const std::vector<Use> all = {
      {"files", {"double", "mask"}},
      {"--data REF", {"split", "damage", "count", "seed"}},
      {"--content FILE", {"style", "steps", "size", "style-weight", "smoothness", "content-layer", "style-layers"}}};
  return all;
}

void check_use(const Arguments& arguments, const std::string& chosen) {
  for (const Use& use : uses()) {
    for (const std::string& flag : use.flags) {
      if (use.name == chosen || !arguments.has(flag)) continue;
      throw ConfigError({"--" + flag, use.name + ", to which it belongs", chosen, "leave it out"});
    }
  }
  if (chosen == "--content FILE" && arguments.has("strict")) {
    throw ConfigError({"--strict", "files or --data REF, to which it belongs", chosen, "leave it out"});
  }
}

Result enhance(const Arguments& arguments) {
  if (arguments.positional().empty()) throw ConfigError({"command line", "MODEL FILE…", "nothing", "see --help"});
  std::vector<std::string> given;
  if (arguments.positional().size() > 1) given.emplace_back("files");
  if (arguments.has("data")) given.emplace_back("--data REF");
  if (arguments.has("content")) given.emplace_back("--content FILE");
  if (given.size() != 1) {
    throw ConfigError({"command line", "FILE… behind MODEL, or --data REF, or --content FILE --style FILE",
                       given.empty() ? "none" : fmt::format("{} of them", given.size()), "see --help"});
  }
  check_use(arguments, given[0]);
  if (given[0] == "files") return repair_given_files(arguments);
  return given[0] == "--data REF" ? compare_on_data(arguments) : restyle(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-enhance",
      .synopsis =
          "vaetl-enhance MODEL FILE… --out FILE.png|FOLDER/ | --data REF [--damage NAME] |\n"
          "       --content FILE --style FILE --out FILE.png [options]",
      .purpose = "repairs and restyles pictures",
      .flags = data_flags(
          {{"damage", "NAME", "what is done to the data, NAME?option=value (what the model was trained to repair)"},
           {"count", "N", "the first N examples (all)"},
           seed_flag("of the damage (0)"),
           out_flag("FILE", "of files FILE.png or FOLDER/; of data and of a style FILE.png"),
           {"double", "", "files: to twice the size, for a model that was trained on halved pictures"},
           {"mask", "FILE", "files: what is missing is white in it; all else stays as it is"},
           {"content", "FILE", "a picture that is to have the style of another"},
           {"style", "FILE", "that one"},
           {"steps", "N", "of its making (300)"},
           {"size", "S", "pixels of its longer side (384)"},
           {"style-weight", "W", "of the style beside the content (20)"},
           {"smoothness", "W", "of even shades beside the content (100)"},
           {"content-layer", "NAME", "whose features are the content's (the last one of an eighth of the size)"},
           {"style-layers", "A,B", "whose correlations are the style's (the last of each size down to a sixteenth)"},
           model_flag(),
           device_flag(),
           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file: of a restorer or an\n"
          "autoencoder to repair, of an encoder of pictures to restyle. A file that others made needs\n"
          "--model.\n"
          "FILE is a PNG or JPEG picture, or a folder with all below; - reads names of files. A model of\n"
          "convolutions alone takes any size, others their own.\n"
          "--data damages examples on purpose and compares what the model makes of them with what\n"
          "needs no model: the median, diffusion or bicubic enlargement. --out shows the first ten: clean,\n"
          "damaged, by that and by the model. The damage is gaussian, salt_and_pepper, masking, box,\n"
          "strokes or halve; --help NAME lists the options of one.\n"
          "Pictures that cannot be repaired are told on stderr; the exit code is 3 then, and the others are\n"
          "there.\n",
      .example =
          "  vaetl-enhance fashion-mnist-conv-denoising --data fashion-mnist --out noise.png\n"
          "  vaetl-enhance mobilenet-v1-025-imagenet --content photo.jpg --style painting.jpg --out styled.png\n",
      .run = enhance};
  run_program(program, argc, argv);
}
