// What a model computes, as operators of ATen over named values: what the writers of Python and ONNX read. It knows no
// model; export/trace.hpp makes it from a computation.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vaetl::zoo::exporting {

// fixed + Σ of[i] · the i-th free size of the inputs, N being the first; no zeros at the end of `of`.
struct Size {
  std::int64_t fixed = 0;
  std::vector<std::int64_t> of = {};
  bool constant() const { return of.empty(); }
  bool operator==(const Size&) const = default;
};
using Sizes = std::vector<Size>;
Size sum(const Size& a, const Size& b);
// Of them only one is not constant, and it can be left to be found: -1.
bool one_is_open(const Sizes& sizes);

struct Ref {
  std::size_t number = 0;  // in Graph::values
  auto operator<=>(const Ref&) const = default;
};
using Refs = std::vector<std::optional<Ref>>;  // none: an undefined tensor
using Argument = std::variant<std::monostate, Ref, Refs, Size, Sizes, double, std::vector<double>, bool, std::string>;

struct NamedArgument {
  std::string name;
  Argument value = {};
  bool by_default = false;    // it is what the operator takes where nothing is said
  bool keyword_only = false;  // in Python
};

// An operator of ATen by its name without namespace and overload; in place or not, what it puts out is a new value.
struct Op {
  std::string name, layer;  // the layer whose weights it computes with or comes after; may be empty
  std::vector<NamedArgument> arguments = {};
  std::vector<Ref> outputs = {};

  bool has(std::string_view argument) const;  // and it is not none
  const Argument& operator[](std::string_view argument) const;
  Ref tensor(std::string_view argument) const;
  std::optional<Ref> optional_tensor(std::string_view argument) const;
  Refs tensors(std::string_view argument) const;
  Size size(std::string_view argument) const;
  Sizes sizes(std::string_view argument) const;
  // ConfigError where it depends on a free size.
  std::int64_t integer(std::string_view argument) const;
  std::vector<std::int64_t> integers(std::string_view argument) const;
  double number(std::string_view argument) const;
  bool flag(std::string_view argument) const;
};

struct Value {
  enum class Kind { input, weight, constant, computed };
  Kind kind = Kind::computed;
  std::string name = {};  // an input's and a weight's own; of others made from layer and operator, for Python and ONNX
  std::string layer = {};
  at::Tensor example = {};  // as it was in the first trace
  Sizes shape = {};
  bool fixed = false;  // it depends neither on an input nor on a free size
};

// A size of the inputs that is not known beforehand.
struct FreeSize {
  std::string name;  // N, T, H, W
  Ref input;
  std::int64_t axis = 0;
};

struct Graph {
  std::vector<FreeSize> free = {};
  std::vector<Value> values = {};
  std::vector<Op> ops = {};
  std::vector<Ref> inputs = {};
  Ref output = {};

  const Value& operator[](Ref ref) const { return values[ref.number]; }
  Value& operator[](Ref ref) { return values[ref.number]; }
};

// Every tensor that the operator reads.
std::vector<Ref> refs_of(const Op& op);

// Without operators that change nothing (of layout in memory, copies, dropout in evaluation) and those that nobody
// reads; names values, and says of each whether it is fixed.
void simplify(Graph& graph);

// ConfigError: `format` (Python, ONNX) has no such operator, at which layer.
[[noreturn]] void refuse_operator(const Op& op, const std::string& format);

// "(N, 8, 14, 14)"
std::string shape_text(const Graph& graph, const Sizes& shape);

}  // namespace vaetl::zoo::exporting
