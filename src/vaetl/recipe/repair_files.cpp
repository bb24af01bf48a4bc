#include "vaetl/recipe/repair_files.hpp"

#include <unistd.h>

#include <ATen/ATen.h>

#include <set>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/further_files.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/objectives/picture_corruption.hpp"
#include "vaetl/recipe/repair.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t files_at_once = 4;

// One PNG file, written when it is sure that there is no other, or a folder of them.
class RepairedPictures {
 public:
  explicit RepairedPictures(fs::path out) : out_(std::move(out)), single_(out_.extension() == ".png") {
    if (!single_ && !out_.extension().empty()) {
      throw ConfigError({"--out", "FILE.png or FOLDER/", quote(out_.string()), {}});
    }
    std::error_code ignored;
    if (single_ || !fs::exists(out_, ignored)) return;
    if (fs::is_directory(out_, ignored) && fs::is_empty(out_, ignored)) return;
    throw OutputError({out_.string(), "FILE.png, or a folder that is new or empty", "another", "name another"});
  }

  void add(const std::string& name, const at::Tensor& pixels) {
    if (single_ && only_.defined()) {
      throw ConfigError({"--out", "FOLDER/ for several pictures", quote(out_.string()), {}});
    }
    if (single_) {
      only_ = pixels;
      return;
    }
    if (!folder_) folder_ = std::make_unique<AtomicFolder>(out_);
    write_png(folder_->path() / free_name(fs::path(name).stem().string()), pixels);
  }

  void commit() {
    if (only_.defined()) write_png(out_, only_);
    if (folder_) folder_->commit();
  }

 private:
  std::string free_name(const std::string& stem) {
    std::string name = stem;
    for (int number = 2; !taken_.insert(name).second; ++number) name = fmt::format("{}-{}", stem, number);
    return name + ".png";
  }

  fs::path out_;
  bool single_;
  at::Tensor only_ = {};
  std::unique_ptr<AtomicFolder> folder_ = {};
  std::set<std::string> taken_ = {};
};

class FileRepair {
 public:
  FileRepair(Model& model, const fs::path& out, const RepairFilesOptions& options, const RepairFilesCalls& calls)
      : repairer_(model, "enhance"), options_(options), calls_(calls), pictures_(out) {
    if (options.mask.empty()) return;
    const at::Tensor mask =
        readers::read_picture({.where = options.mask.string(), .path = options.mask}, {.channels = 1});
    missing_ = mask.ge(128).unsqueeze(0).to(repairer_.shades().black.device());
  }

  void add(const Place& place) {
    try {
      const auto stream = readers::further_pictures(place, {.channels = repairer_.shades().channels()});
      for (FurtherExamples some; stream->next(files_at_once, some);) {
        for (const Problem& problem : some.problems) leave_out(problem);
        for (const Problem& problem : some.notes) calls_.note(problem);
        for (std::size_t i = 0; i < some.names.size(); ++i) {
          repair(some.names[i], some.fields.input()[static_cast<std::int64_t>(i)].unsqueeze(0));
        }
      }
    } catch (const DataError& error) {
      leave_out(error.problem);
    }
  }

  RepairedFiles finish() {
    if (held_) throw DataError(*held_);
    if (done_.pictures == 0) {
      throw DataError({"enhance", "a picture that can be repaired", "none", "see what was left out, and why"});
    }
    pictures_.commit();
    return done_;
  }

 private:
  // The first one may be all there is to tell, as an error.
  void leave_out(const Problem& problem) {
    if (options_.strict) throw DataError(problem);
    if (done_.pictures + done_.left_out++ == 0) {
      held_ = problem;
      return;
    }
    tell_held();
    calls_.left_out(problem);
  }

  void tell_held() {
    if (held_) calls_.left_out(*held_);
    held_.reset();
  }

  void repair(const std::string& name, const at::Tensor& pixels) {
    try {
      pictures_.add(name, repairer_.shades().pixels(repaired(name, pixels))[0]);
      tell_held();
      calls_.progress(++done_.pictures);
    } catch (const DataError& error) {
      leave_out(error.problem);
    }
  }

  at::Tensor repaired(const std::string& name, const at::Tensor& pixels) {
    const Shades& shades = repairer_.shades();
    at::Tensor seen = shades.seen(pixels);
    if (options_.doubles) seen = corruptions::doubled_picture(seen, 2 * seen.size(2), 2 * seen.size(3));
    if (!missing_.defined()) return repairer_.repair(seen, name);
    if (missing_.sizes().slice(2) != seen.sizes().slice(2)) {
      throw DataError({name,
                       fmt::format("a picture of the mask's {}×{} pixels", missing_.size(3), missing_.size(2)),
                       fmt::format("{}×{}", seen.size(3), seen.size(2)),
                       {}});
    }
    const at::Tensor painted = at::where(missing_, (shades.black + shades.white) / 2, seen);
    return at::where(missing_, repairer_.repair(painted, name), seen);
  }

  Repairer repairer_;
  RepairFilesOptions options_;
  const RepairFilesCalls& calls_;
  RepairedPictures pictures_;
  at::Tensor missing_ = {};  // bool (1, 1, H, W)
  RepairedFiles done_ = {};
  std::optional<Problem> held_ = {};
};

}  // namespace

RepairedFiles repair_files(Model& model, const std::vector<std::string>& files, const fs::path& out,
                           const RepairFilesOptions& options, const RepairFilesCalls& calls) {
  FileRepair work(model, out, options, calls);
  for (const std::string& file : files) {
    Place place;
    if (file == "-") place.descriptor = STDIN_FILENO;
    if (file != "-") place.path = file;
    work.add(place);
  }
  return work.finish();
}

}  // namespace vaetl::recipe
