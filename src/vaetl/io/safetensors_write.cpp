#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors_format.hpp"

namespace vaetl {
namespace {

namespace st = safetensors;
using Item = std::pair<const std::string, at::Tensor>;
using Ordered = nlohmann::ordered_json;

std::string flaw(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined one";
  if (tensor.layout() != at::kStrided) return "a sparse one";
  if (tensor.device().is_meta()) return "one without data, on the meta device";
  if (st::find_dtype(tensor.scalar_type()) == nullptr) return c10::toString(tensor.scalar_type());
  return {};
}

void check_item(const std::string& where, const Item& item) {
  const auto& [name, tensor] = item;
  if (name.empty() || name == st::metadata_key) {
    throw FileError({.where = where, .expected = "tensors with names of their own", .found = st::in_quotes(name)});
  }
  if (auto found = flaw(tensor); !found.empty()) {
    throw FileError({.where = st::tensor_place(where, name),
                     .expected = "a tensor with data and a dtype out of " + st::dtype_names(),
                     .found = std::move(found)});
  }
}

// Larger elements first, so that each tensor is aligned for its dtype.
std::vector<const Item*> file_order(const std::map<std::string, at::Tensor>& tensors) {
  std::vector<const Item*> order;
  for (const auto& item : tensors) order.push_back(&item);
  auto rank = [](const Item* item) { return st::find_dtype(item->second.scalar_type())->rank; };
  std::stable_sort(order.begin(), order.end(), [&](const Item* a, const Item* b) { return rank(a) > rank(b); });
  return order;
}

// One entry at a time: an object of a million keys would look each one up among all before it.
std::string make_header(const std::string& where, const std::vector<const Item*>& order,
                        const std::map<std::string, std::string>& metadata) try {
  std::string text = "{";
  auto add = [&](std::string_view key, const Ordered& value) {
    text.append(text.size() == 1 ? "" : ",").append(Ordered(key).dump()).append(":").append(value.dump());
  };
  if (!metadata.empty()) add(st::metadata_key, Ordered(metadata));
  std::uint64_t offset = 0;
  for (const Item* item : order) {
    const at::Tensor& tensor = item->second;
    const std::uint64_t end = offset + tensor.nbytes();
    add(item->first, {{"dtype", st::find_dtype(tensor.scalar_type())->name},
                      {"shape", tensor.sizes().vec()},
                      {"data_offsets", {offset, end}}});
    offset = end;
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
} catch (const nlohmann::json::exception&) {
  throw FileError({.where = where, .expected = "names and metadata in UTF-8", .found = "other bytes in one of them"});
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const auto where = path.string();
  for (const auto& item : tensors) check_item(where, item);
  const auto order = file_order(tensors);
  const std::string header = make_header(where, order, metadata);
  const std::uint64_t size = header.size();
  if (size > st::max_header_bytes || order.size() > st::max_tensors) {
    throw FileError(
        {.where = where,
         .expected = fmt::format("a header of at most {} bytes and {} tensors", st::max_header_bytes, st::max_tensors),
         .found = fmt::format("{} bytes and {} tensors", size, order.size())});
  }
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(header);
  for (const Item* item : order) {
    const at::Tensor data = item->second.detach().resolve_neg().cpu().contiguous();
    file.write(data.const_data_ptr(), data.nbytes());
  }
  file.commit();
}

}  // namespace vaetl
