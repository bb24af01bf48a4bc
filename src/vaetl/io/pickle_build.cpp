// What becomes of the calls that a file describes.
#include <c10/util/Half.h>

#include <cstring>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/pickle_machine.hpp"

namespace vaetl::pickle {
namespace {

using Type = at::ScalarType;

constexpr std::size_t most_dimensions = 64;                  // as many as LibTorch's operators take
constexpr std::uint64_t most_kept = std::uint64_t{1} << 24;  // bytes of texts that are not the file's own

std::uint64_t bytes_of_type(Type type) { return type == Type::Undefined ? 1 : c10::elementSize(type); }

// The text's characters as bytes, as protocol 2 spells bytes; empty where one is beyond Latin-1.
std::optional<std::string> latin1_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      bytes += text[i];
    } else if (lead == 0xc2 || lead == 0xc3) {
      bytes += static_cast<char>((lead & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

template <class T>
T number_in(std::string_view raw) {
  T value;
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

std::optional<Value> number_of(const NumberType& type, std::string_view raw) {
  if (raw.size() != type.bytes) return std::nullopt;
  const auto is = [&](char kind, std::size_t bytes) { return type.kind == kind && type.bytes == bytes; };
  const auto integer = [](auto value) { return Value(static_cast<std::int64_t>(value)); };
  if (is('f', 8)) return number_in<double>(raw);
  if (is('f', 4)) return static_cast<double>(number_in<float>(raw));
  if (is('f', 2)) return static_cast<double>(static_cast<float>(number_in<c10::Half>(raw)));
  if (is('i', 8)) return integer(number_in<std::int64_t>(raw));
  if (is('i', 4)) return integer(number_in<std::int32_t>(raw));
  if (is('i', 2)) return integer(number_in<std::int16_t>(raw));
  if (is('i', 1)) return integer(number_in<std::int8_t>(raw));
  if (is('u', 4)) return integer(number_in<std::uint32_t>(raw));
  if (is('u', 2)) return integer(number_in<std::uint16_t>(raw));
  if (is('u', 1)) return integer(number_in<std::uint8_t>(raw));
  if (is('b', 1)) return raw[0] != 0;
  return std::nullopt;
}

}  // namespace

std::string_view Machine::keep(std::string text) {
  kept_ += text.size() + sizeof(std::string);
  if (kept_ > most_kept) throw FileError({where_, "plain data of a sensible size", "more", {}});
  return document_.texts.emplace_back(std::move(text));
}

void Machine::push_stack_global() {
  const auto parts = pop_many(2);
  const std::string_view module = want<Text>(parts[0], "a name").value, name = want<Text>(parts[1], "a name").value;
  push_global(module, name);
}

// ("storage", class, key, device, elements[, None or (key, offset, elements) of a part of it])
void Machine::push_storage() {
  const auto& parts = want<Tuple>(pop(), "the place of a storage").items;
  const bool storage = parts.size() >= 5 && want<Text>(parts[0], "the place of a storage").value == "storage";
  if (!storage) damaged("another value than the place of a storage");
  const Known& type = *want<Global>(parts[1], "the class of a storage").known;
  const std::string_view key = want<Text>(parts[2], "the key of a storage").value;
  const std::int64_t elements = want<std::int64_t>(parts[4], "the size of a storage");
  const auto element = static_cast<std::int64_t>(bytes_of_type(type.dtype));
  std::int64_t bytes = 0;
  if (type.make != Make::storage || elements < 0 || __builtin_mul_overflow(elements, element, &bytes)) {
    damaged("no storage");
  }
  StorageAt part{find_storage({key, type.dtype, static_cast<std::uint64_t>(bytes)}), 0,
                 static_cast<std::uint64_t>(bytes)};
  if (parts.size() > 5 && document_.get<None>(parts[5]) == nullptr) {
    const auto& view = want<Tuple>(parts[5], "a part of a storage").items;
    if (view.size() != 3) damaged("another value than a part of a storage");
    const std::int64_t offset = want<std::int64_t>(view[1], "an offset"), size = want<std::int64_t>(view[2], "a size");
    if (offset < 0 || offset > elements || size < 0 || size > elements - offset) damaged("a part beyond its storage");
    part.begin = static_cast<std::uint64_t>(offset * element);
    part.bytes = static_cast<std::uint64_t>(size * element);
  }
  push(part);
}

std::size_t Machine::find_storage(const Storage& storage) {
  const auto [found, fresh] = storages_.emplace(storage.key, document_.storages.size());
  if (fresh) document_.storages.push_back(storage);
  const Storage& known = document_.storages[found->second];
  if (known.dtype == storage.dtype && known.bytes == storage.bytes) return found->second;
  damaged(fmt::format("two types or sizes of the storage {}", quote(storage.key)));
}

void Machine::reduce() {
  const auto parts = pop_many(2);
  const Known& known = *want<Global>(parts[0], "a class").known;
  const Arguments arguments = copy_arguments(parts[1]);
  stack_.push_back(construct(known, arguments));
}

Machine::Arguments Machine::copy_arguments(Id id) {
  const auto& items = want<Tuple>(id, "a tuple of arguments").items;
  spend(items.size());
  return items;
}

Id Machine::argument(const Arguments& arguments, std::size_t index, const char* what) const {
  if (index < arguments.size()) return arguments[index];
  damaged(fmt::format("a call without {}", what));
}

Id Machine::construct(const Known& known, const Arguments& arguments) {
  switch (known.make) {
    case Make::numbers:
      want<Tuple>(argument(arguments, 0, "sizes"), "sizes");
      return arguments[0];
    case Make::list:
      if (arguments.empty()) return add(List{});
      want<List>(arguments[0], "a list");
      return arguments[0];
    case Make::dict:
      return make_dict(arguments);
    case Make::text:
      return make_text(arguments);
    case Make::bytes:
      return make_bytes(arguments);
    case Make::tensor:
    case Make::typed_tensor:
      return make_tensor(known, arguments);
    case Make::parameter:
      want<TensorAt>(argument(arguments, 0, "a tensor"), "a tensor");
      return arguments[0];
    case Make::retyped:
      return make_retyped(arguments);
    case Make::number_type:
      return make_number_type(arguments);
    case Make::number:
      return make_number(arguments);
    default:
      damaged(fmt::format("a call of {}", known.name));
  }
}

// OrderedDict(), OrderedDict([[key, value], …]), Counter({…})
Id Machine::make_dict(const Arguments& arguments) {
  if (arguments.empty()) return add(Dict{});
  if (document_.get<Dict>(arguments[0])) return arguments[0];
  const auto& pairs = want<List>(arguments[0], "a list of pairs").items;
  spend(pairs.size());
  Dict dict;
  for (const Id id : pairs) {
    const auto* list = document_.get<List>(id);
    const auto& pair = list != nullptr ? list->items : want<Tuple>(id, "a pair").items;
    if (pair.size() != 2) damaged("another value than a pair");
    dict.items.insert(dict.items.end(), pair.begin(), pair.end());
  }
  return add(std::move(dict));
}

// device("cuda", 0)
Id Machine::make_text(const Arguments& arguments) {
  const Id first = argument(arguments, 0, "a device");
  const std::string_view name = want<Text>(first, "a device").value;
  if (arguments.size() < 2) return first;
  return add(Text{keep(fmt::format("{}:{}", name, want<std::int64_t>(arguments[1], "a device's number")))});
}

// encode("…", "latin1"), bytes(), bytearray(b"…"), bytearray("…", "latin-1")
Id Machine::make_bytes(const Arguments& arguments) {
  if (arguments.empty()) return add(Bytes{});
  if (document_.get<Bytes>(arguments[0])) return arguments[0];
  const std::string_view text = want<Text>(arguments[0], "text").value;
  if (text.size() > most_kept) damaged("too long a text");
  auto bytes = latin1_bytes(text);
  if (!bytes) damaged("bytes beyond Latin-1");
  return add(Bytes{keep(*std::move(bytes))});
}

std::vector<std::int64_t> Machine::dimensions(Id id) {
  const auto* list = document_.get<List>(id);
  const std::vector<Id>& items = list != nullptr ? list->items : want<Tuple>(id, "a tuple of numbers").items;
  if (items.size() > most_dimensions) damaged(fmt::format("a tensor of {} dimensions", items.size()));
  spend(items.size());
  std::vector<std::int64_t> result;
  for (const Id item : items) result.push_back(want<std::int64_t>(item, "a number"));
  if (std::any_of(result.begin(), result.end(), [](std::int64_t n) { return n < 0; })) damaged("a negative size");
  return result;
}

at::ScalarType Machine::tensor_dtype(const Known& known, const StorageAt& storage, const Arguments& arguments) {
  if (known.make == Make::tensor) {
    const Type type = document_.storages[storage.index].dtype;
    if (type == Type::Undefined) damaged("a tensor without a type");
    return type;
  }
  const Known& type = *want<Global>(argument(arguments, 6, "a type"), "a type").known;
  if (type.make != Make::dtype) damaged("another value than a type");
  return type.dtype;
}

// (storage, offset, sizes, strides, requires_grad, hooks[, dtype: _v3 alone][, properties])
Id Machine::make_tensor(const Known& known, const Arguments& arguments) {
  const StorageAt storage = want<StorageAt>(argument(arguments, 0, "a storage"), "a storage");
  const std::int64_t offset = want<std::int64_t>(argument(arguments, 1, "an offset"), "an offset");
  Tensor tensor{.storage = storage.index,
                .dtype = tensor_dtype(known, storage, arguments),
                .sizes = dimensions(argument(arguments, 2, "sizes")),
                .strides = dimensions(argument(arguments, 3, "strides"))};
  check_plain(arguments, known.make == Make::tensor ? 6 : 7);
  check_extent(storage, tensor, offset);
  tensor.elements = 1;
  for (const std::int64_t size : tensor.sizes) tensor.elements *= size;
  tensor.offset = storage.begin + static_cast<std::uint64_t>(offset) * bytes_of_type(tensor.dtype);
  document_.tensors.push_back(std::move(tensor));
  return add(TensorAt{document_.tensors.size() - 1});
}

void Machine::check_plain(const Arguments& arguments, std::size_t index) {
  if (arguments.size() <= index) return;
  const auto* properties = document_.get<Dict>(arguments[index]);
  if (properties == nullptr || properties->items.empty()) return;
  const auto* name = document_.get<Text>(properties->items[0]);
  throw FileError({where_, "tensors without properties of their own",
                   "a tensor that is " + quote(name != nullptr ? name->value : "special"),
                   "save tensor.resolve_conj().resolve_neg() instead"});
}

// Sizes whose product fits 63 bits whatever their order, and a last element within the storage.
void Machine::check_extent(const StorageAt& storage, const Tensor& tensor, std::int64_t offset) const {
  const auto refuse = [&](const std::string& found) {
    damaged(fmt::format("a tensor that {} its storage {} of {} bytes", found,
                        quote(document_.storages[storage.index].key), storage.bytes));
  };
  const auto element = static_cast<std::int64_t>(bytes_of_type(tensor.dtype));
  if (tensor.sizes.size() != tensor.strides.size()) damaged("sizes and strides of different lengths");
  std::int64_t bytes = element, last = offset, step = 0;
  bool empty = false, over = offset < 0 || storage.begin % static_cast<std::uint64_t>(element) != 0;
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    const std::int64_t size = tensor.sizes[i];
    empty = empty || size == 0;
    over = over || (size > 0 && __builtin_mul_overflow(bytes, size, &bytes));
    over = over || (size > 0 && __builtin_mul_overflow(size - 1, tensor.strides[i], &step));
    over = over || (size > 0 && __builtin_add_overflow(last, step, &last));
  }
  if (over) refuse("cannot lie in");
  if (empty) return;
  if (last >= static_cast<std::int64_t>(storage.bytes) / element) refuse("reaches beyond");
}

// A tensor with attributes in Python: (function, class, its arguments, attributes)
Id Machine::make_retyped(const Arguments& arguments) {
  const Known& maker = *want<Global>(argument(arguments, 0, "a function"), "a function").known;
  want<Global>(argument(arguments, 1, "a class"), "a class");
  const bool direct = maker.make == Make::tensor || maker.make == Make::typed_tensor || maker.make == Make::parameter;
  if (!direct) damaged(fmt::format("a call of {}", maker.name));
  return construct(maker, copy_arguments(argument(arguments, 2, "arguments")));
}

// dtype("f8", False, True)
Id Machine::make_number_type(const Arguments& arguments) {
  const std::string_view code = want<Text>(argument(arguments, 0, "a type"), "a type").value;
  constexpr std::string_view codes[] = {"f8", "f4", "f2", "i8", "i4", "i2", "i1", "u4", "u2", "u1", "b1"};
  if (std::find(std::begin(codes), std::end(codes), code) != std::end(codes)) {
    return add(NumberType{code[0], static_cast<std::size_t>(code[1] - '0')});
  }
  throw FileError(
      {where_, "NumPy values that are plain numbers", "one of the type " + quote(code), "save them as plain numbers"});
}

Id Machine::make_number(const Arguments& arguments) {
  const NumberType type = want<NumberType>(argument(arguments, 0, "a type"), "a type");
  const Id id = argument(arguments, 1, "a value");
  const auto* text = document_.get<Text>(id);  // Python 2 had no other bytes
  const std::string_view raw = text != nullptr ? text->value : want<Bytes>(id, "bytes").value;
  const auto number = number_of(type, raw);
  if (!number) damaged("a number of another size than its type's");
  return add(*number);
}

// Attributes of an OrderedDict (its _metadata) say nothing about weights; a NumPy type tells its byte order.
void Machine::build_state() {
  const Id state = pop();
  const Id target = top();
  if (document_.get<Dict>(target)) return;
  want<NumberType>(target, "a dict");
  const auto& parts = want<Tuple>(state, "the state of a type").items;
  const std::string_view order = parts.size() > 1 ? want<Text>(parts[1], "a byte order").value : "";
  if (order == "<" || order == "=" || order == "|") return;
  throw FileError({where_, "little-endian values", "the byte order " + quote(order), {}});
}

}  // namespace vaetl::pickle
