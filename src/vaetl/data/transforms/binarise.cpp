#include "vaetl/data/transforms/binarise.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

// The probabilities that a static draw came from.
constexpr const char* probability_field = "input.probability";

constexpr std::int64_t hash_prime = (std::int64_t{1} << 31) - 1;

}  // namespace

// Two steps of universal hashing modulo a prime p: an example's key is Σ a_d v_d, a value's number (b_d key + c_d) / p,
// with a, b, c drawn once for all by position. Products stay below 2⁶² and sums of up to 2²³ values below 2⁶³.
at::Tensor uniform_by_content(const at::Tensor& values) {
  const at::Tensor levels = values.flatten(1).clamp(0, 1).mul(255).round().to(at::kLong);
  at::Generator generator = make_generator(random_key(0, Purpose::augment));
  const at::Tensor drawn = at::randint(1, hash_prime, {3, levels.size(1)}, generator, at::TensorOptions(at::kLong));
  const at::Tensor by_position = to_device(drawn, values.device());
  const at::Tensor key = levels.mul(by_position[0]).sum(1, true).remainder(hash_prime);
  const at::Tensor number = key.mul(by_position[1]).add_(by_position[2]).remainder_(hash_prime);
  return number.to(at::kDouble).div_(static_cast<double>(hash_prime)).view(values.sizes());
}

void Binarise::Options::validate() const {
  if (how == "threshold" || threshold == Options().threshold) return;
  throw ConfigError({"binarise.threshold", "no threshold where values are drawn", fmt::format("{}", threshold),
                     "leave it out, or set how to threshold"});
}

Binarise::Binarise(Options options) : options_(std::move(options)) { options_.validate(); }

void Binarise::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor x = fields.input();
  const auto set = [&](const at::Tensor& ones) { fields.set("input", ones.to(x.scalar_type())); };
  if (options_.how == "threshold") return set(x.gt(options_.threshold));
  if (options_.how == "static") {
    fields.set(probability_field, x);
    return set(uniform_by_content(x).lt(x));
  }
  const at::Tensor probability = fields.has(probability_field) ? fields[probability_field] : x;
  const at::Tensor u = at::rand(x.sizes(), generator, at::TensorOptions(x.scalar_type()));
  set(to_device(u, x.device()).lt(probability));
}

}  // namespace vaetl::transforms
