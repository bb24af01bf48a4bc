#include "vaetl/io/pytorch.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>
#include <unordered_set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/descriptor.hpp"
#include "vaetl/io/mapping.hpp"
#include "vaetl/io/pytorch_format.hpp"

namespace vaetl {
namespace pytorch {
namespace {

using pickle::Id;

// Bytes beyond the file's own, of tensors made contiguous; bytes of names and plain values, written out.
constexpr std::uint64_t most_copied = std::uint64_t{1} << 28, most_written = std::uint64_t{1} << 26;
constexpr std::size_t deepest = 64;

// Makes the tensors that are asked for, over the map of the file.
class Tensors {
 public:
  Tensors(const Content& content, std::shared_ptr<Mapping> mapping, const std::string& where)
      : content_(content), mapping_(std::move(mapping)), where_(where), bytes_(content.storages.size()) {
    left_ = mapping_->bytes().size() + most_copied;
  }

  at::Tensor make(const pickle::Tensor& tensor) {
    const auto options = at::TensorOptions().dtype(tensor.dtype);
    if (tensor.elements == 0) return at::empty(tensor.sizes, options);
    const auto& [begin, owner] = bytes_of(tensor.storage);
    auto view = at::from_blob(
        begin + tensor.offset, tensor.sizes, tensor.strides, [owner = owner](void*) {}, options);
    if (view.is_contiguous()) return view;
    spend(static_cast<std::uint64_t>(tensor.elements) * c10::elementSize(tensor.dtype));
    return view.contiguous();
  }

 private:
  struct Data {
    char* begin = nullptr;
    std::shared_ptr<const void> owner = {};
  };

  // Checked when it is first asked for, and copied then where its address does not allow every type.
  const Data& bytes_of(std::size_t index) {
    Data& data = bytes_[index];
    if (data.begin != nullptr) return data;
    const pickle::Storage& storage = content_.document.storages[index];
    const std::string place = fmt::format("{}: storage {}", where_, quote(storage.key));
    const std::string_view raw(content_.storages[index].begin, storage.bytes);
    check_bytes(raw, content_.storages[index].checksum, place);
    if (storage.dtype == at::kBool) check_booleans(raw, place);
    const auto offset = static_cast<std::size_t>(raw.data() - mapping_->data());
    if (reinterpret_cast<std::uintptr_t>(raw.data()) % alignof(std::max_align_t) == 0) {
      return data = {mapping_->data() + offset, mapping_};
    }
    const auto copy = std::make_shared<at::Tensor>(at::empty({static_cast<std::int64_t>(raw.size())}, at::kByte));
    std::memcpy(copy->data_ptr(), raw.data(), raw.size());
    return data = {static_cast<char*>(copy->data_ptr()), copy};
  }

  // A bool that is neither 0 nor 1 is undefined behaviour in every kernel that reads it.
  static void check_booleans(std::string_view bytes, const std::string& place) {
    const auto wrong = std::find_if(bytes.begin(), bytes.end(), [](char byte) { return byte != 0 && byte != 1; });
    if (wrong == bytes.end()) return;
    throw FileError(
        {place, "booleans of 0 or 1",
         fmt::format("{} at byte {}", static_cast<unsigned>(static_cast<unsigned char>(*wrong)), wrong - bytes.begin()),
         "the file is damaged: get it again"});
  }

  // A small storage can be spread over any number of elements.
  void spend(std::uint64_t bytes) {
    if (bytes <= left_) {
      left_ -= bytes;
      return;
    }
    throw FileError(
        {where_, "tensors of about the size of the file", fmt::format("a spread one of {} bytes", bytes), {}});
  }

  const Content& content_;
  std::shared_ptr<Mapping> mapping_;
  const std::string& where_;
  std::vector<Data> bytes_;
  std::uint64_t left_ = 0;
};

// Walks through everything once: tensors of the chosen dict and plain values of all.
class Collector {
 public:
  Collector(const Content& content, const Chosen& chosen, Tensors& tensors, const std::string& where)
      : document_(content.document), chosen_(chosen), tensors_(tensors), where_(where) {}

  PytorchFile collect() && {
    walk(document_.root, 0);
    result_.key = chosen_.path;
    return std::move(result_);
  }

 private:
  void walk(Id id, std::size_t depth) {
    if (depth > deepest) refuse(fmt::format("at most {} levels of nesting", deepest));
    spend(path_.size() + 64);
    const bool enter = !inside_ && id == chosen_.dict && path_ == chosen_.path;
    if (enter) {
      inside_ = true;
      name_at_ = path_.empty() ? 0 : path_.size() + 1;
    }
    if (const auto* dict = document_.get<pickle::Dict>(id)) {
      for (std::size_t i = 0; i + 1 < dict->items.size(); i += 2)
        child(dict->items[i], i / 2, dict->items[i + 1], depth);
    } else if (const auto* list = document_.get<pickle::List>(id)) {
      for (std::size_t i = 0; i < list->items.size(); ++i) child(no_key, i, list->items[i], depth);
    } else if (const auto* tuple = document_.get<pickle::Tuple>(id)) {
      for (std::size_t i = 0; i < tuple->items.size(); ++i) child(no_key, i, tuple->items[i], depth);
    } else {
      leaf(id);
    }
    if (enter) inside_ = false;
  }

  void child(Id key, std::size_t index, Id value, std::size_t depth) {
    const std::size_t size = path_.size();
    path_ += (size == 0 ? "" : ".") + path_part(document_, key, index);
    walk(value, depth + 1);
    path_.resize(size);
  }

  void leaf(Id id) {
    if (const auto* tensor = document_.get<pickle::TensorAt>(id)) return inside_ ? add_tensor(tensor->index) : void();
    if (document_.get<pickle::StorageAt>(id)) {
      throw FileError({where_, "tensors and plain data", "a storage alone: " + quote(path_), "save a tensor over it"});
    }
    result_.values[path_] = plain(id);
  }

  void add_tensor(std::size_t index) {
    const std::string name = path_.substr(std::min(name_at_, path_.size()));
    const bool fresh = result_.tensors.emplace(name, tensors_.make(document_.tensors[index])).second;
    result_.order.push_back(name);
    if (fresh && !name.empty()) return;
    throw FileError(
        {where_, "tensors with names of their own", name.empty() ? "one without a name" : quote(name) + " twice", {}});
  }

  Json plain(Id id) {
    if (const auto* flag = document_.get<bool>(id)) return *flag;
    if (const auto* integer = document_.get<std::int64_t>(id)) return *integer;
    if (const auto* real = document_.get<double>(id)) return *real;
    if (const auto* text = document_.get<pickle::Text>(id)) {
      spend(text->value.size());
      return std::string(text->value);
    }
    if (const auto* bytes = document_.get<pickle::Bytes>(id)) {
      spend(bytes->value.size());
      return Json::binary({bytes->value.begin(), bytes->value.end()});
    }
    if (const auto* global = document_.get<pickle::Global>(id)) return std::string(pickle::name_of(*global));
    return {};
  }

  void spend(std::uint64_t bytes) {
    written_ += bytes;
    if (written_ > most_written) refuse(fmt::format("names and plain data of at most {} bytes", most_written));
  }
  [[noreturn]] void refuse(std::string expected) const { throw FileError({where_, std::move(expected), "more", {}}); }

  const pickle::Document& document_;
  const Chosen& chosen_;
  Tensors& tensors_;
  const std::string& where_;
  PytorchFile result_ = {};
  std::string path_ = {};
  std::size_t name_at_ = 0;
  bool inside_ = false;
  std::uint64_t written_ = 0;
};

std::string without_prefix(const std::string& name, const std::string& prefix) {
  const bool has = name.size() > prefix.size() && name.starts_with(prefix);
  return has ? name.substr(prefix.size()) : name;
}

std::string a_few_names(const std::map<std::string, at::Tensor>& tensors) {
  constexpr std::size_t few = 3;
  std::vector<std::string> names;
  for (auto it = tensors.begin(); it != tensors.end() && names.size() < few; ++it) names.push_back(quote(it->first));
  return join(names) + (tensors.size() > few ? ", …" : "");
}

}  // namespace
}  // namespace pytorch

bool is_pytorch(const std::filesystem::path& path) {
  Descriptor file;
  std::uint64_t size = 0;
  if (open_regular(path, file, size)) return false;
  char head[32];
  const auto count = read_fully(file.get(), head, sizeof head);
  const std::string_view begin(head, static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
  return pytorch::is_zip(begin) || pytorch::is_stream(begin);
}

PytorchFile read_pytorch(const std::filesystem::path& path, const PytorchOptions& options) {
  const std::string where = path.string();
  Descriptor file;
  std::uint64_t size = 0;
  if (auto problem = open_regular(path, file, size)) throw FileError(*std::move(problem));
  if (size == 0) throw FileError({where, "a file of torch.save", "an empty file", {}});
  const auto mapping = std::make_shared<Mapping>(file.get(), size, where);
  const std::string_view bytes = mapping->bytes();
  if (!pytorch::is_zip(bytes) && !pytorch::is_stream(bytes)) {
    throw FileError({where, "a file of torch.save", "a file of another kind", {}});
  }
  const auto content = pytorch::is_zip(bytes) ? pytorch::read_zip(bytes, where) : pytorch::read_stream(bytes, where);
  const auto chosen = pytorch::choose(content.document, options.key, where);
  pytorch::Tensors tensors(content, mapping, where);
  PytorchFile result = pytorch::Collector(content, chosen, tensors, where).collect();
  if (result.tensors.empty()) {
    throw FileError({where, "tensors in " + quote(options.key), "none", "choose another key"});
  }
  if (options.strip_prefix.empty()) return result;
  strip_prefix(result.tensors, options.strip_prefix, where);
  for (std::string& name : result.order) name = pytorch::without_prefix(name, options.strip_prefix);
  return result;
}

void strip_prefix(std::map<std::string, at::Tensor>& tensors, const std::string& prefix, const std::string& where) {
  std::map<std::string, at::Tensor> renamed;
  bool found = false;
  for (const auto& [name, tensor] : tensors) {
    const std::string rest = pytorch::without_prefix(name, prefix);
    found = found || rest.size() < name.size();
    if (renamed.emplace(rest, tensor).second) continue;
    throw FileError(
        {where, "tensors with names of their own", fmt::format("{} twice without {}", quote(rest), quote(prefix)), {}});
  }
  if (!found) {
    throw ConfigError(
        {where + ": strip_prefix", "a prefix of names such as " + pytorch::a_few_names(tensors), quote(prefix), {}});
  }
  tensors = std::move(renamed);
}

}  // namespace vaetl
