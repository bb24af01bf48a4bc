// vaetl-compress: pictures in one small file, from which vaetl-decompress makes them again, bit for bit.
#include "vaetl/recipe/compress.hpp"

#include "apps/support/bar.hpp"
#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

// MODEL FILE… or MODEL --data REF.
recipe::StoredPictures pictures_of(const Arguments& arguments, const Model& model) {
  const auto& words = arguments.positional();
  const bool files = words.size() > 1;
  if (files == arguments.has("data")) {
    throw ConfigError({"command line", "pictures: FILE… or --data REF", files ? "both" : "neither", "see --help"});
  }
  for (const char* flag : {"split", "strict"}) {
    if (files && arguments.has(flag)) {
      throw ConfigError({"--" + std::string(flag), "--data REF beside it", "files", "leave it out"});
    }
  }
  if (files) return recipe::read_pictures({words.begin() + 1, words.end()});
  const ScoredData data = scored_data(arguments, model);
  if (data.left_out > 0) {
    throw DataError({arguments.text("data"), "pictures that can all be read",
                     fmt::format("{} that cannot", data.left_out), "mend or remove them: nothing was compressed"});
  }
  const at::Tensor values = data.examples.column("input");
  if (values.scalar_type() == at::kByte) return {values};
  throw DataError({arguments.text("data"), "pictures of bytes", dtype_name(values.scalar_type()),
                   "choose another set: pixels are to come back as they were"});
}

Result compress(const Arguments& arguments) {
  if (arguments.positional().empty()) throw ConfigError({"command line", "MODEL and FILE…", "nothing", "see --help"});
  const std::string reference = arguments.positional()[0], out = arguments.text("out");
  if (out.empty()) throw ConfigError({"command line", "--out FILE", "none", "see --help"});
  set_threads(arguments);
  const Pretrained loaded = load_model(arguments, reference);
  const recipe::StoredPictures pictures = pictures_of(arguments, *loaded.model);
  const std::string bytes = recipe::compress(loaded, pictures, bar_of(arguments, "compress", pictures.values.size(0)));
  write_atomically(out, bytes);
  const std::int64_t count = pictures.values.size(0), pixels = pictures.values.numel();
  const auto size = static_cast<std::int64_t>(bytes.size());
  const double bits = 8.0 * static_cast<double>(size) / static_cast<double>(pixels);
  return {{{"model", reference},
           {"out", out},
           {"pictures", count},
           {"pixels", pixels},
           {"bytes", size},
           {"bits_per_pixel", bits}},
          fmt::format("{} pictures, {} bytes as {}: {:.3f} bits for each of 8\n", thousands(count), thousands(pixels),
                      thousands(size), bits)};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-compress",
      .synopsis =
          "vaetl-compress MODEL FILE… --out FILE [options]\n       vaetl-compress MODEL --data REF --out FILE "
          "[options]",
      .purpose = "stores pictures small and without loss",
      .flags = data_flags({out_flag("FILE", "the compressed file"), model_flag(), threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of a VAE whose\n"
          "likelihood gives each of 256 levels a probability (beta_binomial, discretised_logistic);\n"
          "bernoulli codes pictures of two levels. FILE is one .npy array of uint8, or PNG files, or a\n"
          "folder of them; --data takes the pictures of a set, without labels.\n"
          "The same model on the same kind of machine makes them again, on any number of threads:\n"
          "vaetl-decompress refuses where the processor or LibTorch computes other numbers. So it is\n"
          "for measuring and moving data, not for an archive.\n",
      .example = "  vaetl-compress fashion-mnist-vae --data fashion-mnist --out test.bb\n",
      .run = compress};
  run_program(program, argc, argv);
}
