// The closed subset of Python's pickle (protocols 2 to 5) that checkpoints of PyTorch need. It can build tensors,
// dicts, lists, tuples, sets, numbers, strings, bytes, booleans and None, and nothing else: nothing is imported, looked
// up or called, whatever a file names. Values lie in one arena and know each other by number, so that neither a deep
// nor a cyclic structure costs more than its bytes, and steps are counted. Used inside io only.
#pragma once
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vaetl::pickle {

using Id = std::uint32_t;  // of a value in its document

struct None {};
struct Text {
  std::string_view value = {};  // UTF-8
};
struct Bytes {
  std::string_view value = {};
};
struct List {  // a set, too
  std::vector<Id> items = {};
};
struct Tuple {
  std::vector<Id> items = {};
};
struct Dict {
  std::vector<Id> items = {};  // key, value, key, value, …
};
struct StorageAt {
  std::size_t index = 0;
  std::uint64_t begin = 0, bytes = 0;  // the part that is meant
};
struct TensorAt {
  std::size_t index = 0;
};
// What a file may name: a class or function of a closed list. As plain data it is its name ("torch.float32").
struct Known;
struct Global {
  const Known* known = nullptr;
};
struct NumberType {  // NumPy's dtype of a scalar
  char kind = 'f';
  std::size_t bytes = 8;
};
using Value = std::variant<None, bool, std::int64_t, double, Text, Bytes, List, Tuple, Dict, StorageAt, TensorAt,
                           Global, NumberType>;

// Where the values of tensors lie; the file's format tells where the bytes are.
struct Storage {
  std::string_view key = {};
  at::ScalarType dtype = at::kByte;
  std::uint64_t bytes = 0;
};
// Checked: every element lies within the storage.
struct Tensor {
  std::size_t storage = 0;
  at::ScalarType dtype = at::kFloat;
  std::uint64_t offset = 0;  // bytes into the storage
  std::vector<std::int64_t> sizes = {}, strides = {};
  std::int64_t elements = 0;
};

struct Document {
  std::vector<Value> values = {};
  std::vector<Storage> storages = {};
  std::vector<Tensor> tensors = {};
  std::deque<std::string> texts = {};  // those that do not stand in the bytes as they are
  Id root = 0;
  std::size_t size = 0;  // bytes read

  template <class T>
  const T* get(Id id) const {
    return std::get_if<T>(&values[id]);
  }
};

// Reads one pickle from the start of `bytes`, which must outlive the document. FileError that begins with `where`:
// damaged, or something that is not in the subset, by name.
Document parse(std::string_view bytes, const std::string& where);

std::string_view name_of(const Global& global);

}  // namespace vaetl::pickle
