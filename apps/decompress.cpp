// vaetl-decompress: the pictures that vaetl-compress stored, bit for bit.
#include "apps/support/bar.hpp"
#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/compress.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 36;

recipe::CompressedFile read_compressed(const std::string& file) {
  try {
    return recipe::unpacked(read_file(file, most_bytes), file);
  } catch (const FileError& error) {  // it is data here, and no weights
    throw DataError(error.problem);
  }
}

Result decompress(const Arguments& arguments) {
  const auto& words = arguments.positional();
  if (words.size() != 2) {
    throw ConfigError({"command line", "MODEL and FILE", std::to_string(words.size()) + " words", "see --help"});
  }
  const std::string out = arguments.text("out");
  if (out.empty()) throw ConfigError({"command line", "--out FILE.npy, FOLDER/ or FILE.png", "none", "see --help"});
  set_threads(arguments);
  const recipe::CompressedFile file = read_compressed(words[1]);
  recipe::check_restored_form(out, file.header.shape);
  const recipe::StoredPictures pictures = recipe::decompress(load_model(arguments, words[0]), file,
                                                             bar_of(arguments, "decompress", file.header.shape.at(0)));
  recipe::write_restored(out, pictures);
  const std::int64_t count = pictures.values.size(0);
  return {{{"model", words[0]}, {"out", out}, {"pictures", count}, {"pixels", pictures.values.numel()}},
          fmt::format("{} pictures, {} bytes\n", thousands(count), thousands(pictures.values.numel()))};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-decompress",
      .synopsis = "vaetl-decompress MODEL FILE --out FILE [options]",
      .purpose = "makes again the pictures that vaetl-compress stored",
      .flags = {out_flag("FILE", "FILE.npy: an array; FOLDER/: a PNG file each; FILE.png: of a single picture"),
                model_flag(), threads_flag()},
      .notes =
          "MODEL is the one that compressed them, with the same weights. What comes out is checked\n"
          "against a checksum before it is written. A machine whose processor or LibTorch computes\n"
          "other numbers than where FILE was written is refused: exit code 4, as for other weights.\n",
      .example = "  vaetl-decompress fashion-mnist-vae test.bb --out test.npy\n",
      .run = decompress};
  run_program(program, argc, argv);
}
