#include "vaetl/data/readers/folder.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/decoded.hpp"
#include "vaetl/data/readers/further_files.hpp"
#include "vaetl/data/transforms/resize.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

// What further files need to be read alike; decode_pictures completes it.
Json spec_of(Folder::Options options, const std::vector<std::string>& classes) {
  options.classes = classes;
  const Json all = to_json(options);
  Json spec{{"name", Folder::name}};
  for (const char* key : {"classes", "channels", "size", "resize", "fit", "filter"}) spec[key] = all.at(key);
  return spec;
}

}  // namespace

void Folder::Options::validate() const {
  auto refuse = [](const char* option, std::string expected, std::string found) {
    throw ConfigError({std::string("folder.") + option, std::move(expected), std::move(found), {}});
  };
  if (channels == 2) refuse("channels", "0, 1, 3 or 4", "2");
  if (!size.empty()) transforms::check_image_size("folder.size", size);
  if (size.empty() && fit != "crop") refuse("fit", "crop where no size is given", quote(fit));
  if (resize > 0 && fit != "crop") refuse("resize", "0 where fit is " + quote(fit), fmt::format("{}", resize));
  if (resize > 0 && !size.empty() && resize < std::max(size[0], size[1])) {
    refuse("resize", fmt::format("at least {}, the longer side of size", std::max(size[0], size[1])),
           fmt::format("{}", resize));
  }
  if (!test.empty() && test_share > 0) refuse("test_share", "0 beside test", fmt::format("{}", test_share));
}

std::unique_ptr<FurtherStream> Folder::further(const Place& place) const {
  return further_pictures(place, {options_.channels, options_.resize, options_.size, options_.fit, options_.filter});
}

Splits Folder::open(const fs::path& path, const Reading& reading) const {
  Skips skips(reading);
  const std::uint64_t memory = static_cast<std::uint64_t>(options_.memory) << 20;
  const FileSearch search{
      .classes = options_.classes, .files = options_.files, .target = options_.target, .memory = memory};
  LabelledFiles found = find_labelled_files(path, search, options_.test, options_.test_share, name, reading, skips);
  DatasetInfo info = reading.about;
  if (info.classes.size() != found.classes.size()) info.classes = found.classes;
  info.reader = spec_of(options_, found.classes);
  const PictureFit fit{options_.channels, options_.resize, options_.size, options_.fit, options_.filter};
  return decode_pictures(std::move(found), fit, {memory, options_.check}, std::move(info), path.string(), skips);
}

}  // namespace vaetl::readers
