// The instructions and the stack; what they build is in pickle_build.cpp.
#include "vaetl/io/pickle.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/io/pickle_machine.hpp"
#include "vaetl/io/utf8.hpp"

namespace vaetl::pickle {
namespace {

// A large network with its optimiser takes some 100,000; what a hostile file can take is bounded by it.
constexpr std::uint64_t most_steps = std::uint64_t{1} << 22;

struct Instruction {
  unsigned char code;
  void (*run)(Machine&);
};

template <std::size_t Bytes>
void text_of(Machine& m) {
  m.push_text(m.take(m.take_unsigned(Bytes)));
}
template <std::size_t Bytes>
void python2_text(Machine& m) {
  m.push_text(m.take(m.take_unsigned(Bytes)), /*python2=*/true);
}
template <std::size_t Count>
void bytes_of(Machine& m) {
  m.push(Bytes{m.take(m.take_unsigned(Count))});
}
template <std::size_t Count>
void tuple_of(Machine& m) {
  m.push(Tuple{m.pop_many(Count)});
}

void push_double(Machine& m) {  // big-endian
  std::uint64_t bits = 0;
  for (const char byte : m.take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
  m.push(std::bit_cast<double>(bits));
}

void push_named(Machine& m) {
  const std::string_view module = m.take_line(), name = m.take_line();
  m.push_global(module, name);
}

void push_one_dict(Machine& m) {
  const auto items = m.pop_to_mark();
  m.push(Dict{});
  m.set_items(items);
}

constexpr Instruction instructions[] = {
    {0x80, [](Machine& m) { m.check_protocol(m.take_unsigned(1)); }},
    {0x95, [](Machine& m) { m.check_frame(m.take_unsigned(8)); }},
    {'(', [](Machine& m) { m.mark(); }},
    {'0', [](Machine& m) { m.drop(); }},
    {'1', [](Machine& m) { m.pop_to_mark(); }},
    {'2', [](Machine& m) { m.duplicate(); }},
    {'q', [](Machine& m) { m.remember(m.take_unsigned(1)); }},
    {'r', [](Machine& m) { m.remember(m.take_unsigned(4)); }},
    {0x94, [](Machine& m) { m.remember_next(); }},
    {'h', [](Machine& m) { m.recall(m.take_unsigned(1)); }},
    {'j', [](Machine& m) { m.recall(m.take_unsigned(4)); }},
    {'N', [](Machine& m) { m.push(None{}); }},
    {0x88, [](Machine& m) { m.push(true); }},
    {0x89, [](Machine& m) { m.push(false); }},
    {'J', [](Machine& m) { m.push_integer(m.take(4)); }},
    {'K', [](Machine& m) { m.push(static_cast<std::int64_t>(m.take_unsigned(1))); }},
    {'M', [](Machine& m) { m.push(static_cast<std::int64_t>(m.take_unsigned(2))); }},
    {0x8a, [](Machine& m) { m.push_integer(m.take(m.take_unsigned(1))); }},
    {0x8b, [](Machine& m) { m.push_integer(m.take(m.take_unsigned(4))); }},
    {'G', push_double},
    {'X', text_of<4>},
    {0x8c, text_of<1>},
    {0x8d, text_of<8>},
    {'U', python2_text<1>},
    {'T', python2_text<4>},
    {'C', bytes_of<1>},
    {'B', bytes_of<4>},
    {0x8e, bytes_of<8>},
    {0x96, bytes_of<8>},
    {'}', [](Machine& m) { m.push(Dict{}); }},
    {']', [](Machine& m) { m.push(List{}); }},
    {0x8f, [](Machine& m) { m.push(List{}); }},
    {')', [](Machine& m) { m.push(Tuple{}); }},
    {0x85, tuple_of<1>},
    {0x86, tuple_of<2>},
    {0x87, tuple_of<3>},
    {'t', [](Machine& m) { m.push(Tuple{m.pop_to_mark()}); }},
    {'l', [](Machine& m) { m.push(List{m.pop_to_mark()}); }},
    {0x91, [](Machine& m) { m.push(List{m.pop_to_mark()}); }},
    {'d', push_one_dict},
    {'a', [](Machine& m) { m.append(m.pop_many(1)); }},
    {'e', [](Machine& m) { m.append(m.pop_to_mark()); }},
    {0x90, [](Machine& m) { m.append(m.pop_to_mark()); }},
    {'s', [](Machine& m) { m.set_items(m.pop_many(2)); }},
    {'u', [](Machine& m) { m.set_items(m.pop_to_mark()); }},
    {'c', push_named},
    {0x93, [](Machine& m) { m.push_stack_global(); }},
    {'Q', [](Machine& m) { m.push_storage(); }},
    {'R', [](Machine& m) { m.reduce(); }},
    {0x81, [](Machine& m) { m.reduce(); }},
    {'b', [](Machine& m) { m.build_state(); }},
};

using Table = std::array<void (*)(Machine&), 256>;
constexpr Table by_code() {
  Table table{};
  for (const Instruction& instruction : instructions) table[instruction.code] = instruction.run;
  return table;
}

}  // namespace

Document Machine::run() {
  static constexpr Table table = by_code();
  for (;;) {
    spend(1);
    const auto code = static_cast<unsigned char>(take(1)[0]);
    if (code == '.') break;
    if (table[code] == nullptr) damaged(fmt::format("the unknown instruction 0x{:02x}", code));
    table[code](*this);
  }
  document_.root = pop();
  document_.size = at_;
  return std::move(document_);
}

void Machine::damaged(const std::string& found) const {
  throw FileError({where_, "a pickle as torch.save writes it", fmt::format("{} at byte {} of it", found, at_),
                   "the file is damaged: get it again"});
}

void Machine::wrong_kind(const char* what) const { damaged(fmt::format("another value than {}", what)); }

void Machine::spend(std::uint64_t steps) {
  steps_ += steps;
  if (steps_ <= most_steps) return;
  throw FileError({where_, fmt::format("a pickle of at most {} steps", most_steps), "more", {}});
}

std::string_view Machine::take(std::uint64_t size) {
  if (size > bytes_.size() - at_) damaged(fmt::format("a value of {} bytes and {} left", size, bytes_.size() - at_));
  return bytes_.substr(std::exchange(at_, at_ + size), size);
}

std::uint64_t Machine::take_unsigned(std::size_t bytes) {
  const std::string_view raw = take(bytes);
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(raw[i]);
  return value;
}

std::string_view Machine::take_line() {
  constexpr std::size_t longest = 1000;  // of a name
  const auto end = bytes_.substr(at_, longest).find('\n');
  if (end == std::string_view::npos) damaged("a name without an end");
  const std::string_view line = take(end);
  take(1);
  return line;
}

Id Machine::add(Value value) {
  document_.values.push_back(std::move(value));
  return static_cast<Id>(document_.values.size() - 1);
}

Id Machine::top() {
  if (stack_.size() <= fence()) damaged("an empty stack");
  return stack_.back();
}

Id Machine::pop() {
  const Id id = top();
  stack_.pop_back();
  return id;
}

std::vector<Id> Machine::pop_many(std::size_t count) {
  if (stack_.size() < fence() + count) damaged("an empty stack");
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<Id> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  return items;
}

std::vector<Id> Machine::pop_to_mark() {
  if (marks_.empty()) damaged("no mark on the stack");
  std::vector<Id> items = pop_many(stack_.size() - fence());
  marks_.pop_back();
  return items;
}

void Machine::drop() {
  if (stack_.size() > fence() || marks_.empty()) {
    pop();
  } else {
    marks_.pop_back();
  }
}

void Machine::duplicate() { stack_.push_back(top()); }

void Machine::remember(std::uint64_t index) { memo_[index] = top(); }

void Machine::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) damaged(fmt::format("a reference to value {}, which there is not", index));
  stack_.push_back(found->second);
}

void Machine::push_integer(std::string_view little_endian) {
  const std::size_t size = little_endian.size();
  if (size == 0) return push(std::int64_t{0});
  if (size <= 8) {
    std::uint64_t value = static_cast<signed char>(little_endian.back()) < 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(little_endian[i]);
    return push(static_cast<std::int64_t>(value));
  }
  constexpr std::size_t significant = 16;  // more than a double holds
  const std::size_t first = size > significant ? size - significant : 0;
  double value = static_cast<signed char>(little_endian.back());
  for (std::size_t i = size - 1; i-- > first;) value = value * 256 + static_cast<unsigned char>(little_endian[i]);
  push(std::ldexp(value, static_cast<int>(8 * std::min<std::size_t>(first, 1000))));
}

void Machine::push_text(std::string_view text, bool python2) {
  if (is_utf8(text)) return push(Text{text});
  if (!python2) damaged("text that is not UTF-8");
  push(Bytes{text});
}

void Machine::append(const std::vector<Id>& items) {
  auto& list = want<List>(top(), "a list").items;
  list.insert(list.end(), items.begin(), items.end());
}

void Machine::set_items(const std::vector<Id>& items) {
  if (items.size() % 2 != 0) damaged("a key without a value");
  auto& dict = want<Dict>(top(), "a dict").items;
  dict.insert(dict.end(), items.begin(), items.end());
}

void Machine::check_protocol(std::uint64_t version) const {
  if (version < 2 || version > 5) damaged(fmt::format("the pickle protocol {}", version));
}

void Machine::check_frame(std::uint64_t size) const {
  if (size > bytes_.size() - at_) damaged(fmt::format("a frame of {} bytes and {} left", size, bytes_.size() - at_));
}

Document parse(std::string_view bytes, const std::string& where) { return Machine(bytes, where).run(); }

}  // namespace vaetl::pickle
