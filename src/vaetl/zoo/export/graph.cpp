#include "vaetl/zoo/export/graph.hpp"

#include <algorithm>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::zoo::exporting {
namespace {

[[noreturn]] void refuse_argument(const Op& op, std::string_view argument, const std::string& expected) {
  throw ConfigError({fmt::format("export: layer {}: {} of aten::{}", quote(op.layer), argument, op.name),
                     expected,
                     "something else",
                     {}});
}

template <class T>
const T& argument_as(const Op& op, std::string_view argument, const char* expected) {
  if (const T* found = std::get_if<T>(&op[argument])) return *found;
  refuse_argument(op, argument, expected);
}

std::int64_t constant_of(const Op& op, std::string_view argument, const Size& size) {
  if (size.constant()) return size.fixed;
  refuse_argument(op, argument, "a number that does not depend on the size of the input");
}

}  // namespace

Size sum(const Size& a, const Size& b) {
  Size result = a;
  result.fixed += b.fixed;
  result.of.resize(std::max(a.of.size(), b.of.size()));
  for (std::size_t i = 0; i < b.of.size(); ++i) result.of[i] += b.of[i];
  while (!result.of.empty() && result.of.back() == 0) result.of.pop_back();
  return result;
}

bool one_is_open(const Sizes& sizes) {
  return std::count_if(sizes.begin(), sizes.end(), [](const Size& size) { return !size.constant(); }) == 1;
}

const Argument& Op::operator[](std::string_view argument) const {
  static const Argument none;
  for (const NamedArgument& each : arguments) {
    if (each.name == argument) return each.value;
  }
  return none;
}

bool Op::has(std::string_view argument) const { return !std::holds_alternative<std::monostate>((*this)[argument]); }

Ref Op::tensor(std::string_view argument) const { return argument_as<Ref>(*this, argument, "a tensor"); }

std::optional<Ref> Op::optional_tensor(std::string_view argument) const {
  return has(argument) ? std::optional(tensor(argument)) : std::nullopt;
}

Refs Op::tensors(std::string_view argument) const { return argument_as<Refs>(*this, argument, "tensors"); }

Size Op::size(std::string_view argument) const { return argument_as<Size>(*this, argument, "a whole number"); }

Sizes Op::sizes(std::string_view argument) const {
  if (const Size* one = std::get_if<Size>(&(*this)[argument])) return {*one};
  return argument_as<Sizes>(*this, argument, "whole numbers");
}

std::int64_t Op::integer(std::string_view argument) const { return constant_of(*this, argument, size(argument)); }

std::vector<std::int64_t> Op::integers(std::string_view argument) const {
  std::vector<std::int64_t> result;
  for (const Size& size : sizes(argument)) result.push_back(constant_of(*this, argument, size));
  return result;
}

double Op::number(std::string_view argument) const {
  if (const bool* truth = std::get_if<bool>(&(*this)[argument])) return *truth ? 1 : 0;
  if (std::holds_alternative<Size>((*this)[argument])) return static_cast<double>(integer(argument));
  return argument_as<double>(*this, argument, "a number");
}

bool Op::flag(std::string_view argument) const {
  return has(argument) && argument_as<bool>(*this, argument, "true or false");
}

std::vector<Ref> refs_of(const Op& op) {
  std::vector<Ref> result;
  for (const NamedArgument& argument : op.arguments) {
    if (const Ref* one = std::get_if<Ref>(&argument.value)) result.push_back(*one);
    if (const Refs* several = std::get_if<Refs>(&argument.value)) {
      for (const auto& each : *several) {
        if (each) result.push_back(*each);
      }
    }
  }
  return result;
}

void refuse_operator(const Op& op, const std::string& format) {
  const std::string where = op.layer.empty() ? "" : fmt::format(": layer {}", quote(op.layer));
  throw ConfigError({"export to " + format + where, "an operator that " + format + " has, or that we can write in it",
                     "aten::" + op.name, "describe the model without it"});
}

std::string shape_text(const Graph& graph, const Sizes& shape) {
  std::vector<std::string> parts;
  for (const Size& size : shape) {
    std::string text;
    for (std::size_t i = 0; i < size.of.size(); ++i) {
      if (size.of[i] == 0) continue;
      const std::string factor = size.of[i] == 1 ? "" : fmt::format("{} ", size.of[i]);
      text += (text.empty() ? "" : " + ") + factor + graph.free[i].name;
    }
    if (text.empty()) {
      text = std::to_string(size.fixed);
    } else if (size.fixed != 0) {
      text += fmt::format(" {} {}", size.fixed < 0 ? "-" : "+", std::abs(size.fixed));
    }
    parts.push_back(text);
  }
  return "(" + join(parts) + ")";
}

}  // namespace vaetl::zoo::exporting
