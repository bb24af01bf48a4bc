#include <algorithm>
#include <cctype>
#include <set>

#include "vaetl/zoo/export/graph.hpp"

namespace vaetl::zoo::exporting {
namespace {

const std::set<std::string, std::less<>> copying = {"contiguous", "clone", "detach", "alias", "lift_fresh", "cpu"};
// The same values in the same order in another shape.
const std::set<std::string, std::less<>> reshaping = {"view",    "reshape",    "_unsafe_view", "flatten",  "unflatten",
                                                      "view_as", "reshape_as", "squeeze",      "unsqueeze"};
// Where the shape stays, nothing is done.
const std::set<std::string, std::less<>> cutting = {"expand", "expand_as", "narrow", "slice"};

// The producer of a value, or none.
const Op* producer_of(const Graph& graph, Ref ref) {
  for (const Op& op : graph.ops) {
    if (std::find(op.outputs.begin(), op.outputs.end(), ref) != op.outputs.end()) return &op;
  }
  return nullptr;
}

// Does the permutation move dimensions of size 1 alone?
bool keeps_order(const Op& permute, const Sizes& shape) {
  std::int64_t last = -1;
  for (const std::int64_t dim : permute.integers("dims")) {
    if (shape[static_cast<std::size_t>(dim)] == Size{1}) continue;
    if (dim < last) return false;
    last = dim;
  }
  return true;
}

// A view of a view that has the first shape again. So an image of one channel is laid out with channels last
// (nn/fused.hpp).
std::optional<Ref> seen_before(const Graph& graph, const Op& op) {
  const bool permutes = op.name == "permute";
  if (!permutes && !reshaping.contains(op.name)) return std::nullopt;
  const Ref self = op.tensor("self");
  const Op* view = producer_of(graph, self);
  if (!view || !reshaping.contains(view->name)) return std::nullopt;
  const Ref start = view->tensor("self");
  if (graph[start].shape != graph[op.outputs[0]].shape) return std::nullopt;
  return !permutes || keeps_order(op, graph[self].shape) ? std::optional(start) : std::nullopt;
}

// The value that the operator's only output equals.
std::optional<Ref> equal_to(const Graph& graph, const Op& op) {
  if (op.outputs.size() != 1) return std::nullopt;
  if (const auto before = seen_before(graph, op)) return before;
  const std::optional<Ref> self = op.has("self")    ? op.optional_tensor("self")
                                  : op.has("input") ? op.optional_tensor("input")
                                                    : std::nullopt;
  if (!self) return std::nullopt;
  const Value &before = graph[*self], &after = graph[op.outputs[0]];
  if (before.example.scalar_type() != after.example.scalar_type()) return std::nullopt;
  const bool same_shape = before.shape == after.shape;
  if (copying.contains(op.name) || op.name == "to" || op.name == "_to_copy") return self;
  if (op.name == "dropout" && !op.flag("train")) return self;
  return same_shape && (reshaping.contains(op.name) || cutting.contains(op.name)) ? self : std::nullopt;
}

void replace_refs(Op& op, const std::vector<Ref>& instead) {
  for (NamedArgument& argument : op.arguments) {
    if (Ref* one = std::get_if<Ref>(&argument.value)) *one = instead[one->number];
    if (Refs* several = std::get_if<Refs>(&argument.value)) {
      for (auto& each : *several) {
        if (each) each = instead[each->number];
      }
    }
  }
}

bool computes_the_same(const Op& a, const Op& b) {
  return a.name == b.name && a.arguments.size() == b.arguments.size() &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(),
                    [](const NamedArgument& x, const NamedArgument& y) { return x.value == y.value; });
}

// What changes nothing, and what was computed before.
void drop_identities(Graph& graph) {
  std::vector<Ref> instead(graph.values.size());
  for (std::size_t i = 0; i < instead.size(); ++i) instead[i] = {i};
  for (auto op = graph.ops.begin(); op != graph.ops.end(); ++op) {
    replace_refs(*op, instead);
    if (const auto same = equal_to(graph, *op)) instead[op->outputs[0].number] = *same;
    const auto before =
        std::find_if(graph.ops.begin(), op, [&](const Op& each) { return computes_the_same(each, *op); });
    for (std::size_t i = 0; before != op && i < op->outputs.size(); ++i) {
      instead[op->outputs[i].number] = instead[before->outputs[i].number];
    }
  }
  graph.output = instead[graph.output.number];
}

std::set<Ref> drop_unread(Graph& graph) {
  std::set<Ref> read = {graph.output};
  std::vector<Op> kept;
  for (auto op = graph.ops.rbegin(); op != graph.ops.rend(); ++op) {
    if (std::none_of(op->outputs.begin(), op->outputs.end(), [&](Ref each) { return read.contains(each); })) continue;
    for (const Ref each : refs_of(*op)) read.insert(each);
    kept.push_back(std::move(*op));
  }
  std::reverse(kept.begin(), kept.end());
  graph.ops = std::move(kept);
  return read;
}

bool depends_on_sizes(const Op& op) {
  const auto open = [](const Size& size) { return !size.constant(); };
  return std::any_of(op.arguments.begin(), op.arguments.end(), [&](const NamedArgument& argument) {
    if (const Size* size = std::get_if<Size>(&argument.value)) return open(*size);
    const Sizes* sizes = std::get_if<Sizes>(&argument.value);
    return sizes && std::any_of(sizes->begin(), sizes->end(), open);
  });
}

// Which values depend on no input, and the layer that each belongs to: that of the first weights it is computed with,
// else that of what it is computed from.
void trace_layers(Graph& graph) {
  for (Value& value : graph.values) {
    value.fixed = value.kind == Value::Kind::weight || value.kind == Value::Kind::constant;
    const auto dot = value.name.rfind('.');
    if (value.kind == Value::Kind::weight) value.layer = value.name.substr(0, dot == std::string::npos ? 0 : dot);
  }
  for (Op& op : graph.ops) {
    const auto refs = refs_of(op);
    const auto fixed = [&](Ref ref) { return graph[ref].fixed; };
    const auto own =
        std::find_if(refs.begin(), refs.end(), [&](Ref ref) { return fixed(ref) && !graph[ref].layer.empty(); });
    if (own != refs.end()) {
      op.layer = graph[*own].layer;
    } else if (!refs.empty()) {
      op.layer = graph[refs[0]].layer;
    }
    const bool all = !depends_on_sizes(op) && std::all_of(refs.begin(), refs.end(), fixed);
    for (const Ref output : op.outputs) {
      graph[output].fixed = all;
      graph[output].layer = op.layer;
    }
  }
}

std::string identifier(const std::string& text) {
  std::string result;
  for (const char c : text) result += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return result.empty() || std::isdigit(static_cast<unsigned char>(result[0])) != 0 ? "_" + result : result;
}

// Words of Python, and what generated modules call their own.
const std::set<std::string, std::less<>> taken_words = {
    "and", "as",   "class", "def", "del",  "elif", "else",  "except", "finally", "for",   "from",  "global",
    "if",  "in",   "is",    "not", "or",   "pass", "raise", "return", "try",     "with",  "while", "yield",
    "w",   "self", "torch", "nn",  "json", "sys",  "F",     "HERE",   "lambda",  "import"};

class Names {
 public:
  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
  }

 private:
  std::set<std::string, std::less<>> taken_ = taken_words;
};

// A layer's own result bears its name, what follows the operator's besides.
std::string name_for(const Graph& graph, const Op& op) {
  const auto refs = refs_of(op);
  const bool of_layer = std::any_of(refs.begin(), refs.end(), [&](Ref ref) {
    return graph[ref].fixed && graph[ref].layer == op.layer && !op.layer.empty();
  });
  if (of_layer) return identifier(op.layer);
  const std::string base =
      op.layer.empty() && !refs.empty() && graph[refs[0]].kind == Value::Kind::input ? graph[refs[0]].name : op.layer;
  return identifier(base.empty() ? op.name : base + "_" + op.name);
}

void give_names(Graph& graph, const std::set<Ref>& read) {
  Names names;
  for (const FreeSize& free : graph.free) {
    std::string lower = free.name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    names.unique(lower);
  }
  for (const Ref input : graph.inputs) names.unique(graph[input].name);
  for (const Value& value : graph.values) {
    if (value.kind == Value::Kind::weight) names.unique(value.name);
  }
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].kind == Value::Kind::constant && read.contains({i}))
      graph.values[i].name = names.unique("constant");
  }
  for (const Op& op : graph.ops) {
    const std::string name = name_for(graph, op);
    for (const Ref output : op.outputs) graph[output].name = names.unique(name);
  }
}

}  // namespace

void simplify(Graph& graph) {
  for (const Ref input : graph.inputs) {  // as programs have whole numbers
    if (graph[input].example.scalar_type() == at::kInt) graph[input].example = graph[input].example.to(at::kLong);
  }
  drop_identities(graph);
  const auto read = drop_unread(graph);
  trace_layers(graph);
  give_names(graph, read);
}

}  // namespace vaetl::zoo::exporting
