#include "vaetl/zoo/export/python.hpp"

#include <algorithm>
#include <functional>

#include "vaetl/core/json.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::zoo::exporting {
namespace {

constexpr std::int64_t longest_constant = 64;  // that stands in the text

// How a call is written: torch.NAME(…), F.NAME(…), self.NAME(…) of the first argument, or an infix operator.
enum class Callee { torch, functional, method, infix };

struct PythonForm {
  Callee callee;
  std::string name = {};   // empty: the operator's own
  std::size_t plain = 99;  // arguments from this one on are written with their names
};

const std::map<std::string, PythonForm, std::less<>> python_forms = {
    {"abs", {Callee::torch}},
    {"adaptive_avg_pool2d", {Callee::functional}},
    {"add", {Callee::infix, "+"}},
    {"addcmul", {Callee::torch}},
    {"addmm", {Callee::torch}},
    {"amax", {Callee::method}},
    {"amin", {Callee::method}},
    {"argmax", {Callee::torch}},
    {"avg_pool2d", {Callee::functional}},
    {"bmm", {Callee::torch}},
    {"cat", {Callee::torch}},
    {"clamp", {Callee::torch}},
    {"clamp_max", {Callee::torch}},
    {"clamp_min", {Callee::torch}},
    {"conv2d", {Callee::functional, "", 3}},
    {"conv_transpose2d", {Callee::functional, "", 3}},
    {"cumsum", {Callee::torch}},
    {"div", {Callee::infix, "/"}},
    {"dot", {Callee::torch}},
    {"elu", {Callee::functional}},
    {"eq", {Callee::infix, "=="}},
    {"erf", {Callee::torch}},
    {"exp", {Callee::torch}},
    {"expand", {Callee::method}},
    {"expand_as", {Callee::method}},
    {"flatten", {Callee::torch}},
    {"flip", {Callee::torch}},
    {"floor", {Callee::torch}},
    {"gather", {Callee::torch}},
    {"ge", {Callee::infix, ">="}},
    {"gelu", {Callee::functional}},
    {"glu", {Callee::functional}},
    {"gru", {Callee::torch, "", 3}},
    {"gt", {Callee::infix, ">"}},
    {"hardtanh", {Callee::functional}},
    {"index_select", {Callee::torch}},
    {"isnan", {Callee::torch}},
    {"layer_norm", {Callee::functional}},
    {"le", {Callee::infix, "<="}},
    {"leaky_relu", {Callee::functional}},
    {"lerp", {Callee::torch}},
    {"linear", {Callee::functional}},
    {"log", {Callee::torch}},
    {"log1p", {Callee::torch}},
    {"log_softmax", {Callee::torch}},
    {"logical_and", {Callee::torch}},
    {"logical_not", {Callee::torch}},
    {"logical_or", {Callee::torch}},
    {"logsumexp", {Callee::torch}},
    {"lstm", {Callee::torch, "", 3}},
    {"lt", {Callee::infix, "<"}},
    {"masked_fill", {Callee::torch}},
    {"matmul", {Callee::torch}},
    {"max_pool2d", {Callee::functional, "", 2}},
    {"maximum", {Callee::torch}},
    {"mean", {Callee::torch}},
    {"minimum", {Callee::torch}},
    {"mm", {Callee::torch}},
    {"mul", {Callee::infix, "*"}},
    {"mv", {Callee::torch}},
    {"narrow", {Callee::torch}},
    {"ne", {Callee::infix, "!="}},
    {"neg", {Callee::torch}},
    {"norm", {Callee::torch}},
    {"permute", {Callee::torch}},
    {"pow", {Callee::infix, "**"}},
    {"reciprocal", {Callee::torch}},
    {"relu", {Callee::functional}},
    {"remainder", {Callee::infix, "%"}},
    {"reshape", {Callee::torch}},
    {"reshape_as", {Callee::method}},
    {"round", {Callee::torch}},
    {"rsqrt", {Callee::torch}},
    {"scaled_dot_product_attention", {Callee::functional}},
    {"scatter", {Callee::torch}},
    {"scatter_add", {Callee::torch}},
    {"searchsorted", {Callee::torch}},
    {"select", {Callee::torch}},
    {"sigmoid", {Callee::torch}},
    {"silu", {Callee::functional}},
    {"softmax", {Callee::torch}},
    {"softplus", {Callee::functional}},
    {"special_ndtr", {Callee::torch, "special.ndtr"}},
    {"split", {Callee::torch}},
    {"sqrt", {Callee::torch}},
    {"square", {Callee::torch}},
    {"squeeze", {Callee::torch}},
    {"stack", {Callee::torch}},
    {"sub", {Callee::infix, "-"}},
    {"sum", {Callee::torch}},
    {"t", {Callee::torch}},
    {"tanh", {Callee::torch}},
    {"to", {Callee::method}},
    {"topk", {Callee::torch}},
    {"transpose", {Callee::torch}},
    {"unbind", {Callee::torch}},
    {"unflatten", {Callee::torch}},
    {"unsqueeze", {Callee::torch}},
    {"var", {Callee::torch}},
    {"view", {Callee::torch, "reshape"}},
    {"view_as", {Callee::method, "reshape_as"}},
    {"where", {Callee::torch}},
    {"zeros_like", {Callee::torch}},
    {"ones_like", {Callee::torch}},
    {"full_like", {Callee::torch}},
    {"new_zeros", {Callee::method}},
    {"_unsafe_view", {Callee::torch, "reshape"}},
};

// What says where and how a tensor lies in memory, and what a trained model does not draw.
const std::set<std::string, std::less<>> without_meaning = {"layout",       "device", "pin_memory",    "memory_format",
                                                            "non_blocking", "copy",   "cudnn_enabled", "generator"};

const std::set<std::string, std::less<>> single_numbers = {"kernel_size", "stride",         "padding",
                                                           "dilation",    "output_padding", "output_size"};

std::string number_text(double value) {
  if (std::isnan(value)) return "float(\"nan\")";
  if (std::isinf(value)) return value < 0 ? "float(\"-inf\")" : "float(\"inf\")";
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string in_brackets(const std::vector<std::string>& parts) {
  return "(" + join(parts) + (parts.size() == 1 ? ",)" : ")");
}

class PythonWriter {
 public:
  explicit PythonWriter(const Graph& graph) : graph_(graph) {}

  PythonMethod method(const std::string& name) {
    prefix_ = name == "forward" ? "" : name + "_";
    for (const Op& op : graph_.ops) write(op);
    const std::string result = text_of(graph_.output);
    std::vector<std::string> parameters = {"self"};
    for (const Ref input : graph_.inputs) parameters.push_back(graph_[input].name);
    std::string text = fmt::format("    def {}({}):\n", name, join(parameters));
    if (reads_weights_) text += "        w = self.weights()\n";
    for (const Ref input : graph_.inputs) {
      const bool real = at::isFloatingType(graph_[input].example.scalar_type());
      text += fmt::format("        {0} = {0}.{1}()\n", graph_[input].name, real ? "float" : "long");
    }
    for (const FreeSize& size : graph_.free) {
      if (!read_sizes_.contains(size.name)) continue;
      text += fmt::format("        {} = {}.shape[{}]\n", lower(size.name), graph_[size.input].name, size.axis);
    }
    return {text + lines_ + "        return " + result + "\n", std::move(constants_)};
  }

 private:
  static std::string lower(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
  }

  void line(const std::string& text) { lines_ += "        " + text + "\n"; }

  void write(const Op& op) {
    const std::string call = call_text(op);
    std::vector<std::string> names;
    for (const Ref output : op.outputs) names.push_back(graph_[output].name);
    const Value& first = graph_[op.outputs[0]];
    const bool several = names.size() > 1 || op.name == "unbind" || op.name == "split";
    line(fmt::format("{} = {}  # {}", several ? one_list(names) : names[0], call, shape_text(graph_, first.shape)));
  }

  static std::string one_list(const std::vector<std::string>& names) {
    return names.size() == 1 ? names[0] + "," : join(names);
  }

  // Those whose words differ from ATen's.
  std::optional<std::string> special_call(const Op& op) {
    const auto self = [&] { return text_of(op.tensor("self")); };
    if (op.name == "embedding") {
      return fmt::format("F.embedding({}, {})", text_of(op.tensor("indices")), text_of(op.tensor("weight")));
    }
    if (op.name == "batch_norm" && !op.flag("training")) {
      return fmt::format("F.batch_norm({}, {}, {}, {}, {}, eps={})", text_of(op.tensor("input")),
                         text_of(op.tensor("running_mean")), text_of(op.tensor("running_var")),
                         argument_text(op["weight"]), argument_text(op["bias"]), number_text(op.number("eps")));
    }
    if (op.name == "constant_pad_nd") {
      return fmt::format("F.pad({}, {}, value={})", self(), argument_text(op["pad"]), argument_text(op["value"]));
    }
    if (op.name == "slice") return slice_text(op);
    if (op.name == "arange") return factory_text(op, {"start", "end", "step"});
    if (op.name == "zeros" || op.name == "ones") return factory_text(op, {"size"});
    if (op.name == "full") return factory_text(op, {"size", "fill_value"});
    return std::nullopt;
  }

  std::string slice_text(const Op& op) {
    std::string before;
    const std::int64_t rank = static_cast<std::int64_t>(graph_[op.tensor("self")].shape.size());
    const std::int64_t dim = op.integer("dim") < 0 ? op.integer("dim") + rank : op.integer("dim");
    for (std::int64_t i = 0; i < dim; ++i) before += ":, ";
    const auto bound = [&](const char* name, std::int64_t otherwise) {
      if (!op.has(name)) return std::string();
      const Size size = op.size(name);
      const bool whole = size.constant() && (size.fixed == otherwise || size.fixed == INT64_MAX);
      return whole ? std::string() : size_text(size);
    };
    const std::string step = bound("step", 1);
    return fmt::format("{}[{}{}:{}{}]", text_of(op.tensor("self")), before, bound("start", 0), bound("end", INT64_MAX),
                       step.empty() ? step : ":" + step);
  }

  // On the device of the inputs.
  std::string factory_text(const Op& op, const std::vector<std::string>& arguments) {
    std::vector<std::string> parts;
    for (const std::string& name : arguments) {
      if (op.has(name)) parts.push_back(argument_text(op[name]));
    }
    parts.push_back("dtype=" + python_dtype(graph_[op.outputs[0]].example.scalar_type()));
    parts.push_back("device=" + device_text());
    return fmt::format("torch.{}({})", op.name, join(parts));
  }

  std::string device_text() const { return graph_[graph_.inputs[0]].name + ".device"; }

  std::string call_text(const Op& op) {
    if (const auto special = special_call(op)) return *special;
    const auto found = python_forms.find(op.name);
    if (found == python_forms.end()) refuse_operator(op, "Python");
    const PythonForm& form = found->second;
    const std::string name = form.name.empty() ? op.name : form.name;
    if (form.callee == Callee::infix && is_plain_infix(op)) {
      return fmt::format("{} {} {}", argument_text(op.arguments[0].value), name, argument_text(op.arguments[1].value));
    }
    auto parts = arguments_of(op, form.plain);
    if (form.callee == Callee::method) {
      const std::string self = parts[0];
      parts.erase(parts.begin());
      return fmt::format("{}.{}({})", self, name, join(parts));
    }
    return fmt::format("{}.{}({})", form.callee == Callee::functional ? "F" : "torch",
                       form.callee == Callee::infix ? op.name : name, join(parts));
  }

  static bool is_plain_infix(const Op& op) {
    return op.arguments.size() >= 2 && std::all_of(op.arguments.begin() + 2, op.arguments.end(),
                                                   [](const NamedArgument& each) { return each.by_default; });
  }

  std::vector<std::string> arguments_of(const Op& op, std::size_t plain) {
    std::vector<std::string> parts;
    bool named = false;
    for (const NamedArgument& argument : op.arguments) {
      if (argument.by_default || without_meaning.contains(argument.name)) {
        named = true;
        continue;
      }
      named = named || argument.keyword_only || parts.size() >= plain;
      const std::string text = argument.name == "dtype" ? dtype_text(argument.value) : shape_or_text(op, argument);
      parts.push_back(named ? argument.name + "=" + text : text);
    }
    return parts;
  }

  // Of a new shape one size can be left to be found; one number stands for several equal ones.
  std::string shape_or_text(const Op& op, const NamedArgument& argument) {
    const Sizes* sizes = std::get_if<Sizes>(&argument.value);
    if (sizes && !sizes->empty() && single_numbers.contains(argument.name) &&
        std::count(sizes->begin(), sizes->end(), sizes->front()) == static_cast<std::ptrdiff_t>(sizes->size())) {
      return size_text(sizes->front());
    }
    const bool reshapes = op.name == "view" || op.name == "reshape" || op.name == "_unsafe_view";
    const bool fills_itself = sizes && std::count(sizes->begin(), sizes->end(), Size{-1}) > 0;
    if (!sizes || !reshapes || fills_itself || !one_is_open(*sizes)) return argument_text(argument.value);
    std::vector<std::string> parts;
    for (const Size& size : *sizes) parts.push_back(size.constant() ? std::to_string(size.fixed) : "-1");
    return in_brackets(parts);
  }

  std::string dtype_text(const Argument& argument) const {
    const Size* size = std::get_if<Size>(&argument);
    return size ? python_dtype(static_cast<at::ScalarType>(size->fixed)) : "None";
  }

  std::string argument_text(const Argument& argument) {
    if (const Ref* ref = std::get_if<Ref>(&argument)) return text_of(*ref);
    if (const Size* size = std::get_if<Size>(&argument)) return size_text(*size);
    if (const double* value = std::get_if<double>(&argument)) return number_text(*value);
    if (const bool* value = std::get_if<bool>(&argument)) return *value ? "True" : "False";
    if (const std::string* value = std::get_if<std::string>(&argument)) return python_text(*value);
    std::vector<std::string> parts;
    if (const Refs* refs = std::get_if<Refs>(&argument)) {
      for (const auto& each : *refs) parts.push_back(each ? text_of(*each) : "None");
    } else if (const Sizes* sizes = std::get_if<Sizes>(&argument)) {
      for (const Size& each : *sizes) parts.push_back(size_text(each));
    } else if (const auto* values = std::get_if<std::vector<double>>(&argument)) {
      for (const double each : *values) parts.push_back(number_text(each));
    } else {
      return "None";
    }
    return in_brackets(parts);
  }

  std::string size_text(const Size& size) {
    std::string text;
    for (std::size_t i = 0; i < size.of.size(); ++i) {
      if (size.of[i] == 0) continue;
      read_sizes_.insert(graph_.free[i].name);
      const std::string factor = size.of[i] == 1 ? "" : fmt::format("{} * ", size.of[i]);
      text += (text.empty() ? "" : " + ") + factor + lower(graph_.free[i].name);
    }
    if (text.empty()) return std::to_string(size.fixed);
    return size.fixed == 0 ? text : text + fmt::format(" {} {}", size.fixed < 0 ? "-" : "+", std::abs(size.fixed));
  }

  std::string text_of(Ref ref) {
    const Value& value = graph_[ref];
    if (value.kind == Value::Kind::weight) {
      reads_weights_ = true;
      return fmt::format("w[{}]", python_text(value.name));
    }
    return value.kind == Value::Kind::constant ? constant_text(value) : value.name;
  }

  // Written into the method where it is first read.
  std::string constant_text(const Value& value) {
    if (value.example.numel() > longest_constant) {
      constants_[prefix_ + value.name] = value.example.contiguous();
      return "self." + prefix_ + value.name;
    }
    if (written_.insert(value.name).second) {
      const at::Tensor all = value.example.to(at::kDouble).contiguous();
      const bool whole = !at::isFloatingType(value.example.scalar_type());
      std::vector<std::string> parts;
      for (std::int64_t i = 0; i < all.numel(); ++i) {
        const double each = all.const_data_ptr<double>()[i];
        parts.push_back(whole ? std::to_string(static_cast<std::int64_t>(each)) : number_text(each));
      }
      const std::string shape = value.example.dim() == 1 ? "" : ".reshape(" + python_shape(value.example.sizes()) + ")";
      line(fmt::format("{} = torch.tensor([{}], dtype={}, device={}){}", value.name, join(parts),
                       python_dtype(value.example.scalar_type()), device_text(), shape));
    }
    return value.name;
  }

  const Graph& graph_;
  std::string lines_, prefix_;
  std::set<std::string> read_sizes_, written_;
  std::map<std::string, at::Tensor> constants_;
  bool reads_weights_ = false;
};

}  // namespace

PythonMethod python_method(const Graph& graph, const std::string& name) { return PythonWriter(graph).method(name); }

// JSON's strings are Python's, but for halves of characters beyond the first 65536, which stay as they are.
std::string python_text(const std::string& text) {
  return Json(text).dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string python_shape(at::IntArrayRef sizes) {
  std::vector<std::string> parts;
  for (const std::int64_t size : sizes) parts.push_back(std::to_string(size));
  return in_brackets(parts);
}

std::string python_dtype(at::ScalarType type) { return "torch." + dtype_name(type); }

}  // namespace vaetl::zoo::exporting
