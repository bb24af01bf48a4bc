// The format before PyTorch 1.6, one stream: a magic number, the protocol's version, facts of the machine, the object,
// the keys of its storages (a pickle each), then for each key the number of elements (8 bytes) and the elements.
#include <cstring>
#include <unordered_map>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/pytorch_format.hpp"

namespace vaetl::pytorch {
namespace {

// The number 0x1950a86a20f9469cfc6c as a pickle holds it, behind at most a few bytes of instructions.
constexpr std::string_view magic_number("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t protocol_version = 1001;

class Stream {
 public:
  Stream(std::string_view file, const std::string& where) : rest_(file), where_(where) {}

  pickle::Document next() {
    pickle::Document document = pickle::parse(rest_, where_);
    rest_.remove_prefix(document.size);
    return document;
  }
  void check_magic() {
    const std::string_view begin = rest_;
    const auto number = next();
    if (begin.substr(0, number.size).find(magic_number) != std::string_view::npos) return;
    refuse("a file of torch.save", "another pickle", "write the weights with torch.save, or as safetensors");
  }
  void check_protocol();
  void check_machine();
  std::string_view elements(const pickle::Storage& storage);
  void check_end() const {
    if (!rest_.empty()) refuse("the end of the file after the last storage", fmt::format("{} bytes", rest_.size()));
  }
  [[noreturn]] void refuse(std::string expected, std::string found, std::string remedy = {}) const {
    throw FileError({where_, std::move(expected), std::move(found), std::move(remedy)});
  }

 private:
  std::string_view rest_;
  const std::string& where_;
};

void Stream::check_protocol() {
  const auto document = next();
  const auto* version = document.get<std::int64_t>(document.root);
  if (version != nullptr && *version == protocol_version) return;
  refuse(fmt::format("the format version {}", protocol_version),
         version == nullptr ? "another value" : std::to_string(*version));
}

void Stream::check_machine() {
  const auto document = next();
  const auto* facts = document.get<pickle::Dict>(document.root);
  for (std::size_t i = 0; facts != nullptr && i + 1 < facts->items.size(); i += 2) {
    const auto* key = document.get<pickle::Text>(facts->items[i]);
    const auto* little = document.get<bool>(facts->items[i + 1]);
    if (key == nullptr || key->value != "little_endian" || little == nullptr) continue;
    if (*little) return;
    refuse("the byte order \"little\"", "\"big\"");
  }
  refuse("the byte order of the machine that wrote the file", "none");
}

std::string_view Stream::elements(const pickle::Storage& storage) {
  const std::uint64_t element = storage.dtype == at::ScalarType::Undefined ? 1 : c10::elementSize(storage.dtype);
  std::uint64_t count = 0;
  const bool told = rest_.size() >= sizeof count;
  if (told) std::memcpy(&count, rest_.data(), sizeof count);
  rest_.remove_prefix(told ? sizeof count : 0);
  if (!told || count != storage.bytes / element || storage.bytes > rest_.size()) {
    refuse(fmt::format("{} bytes for the storage {}", storage.bytes, quote(storage.key)),
           told && count != storage.bytes / element ? fmt::format("{} elements", count)
                                                    : fmt::format("{} bytes until the end", rest_.size()),
           "the file is damaged: get it again");
  }
  const auto bytes = rest_.substr(0, storage.bytes);
  rest_.remove_prefix(storage.bytes);
  return bytes;
}

using Indices = std::unordered_map<std::string_view, std::size_t>;

// The storages in the order in which their bytes follow.
std::vector<std::size_t> storage_order(Stream& stream, const pickle::Document& document) {
  Indices indices;
  for (std::size_t i = 0; i < document.storages.size(); ++i) indices.emplace(document.storages[i].key, i);
  const auto keys = stream.next();
  const auto* list = keys.get<pickle::List>(keys.root);
  const std::size_t count = list == nullptr ? 0 : list->items.size();
  if (count != indices.size()) {
    stream.refuse(fmt::format("the keys of {} storages", indices.size()), std::to_string(count),
                  "the file is damaged: get it again");
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* key = keys.get<pickle::Text>(list->items[i]);
    const auto found = key == nullptr ? indices.end() : indices.find(key->value);
    if (found == indices.end()) stream.refuse("every storage once", "another key", "the file is damaged: get it again");
    order.push_back(found->second);
    indices.erase(found);
  }
  return order;
}

}  // namespace

// A safetensors file may begin with the same two bytes, which there are a part of the header's size.
bool is_stream(std::string_view file) {
  using namespace std::string_view_literals;
  const bool pickle = file.size() > 4 && file[0] == '\x80' && file[1] >= 2 && file[1] <= 5;
  return pickle && file.substr(4, 5) != "\0\0\0\0{"sv;
}

Content read_stream(std::string_view file, const std::string& where) {
  Stream stream(file, where);
  stream.check_magic();
  stream.check_protocol();
  stream.check_machine();
  Content content{.document = stream.next()};
  content.storages.resize(content.document.storages.size());
  for (const std::size_t i : storage_order(stream, content.document)) {
    content.storages[i] = {stream.elements(content.document.storages[i]).data()};
  }
  stream.check_end();
  return content;
}

}  // namespace vaetl::pytorch
