#include "vaetl/train/checkpoint.hpp"

#include <charconv>

#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl {
namespace {

namespace fs = std::filesystem;

// 2: halvings of the rate after divergences. A program of format 1 would ignore them; its checkpoints have none.
constexpr std::int64_t kFormat = 2;

constexpr auto kAveraged = "averaged.safetensors";

constexpr std::string_view kNumbered = "step-";

// Checkpoints by their number of steps.
std::map<std::int64_t, fs::path> numbered_in(const fs::path& folder) {
  std::map<std::int64_t, fs::path> result;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kNumbered)) continue;
    std::int64_t step = 0;
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + kNumbered.size(), end, step).ptr == end) result[step] = entry.path();
  }
  return result;
}

std::string optimizer_file(const std::string& update) { return "optimizer." + update + ".safetensors"; }

Json describe(const Model& model) { return Json{{"name", model.spec().name}, {"options", model.spec().options}}; }

// As this version describes it, options that it knows and the checkpoint's version did not included.
Json described_now(const Json& description) {
  try {
    const ModelSpec spec =
        complete({description.at("name").get<std::string>(), description.at("options")}, "checkpoint");
    return Json{{"name", spec.name}, {"options", spec.options}};
  } catch (const Error&) {
    return description;
  }
}

Json read_state(const fs::path& folder) {
  try {
    return parse_json(read_file(folder / "state.json"), (folder / "state.json").string());
  } catch (const ConfigError& error) {
    throw FileError(error.problem);
  }
}

void check_state(const Json& state, const fs::path& folder, const Model& model) {
  const std::string where = (folder / "state.json").string();
  const Json format = state.value("format", Json());
  if (!format.is_number_integer() || format < 1 || format > kFormat) {
    const bool newer = format.is_number_integer() && format > kFormat;
    throw FileError({where, fmt::format("a checkpoint of format 1 to {}", kFormat),
                     format.is_null() ? "none" : "format " + format.dump(),
                     newer ? "a newer version of vaetl wrote it: go on with that one" : "train afresh"});
  }
  if (described_now(state.at("model")) != describe(model)) {
    throw FileError({where, "a checkpoint of " + describe(model).dump(), state.at("model").dump(),
                     "choose another run folder, or train this model afresh"});
  }
}

void load_averaged(const fs::path& file, const Trained& trained) {
  if (!trained.averaged) return;
  if (!fs::exists(file)) {
    throw FileError({file.string(), "averaged weights", "none: this training kept none",
                     "resume without trainer.ema_decay, or train afresh"});
  }
  load_strict(*trained.averaged, read_safetensors(file).tensors, file.parent_path().string());
}

}  // namespace

Weights copy_to_host(const Weights& weights) {
  Weights copies;
  for (const auto& [name, tensor] : weights) {
    copies[name] = tensor.detach().to(at::kCPU, tensor.scalar_type(), false, true, at::MemoryFormat::Contiguous);
  }
  return copies;
}

Snapshot take_snapshot(const Trained& trained, Json state) {
  state["format"] = kFormat;
  state["model"] = describe(trained.model);
  state["preprocess"] = trained.model.preprocess();
  Snapshot snapshot;
  snapshot.tensors["model.safetensors"] = copy_to_host(vaetl::state(trained.model));
  if (trained.averaged) snapshot.tensors[kAveraged] = copy_to_host(vaetl::state(*trained.averaged));
  snapshot.tensors["objective.safetensors"] = copy_to_host(vaetl::state(trained.objective));
  for (std::size_t i = 0; i < trained.updates.size(); ++i) {
    snapshot.tensors[optimizer_file(trained.updates[i])] = copy_to_host(trained.optimizers[i]->state());
  }
  snapshot.texts["state.json"] = state.dump();
  return snapshot;
}

void write_snapshot(const fs::path& folder, const Snapshot& snapshot) {
  AtomicFolder target(folder);
  for (const auto& [file, tensors] : snapshot.tensors) write_safetensors(target.path() / file, tensors);
  for (const auto& [file, text] : snapshot.texts) write_atomically(target.path() / file, text);
  target.commit();
}

Json load_checkpoint(const fs::path& folder, const Trained& trained) {
  Json state = read_state(folder);
  try {
    check_state(state, folder, trained.model);
    const std::string where = folder.string();
    load_strict(trained.model, read_safetensors(folder / "model.safetensors").tensors, where);
    load_averaged(folder / kAveraged, trained);
    load_strict(trained.objective, read_safetensors(folder / "objective.safetensors").tensors, where);
    const c10::Device device = device_of(trained.model);
    for (std::size_t i = 0; i < trained.updates.size(); ++i) {
      auto moments = read_safetensors(folder / optimizer_file(trained.updates[i])).tensors;
      // A copy: the file is mapped, and the next checkpoint replaces it.
      for (auto& [name, tensor] : moments) tensor = tensor.to(device, tensor.scalar_type(), false, true);
      trained.optimizers[i]->load_state(moments);
    }
    trained.model.set_preprocess(state.at("preprocess"));
  } catch (const nlohmann::json::exception&) {
    throw FileError({(folder / "state.json").string(), "the state of a checkpoint", "other JSON", "train afresh"});
  }
  return state;
}

void keep_numbered(const fs::path& last, std::int64_t step, std::int64_t keep) {
  const fs::path parent = last.parent_path();
  AtomicFolder target(parent / fmt::format("{}{}", kNumbered, step));
  for (const auto& file : fs::directory_iterator(last)) {
    const fs::path link = target.path() / file.path().filename();
    std::error_code error;
    fs::create_hard_link(file.path(), link, error);  // files of a checkpoint are replaced, never changed
    if (error) fs::copy_file(file.path(), link, error);
    if (error) throw OutputError({link.string(), "to write it", error.message(), {}});
  }
  target.commit();
  auto numbered = numbered_in(parent);
  const auto drop = [&](auto at) {
    std::error_code ignored;
    fs::remove_all(at->second, ignored);
    return numbered.erase(at);
  };
  // Later steps are of a way that was given up, by a rewind or a new start.
  for (auto at = numbered.upper_bound(step); at != numbered.end();) at = drop(at);
  while (static_cast<std::int64_t>(numbered.size()) > keep) {
    drop(numbered.begin());
  }
}

void remove_unfinished(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (glob_match(".vaetl-*.tmp", entry.path().filename().string())) left.push_back(entry.path());
  }
  for (const auto& path : left) fs::remove_all(path, ignored);
}

bool has_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "state.json", ignored);
}

}  // namespace vaetl
