// Files of torch.save's older format, put together by hand.
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vaetl::testing::hand {

inline std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string result;
  for (std::size_t i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i) & 0xff);
  return result;
}

inline std::string text(const std::string& value) { return "X" + little_endian(value.size(), 4) + value; }

inline std::string number(std::int64_t value) {
  return std::string("\x8a\x08", 2) + little_endian(static_cast<std::uint64_t>(value), 8);
}

inline std::string tuple(const std::vector<std::string>& items) {
  std::string result = "(";
  for (const std::string& item : items) result += item;
  return result + "t";
}

inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string result = "}(";
  for (const auto& [key, value] : items) result += text(key) + value;
  return result + "u";
}

inline std::string global(const std::string& module, const std::string& name) {
  std::string text = "c";  // appended to: GCC 12 warns of overlaps in a chain of + that there are not
  return text.append(module).append("\n").append(name).append("\n");
}

inline std::string storage(const std::string& key, std::int64_t elements, const std::string& type = "FloatStorage") {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), number(elements), "N"}) + "Q";
}

inline std::string tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& sizes,
                          const std::vector<std::int64_t>& strides) {
  std::vector<std::string> size_items, stride_items;
  for (const std::int64_t size : sizes) size_items.push_back(number(size));
  for (const std::int64_t stride : strides) stride_items.push_back(number(stride));
  return global("torch._utils", "_rebuild_tensor") +
         tuple({storage, number(offset), tuple(size_items), tuple(stride_items)}) + "R";
}

// The whole file. `object` lacks its first two and its last byte; each storage has its key and its bytes, of floats.
inline std::string stream(const std::string& object,
                          const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  const std::string begin("\x80\x02", 2);
  std::string keys = "](", data;
  for (const auto& [key, bytes] : storages) {
    keys += text(key);
    data += little_endian(bytes.size() / sizeof(float), 8) + bytes;
  }
  const std::string magic = begin + std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
  const std::string facts = begin + "}" + text("little_endian") + "\x88" + "s.";
  return magic + begin + number(1001) + "." + facts + begin + object + "." + begin + keys + "e." + data;
}

// Four floats: 1, 2, 3, 4 under the key "0".
inline std::pair<std::string, std::string> four_floats() {
  constexpr float values[] = {1, 2, 3, 4};
  return {"0", std::string(reinterpret_cast<const char*>(values), sizeof values)};
}

// {"w": ones, "x": value}: a file that would be read but for the value.
inline std::string beside_tensor(const std::string& value) {
  return stream(dict({{"w", tensor(storage("0", 4), 0, {2}, {1})}, {"x", value}}), {four_floats()});
}

// {"epoch": 3, "state_dict": {prefix + name: tensor}} of the tensors of floats among `weights`, as PyTorch 0.4 and
// before wrote them: without counters of batches.
inline std::string checkpoint(const std::map<std::string, at::Tensor>& weights, const std::string& prefix = {}) {
  std::vector<std::pair<std::string, std::string>> items, storages;
  for (const auto& [name, tensor] : weights) {
    if (tensor.scalar_type() != at::kFloat) continue;
    const at::Tensor own = tensor.detach().cpu().contiguous();
    const std::string key = std::to_string(storages.size());
    storages.emplace_back(key, std::string(static_cast<const char*>(own.const_data_ptr()), own.nbytes()));
    items.emplace_back(prefix + name,
                       hand::tensor(storage(key, own.numel()), 0, own.sizes().vec(), own.strides().vec()));
  }
  return stream(dict({{"epoch", number(3)}, {"state_dict", dict(items)}}), storages);
}

}  // namespace vaetl::testing::hand
