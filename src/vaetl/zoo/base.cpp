#include "vaetl/zoo/base.hpp"

#include <cstring>
#include <optional>

#include "vaetl/core/text.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

constexpr double least_shared = 0.1;  // of the values; less is no delta, and a slip in the base's name

// Where an entry of this name may lie: beside the one that needs it, then along the search path.
std::vector<fs::path> base_folders(const std::string& name, const fs::path& folder) {
  std::vector<fs::path> all = {fs::absolute(folder).parent_path() / name};
  for (const fs::path& place : search_path()) all.push_back(place / name);
  std::error_code ignored;
  std::erase_if(all, [&](const fs::path& place) { return !fs::is_regular_file(place / card_file, ignored); });
  return all;
}

std::vector<std::string> known_entries() {
  std::vector<std::string> names;
  for (const Found& found : list()) names.push_back(found.name);
  return names;
}

[[noreturn]] void throw_no_base(const BaseCard& base, const std::string& where) {
  const auto names = known_entries();
  throw FileError({where + ": base",
                   fmt::format("the zoo entry {}, which has the rest of the weights", quote(base.name)),
                   "none of that name",
                   "put it beside this entry, or into a folder of VAETL_ZOO" +
                       (names.empty() ? "" : " (known: " + join(names) + ")")});
}

// The first of that name whose weights are those that the delta was made against.
fs::path base_file(const BaseCard& base, const fs::path& folder, const std::string& where) {
  const auto folders = base_folders(base.name, folder);
  if (folders.empty()) throw_no_base(base, where);
  std::string found;
  for (const fs::path& place : folders) {
    const Card card = read_card(place);
    const fs::path file = place / card.weights.file;
    const std::string sha256 = card.base ? "a delta itself" : sha256_file(file);
    if (sha256 == base.sha256) return file;
    if (found.empty()) found = fmt::format("{} in {}", sha256, file.string());
  }
  throw FileError({where + ": base", fmt::format("weights of {} with sha256 {}", quote(base.name), base.sha256), found,
                   "get the version of it that this entry was made from"});
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  const at::Tensor left = a.cpu().contiguous(), right = b.contiguous();
  return std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

}  // namespace

std::size_t add_base(Weights& weights, const Model& model, const BaseCard& base, const fs::path& folder,
                     const std::string& where) {
  const TensorFile whole = read_safetensors(base_file(base, folder, where));
  std::size_t added = 0;
  for (const auto& [name, tensor] : state(model)) {
    const auto found = whole.tensors.find(name);
    if (found != whole.tensors.end()) added += weights.emplace(name, found->second).second ? 1 : 0;
  }
  return added;
}

BaseCard choose_base(const std::string& reference, std::string_view name, const fs::path& folder,
                     const std::string& where) {
  const std::string base = reference.starts_with("zoo:") ? reference.substr(4) : reference;
  const std::string expected = "a zoo entry that has the rest of the weights";
  const auto folders = is_entry_name(base) ? base_folders(base, folder) : std::vector<fs::path>{};
  if (folders.empty()) {
    throw ConfigError({where + ": base_model", expected, base.empty() ? "none" : quote(base),
                       "name one; what is no entry yet becomes one by vaetl-zoo add"});
  }
  if (base == name) throw ConfigError({where + ": base_model", "an entry of another name", quote(base), {}});
  const Card card = read_card(folders.front());
  if (card.base) {
    throw ConfigError({where + ": base_model", expected, quote(base) + ", a delta itself",
                       "name its base " + quote(card.base->name)});
  }
  return {base, card.weights.sha256};
}

Weights without_base(Weights weights, const BaseCard& base, const fs::path& folder, const std::string& where) {
  const TensorFile whole = read_safetensors(base_file(base, folder, where));
  double all = 0, shared = 0;
  std::erase_if(weights, [&](const auto& item) {
    const auto found = whole.tensors.find(item.first);
    const bool same = found != whole.tensors.end() && same_bits(item.second, found->second);
    all += static_cast<double>(item.second.numel());
    shared += same ? static_cast<double>(item.second.numel()) : 0;
    return same;
  });
  if (shared >= least_shared * all) return weights;
  throw ConfigError({where + ": base_model", "at least a tenth of the values in common with " + quote(base.name),
                     fmt::format("{:.1f} %", 100 * shared / all),
                     "save it whole, or name the entry that it was transferred from"});
}

}  // namespace vaetl::zoo
