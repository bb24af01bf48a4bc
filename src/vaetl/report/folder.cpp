#include "vaetl/report/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t largest_file = std::size_t{256} << 20;

// What is wrong with a file that a run wrote is not the recipe's fault.
Json parse_file_text(std::string_view text, const std::string& where) {
  try {
    return parse_json(text, where, {.bytes = largest_file});
  } catch (const ConfigError& error) {
    throw FileError(error.problem);
  }
}

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Json read_if_there(const fs::path& path) {
  return present(path) ? parse_file_text(read_file(path, largest_file), path.string()) : Json();
}

std::vector<Json> read_log(const fs::path& path) {
  std::vector<Json> result;
  if (!present(path)) return result;
  const std::string text = read_file(path, largest_file);
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view content = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      result.push_back(parse_file_text(content, fmt::format("{}, line {}", path.string(), line + 1)));
    } catch (const FileError&) {
      if (end < text.size()) throw;
    }
  }
  return result;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// The size stands in the first chunk, which is always IHDR.
void read_size(Picture& picture, const std::string& where) {
  constexpr std::string_view begin("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  const std::string_view bytes = picture.bytes;
  const std::uint32_t most = 1u << 20;
  if (bytes.size() < 33 || !bytes.starts_with(begin) || big_endian(bytes, 16) > most || big_endian(bytes, 20) > most) {
    throw FileError({where, "a PNG picture", "other bytes", "remove the file from the folder"});
  }
  picture.width = static_cast<int>(big_endian(bytes, 16));
  picture.height = static_cast<int>(big_endian(bytes, 20));
}

std::set<std::string> png_names(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".png") names.insert(entry.path().filename().string());
  }
  return names;
}

// "epoch-12.png" → 12: what the callback `pictures` drew while the model was trained.
std::optional<std::int64_t> epoch_of(const std::string& name) {
  constexpr std::string_view begin = "epoch-", end = ".png";
  if (!name.starts_with(begin) || !name.ends_with(end)) return std::nullopt;
  std::int64_t epoch = 0;
  const char *first = name.data() + begin.size(), *last = name.data() + name.size() - end.size();
  const auto [stop, error] = std::from_chars(first, last, epoch);
  return error == std::errc{} && stop == last ? std::optional(epoch) : std::nullopt;
}

// A page shows at most six of them, evenly spread, the first and the last among them. They are taken out of `names`.
std::vector<std::int64_t> shown_epochs(std::set<std::string>& names) {
  constexpr std::size_t most = 6;
  std::set<std::int64_t> epochs;
  for (const std::string& name : names) {
    if (const auto epoch = epoch_of(name)) epochs.insert(*epoch);
  }
  std::erase_if(names, [](const std::string& name) { return epoch_of(name).has_value(); });
  const std::vector<std::int64_t> all(epochs.begin(), epochs.end());
  if (all.size() <= most) return all;
  std::vector<std::int64_t> shown;
  for (std::size_t i = 0; i < most; ++i) shown.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return shown;
}

// In the order of captions.json, then those of epochs, then those without a caption by name.
std::vector<Picture> read_pictures(const fs::path& folder) {
  std::set<std::string> names = png_names(folder);
  std::vector<Picture> result;
  const auto add = [&](const std::string& name, std::string caption) {
    Picture picture{name, std::move(caption), read_file(folder / name, largest_file)};
    read_size(picture, (folder / name).string());
    result.push_back(std::move(picture));
  };
  if (const Json captions = read_if_there(folder / "captions.json"); !captions.is_null()) {
    const JsonView view(captions, (folder / "captions.json").string());
    for (const auto& [name, unread] : captions.items()) {
      if (names.erase(name) > 0) add(name, view.text(name));
    }
  }
  for (const std::int64_t epoch : shown_epochs(names)) {
    add(fmt::format("epoch-{}.png", epoch), fmt::format("After epoch {}.", epoch));
  }
  for (const std::string& name : names) add(name, fs::path(name).stem().string());
  return result;
}

[[noreturn]] void fail_kind(const fs::path& path) {
  throw FileError({path.string(), "a run folder (with run.json) or a sweep folder (with sweep.json)",
                   present(path) ? "neither file" : "no such folder", "give the folder that a run wrote"});
}

}  // namespace

JsonView ReportFolder::view_of(const std::string& key) const {
  static const Json none = Json::object();
  return JsonView(views.is_null() ? none : views, (path / "views.json").string()).object(key);
}

ReportFolder read_folder(const fs::path& path) {
  const bool sweep = present(path / "sweep.json");
  if (!sweep && !present(path / "run.json")) fail_kind(path);
  ReportFolder folder;
  folder.kind = sweep ? ReportFolder::Kind::sweep : ReportFolder::Kind::run;
  folder.path = path;
  folder.summary = read_if_there(path / (sweep ? "sweep.json" : "run.json"));
  folder.recipe = read_if_there(path / "recipe.json");
  folder.log = sweep ? std::vector<Json>{} : read_log(path / "metrics.jsonl");
  folder.pictures = read_pictures(path / "pictures");
  folder.views = read_if_there(path / "views.json");
  folder.name = folder.view().text("name");
  if (folder.name.empty()) folder.name = fs::path(path / "").parent_path().filename().string();
  return folder;
}

}  // namespace vaetl
