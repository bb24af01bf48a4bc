#include "vaetl/train/checkpoint.hpp"

#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t kFormat = 1;

constexpr auto kAveraged = "averaged.safetensors";

std::string optimizer_file(const std::string& update) { return "optimizer." + update + ".safetensors"; }

Json describe(const Model& model) { return Json{{"name", model.spec().name}, {"options", model.spec().options}}; }

Json read_state(const std::filesystem::path& folder) {
  try {
    return parse_json(read_file(folder / "state.json"), (folder / "state.json").string());
  } catch (const ConfigError& error) {
    throw FileError(error.problem);
  }
}

void check_state(const Json& state, const std::filesystem::path& folder, const Model& model) {
  const std::string where = (folder / "state.json").string();
  const auto format = state.find("format");
  if (format == state.end() || *format != kFormat) {
    throw FileError({where, fmt::format("a checkpoint of format {}", kFormat),
                     format == state.end() ? "none" : format->dump(), "it was written by another version"});
  }
  if (state.at("model") != describe(model)) {
    throw FileError({where, "a checkpoint of " + describe(model).dump(), state.at("model").dump(),
                     "choose another run folder, or train this model afresh"});
  }
}

void load_averaged(const std::filesystem::path& file, const Trained& trained) {
  if (!trained.averaged) return;
  if (!std::filesystem::exists(file)) {
    throw FileError({file.string(), "averaged weights", "none: this training kept none",
                     "resume without trainer.ema_decay, or train afresh"});
  }
  load_strict(*trained.averaged, read_safetensors(file).tensors, file.parent_path().string());
}

}  // namespace

void save_checkpoint(const std::filesystem::path& folder, const Trained& trained, Json state) {
  state["format"] = kFormat;
  state["model"] = describe(trained.model);
  state["preprocess"] = trained.model.preprocess();
  AtomicFolder target(folder);
  write_safetensors(target.path() / "model.safetensors", vaetl::state(trained.model));
  if (trained.averaged) write_safetensors(target.path() / kAveraged, vaetl::state(*trained.averaged));
  write_safetensors(target.path() / "objective.safetensors", vaetl::state(trained.objective));
  for (std::size_t i = 0; i < trained.updates.size(); ++i) {
    write_safetensors(target.path() / optimizer_file(trained.updates[i]), trained.optimizers[i]->state());
  }
  write_atomically(target.path() / "state.json", state.dump());
  target.commit();
}

Json load_checkpoint(const std::filesystem::path& folder, const Trained& trained) {
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

bool has_checkpoint(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / "state.json", ignored);
}

}  // namespace vaetl
