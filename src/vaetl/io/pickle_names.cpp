// The closed list of what a file may name.
#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/pickle_machine.hpp"
#include "vaetl/io/utf8.hpp"

namespace vaetl::pickle {
namespace {

using Type = at::ScalarType;

constexpr Known known_names[] = {
    {"torch._utils._rebuild_tensor", Make::tensor},
    {"torch._utils._rebuild_tensor_v2", Make::tensor},
    {"torch._utils._rebuild_tensor_v3", Make::typed_tensor},
    {"torch._utils._rebuild_parameter", Make::parameter},
    {"torch._utils._rebuild_parameter_with_state", Make::parameter},
    {"torch._tensor._rebuild_from_type_v2", Make::retyped},
    {"torch.Tensor", Make::type},
    {"torch.nn.parameter.Parameter", Make::type},
    {"torch.nn.parameter.Buffer", Make::type},
    {"collections.OrderedDict", Make::dict},
    {"collections.Counter", Make::dict},
    {"torch.Size", Make::numbers},
    {"torch.device", Make::text},
    {"__builtin__.set", Make::list},
    {"builtins.set", Make::list},
    {"__builtin__.frozenset", Make::list},
    {"builtins.frozenset", Make::list},
    {"_codecs.encode", Make::bytes},
    {"__builtin__.bytes", Make::bytes},
    {"builtins.bytes", Make::bytes},
    {"__builtin__.bytearray", Make::bytes},
    {"builtins.bytearray", Make::bytes},
    {"numpy.dtype", Make::number_type},
    {"numpy.core.multiarray.scalar", Make::number},
    {"numpy._core.multiarray.scalar", Make::number},
    {"torch.storage.UntypedStorage", Make::storage},
    {"torch.UntypedStorage", Make::storage},
    {"torch.DoubleStorage", Make::storage, Type::Double},
    {"torch.FloatStorage", Make::storage, Type::Float},
    {"torch.HalfStorage", Make::storage, Type::Half},
    {"torch.BFloat16Storage", Make::storage, Type::BFloat16},
    {"torch.LongStorage", Make::storage, Type::Long},
    {"torch.IntStorage", Make::storage, Type::Int},
    {"torch.ShortStorage", Make::storage, Type::Short},
    {"torch.CharStorage", Make::storage, Type::Char},
    {"torch.ByteStorage", Make::storage, Type::Byte},
    {"torch.BoolStorage", Make::storage, Type::Bool},
    {"torch.ComplexFloatStorage", Make::storage, Type::ComplexFloat},
    {"torch.ComplexDoubleStorage", Make::storage, Type::ComplexDouble},
    {"torch.float64", Make::dtype, Type::Double},
    {"torch.float32", Make::dtype, Type::Float},
    {"torch.float16", Make::dtype, Type::Half},
    {"torch.bfloat16", Make::dtype, Type::BFloat16},
    {"torch.int64", Make::dtype, Type::Long},
    {"torch.int32", Make::dtype, Type::Int},
    {"torch.int16", Make::dtype, Type::Short},
    {"torch.int8", Make::dtype, Type::Char},
    {"torch.uint8", Make::dtype, Type::Byte},
    {"torch.bool", Make::dtype, Type::Bool},
    {"torch.complex64", Make::dtype, Type::ComplexFloat},
    {"torch.complex128", Make::dtype, Type::ComplexDouble},
    {"torch.uint16", Make::dtype, Type::UInt16},
    {"torch.uint32", Make::dtype, Type::UInt32},
    {"torch.uint64", Make::dtype, Type::UInt64},
    {"torch.float8_e4m3fn", Make::dtype, Type::Float8_e4m3fn},
    {"torch.float8_e5m2", Make::dtype, Type::Float8_e5m2},
    {"torch.float8_e4m3fnuz", Make::dtype, Type::Float8_e4m3fnuz},
    {"torch.float8_e5m2fnuz", Make::dtype, Type::Float8_e5m2fnuz},
};

// "a pickled object of class "models.LeNet"", "a pickled call of "os.system"": by Python's way of writing names.
std::string describe_global(const std::string& name) {
  if (!is_utf8(name)) return "a pickled object of a class whose name is not UTF-8";
  const auto dot = name.rfind('.');
  const char first = dot + 1 < name.size() ? name[dot + 1] : ' ';
  const bool is_class = first >= 'A' && first <= 'Z';
  return fmt::format("a pickled {} {}", is_class ? "object of class" : "call of", quote(name, 100));
}

}  // namespace

const Known* find_known(std::string_view name) {
  const auto found = std::find_if(std::begin(known_names), std::end(known_names),
                                  [&](const Known& known) { return known.name == name; });
  return found == std::end(known_names) ? nullptr : found;
}

std::string_view name_of(const Global& global) { return global.known->name; }

// Storages of a GPU are read to the CPU.
void Machine::push_global(std::string_view module, std::string_view name) {
  const bool on_gpu = module == "torch.cuda" && name.ends_with("Storage");
  const std::string full = fmt::format("{}.{}", on_gpu ? "torch" : module, name);
  const Known* known = find_known(full);
  if (known != nullptr) return push(Global{known});
  const bool tensor = full.starts_with("torch._utils._rebuild_");
  throw FileError({where_, "tensors, dicts, lists, numbers and strings", describe_global(full),
                   tensor ? "save dense tensors of plain types instead" : "save model.state_dict() instead"});
}

}  // namespace vaetl::pickle
