// The stack machine that a pickle is a program for. Internal to pickle*.cpp.
#pragma once
#include <unordered_map>

#include "vaetl/io/pickle.hpp"

namespace vaetl::pickle {

enum class Make {
  numbers,       // torch.Size: its tuple
  list,          // set, frozenset: their list
  dict,          // OrderedDict, Counter
  text,          // torch.device
  bytes,         // _codecs.encode, bytearray
  tensor,        // _rebuild_tensor, _v2
  typed_tensor,  // _v3, which names its dtype
  parameter,     // what stands first in its arguments
  retyped,       // a tensor with attributes of its own
  dtype,         // torch.float32: itself plain data
  storage,       // torch.FloatStorage
  type,          // torch.Tensor
  number_type,
  number
};

struct Known {
  std::string_view name;
  Make make;
  at::ScalarType dtype = at::ScalarType::Undefined;
};
// Null for what is not in the closed list.
const Known* find_known(std::string_view name);

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}
  Document run();

  // Reading the program.
  std::string_view take(std::uint64_t size);
  std::uint64_t take_unsigned(std::size_t bytes);  // little-endian
  std::string_view take_line();

  // The stack. A value below the last mark is out of reach, as in Python.
  Id add(Value value);
  void push(Value value) { stack_.push_back(add(std::move(value))); }
  Id pop();
  Id top();
  std::vector<Id> pop_many(std::size_t count);
  std::vector<Id> pop_to_mark();
  void mark() { marks_.push_back(stack_.size()); }
  void drop();
  void duplicate();

  void remember(std::uint64_t index);
  void remember_next() { remember(memo_.size()); }
  void recall(std::uint64_t index);

  void push_integer(std::string_view little_endian);  // two's complement of any length
  void push_text(std::string_view text, bool python2 = false);
  void append(const std::vector<Id>& items);
  void set_items(const std::vector<Id>& items);
  void push_global(std::string_view module, std::string_view name);
  void push_storage();
  void push_stack_global();
  void reduce();
  void build_state();

  void spend(std::uint64_t steps);
  void check_protocol(std::uint64_t version) const;
  void check_frame(std::uint64_t size) const;

  template <class T>
  T& want(Id id, const char* what) {
    if (T* found = std::get_if<T>(&document_.values[id])) return *found;
    wrong_kind(what);
  }
  [[noreturn]] void wrong_kind(const char* what) const;
  [[noreturn]] void damaged(const std::string& found) const;  // where it stands is added

 private:
  using Arguments = std::vector<Id>;

  std::size_t fence() const { return marks_.empty() ? 0 : marks_.back(); }
  Id construct(const Known& known, const Arguments& arguments);
  Id make_dict(const Arguments& arguments);
  Id make_text(const Arguments& arguments);
  Id make_bytes(const Arguments& arguments);
  Id make_tensor(const Known& known, const Arguments& arguments);
  Id make_retyped(const Arguments& arguments);
  Id make_number_type(const Arguments& arguments);
  Id make_number(const Arguments& arguments);
  Arguments copy_arguments(Id id);
  Id argument(const Arguments& arguments, std::size_t index, const char* what) const;
  std::vector<std::int64_t> dimensions(Id id);
  at::ScalarType tensor_dtype(const Known& known, const StorageAt& storage, const Arguments& arguments);
  void check_plain(const Arguments& arguments, std::size_t index);
  void check_extent(const StorageAt& storage, const Tensor& tensor, std::int64_t offset) const;
  std::size_t find_storage(const Storage& storage);
  std::string_view keep(std::string text);

  std::string_view bytes_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::uint64_t steps_ = 0, kept_ = 0;
  Document document_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Id> memo_;
  std::unordered_map<std::string_view, std::size_t> storages_;
};

}  // namespace vaetl::pickle
