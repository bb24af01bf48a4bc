#include "train/fixture.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "vaetl/core/random.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing {

Dataset blobs(std::int64_t count, std::int64_t classes, std::uint64_t seed, std::int64_t side) {
  auto generator = make_generator(seed + 77);
  const at::Tensor target = at::arange(count) % classes;
  at::Tensor input = at::rand({count, 1, side, side}, generator) * 90;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = target[i].item<std::int64_t>() * side / classes;
    input[i][0].slice(0, row, row + side / classes) += 120;
  }
  Fields fields;
  fields.set("input", input.to(at::kByte));
  fields.set("target", target);
  return Dataset::from_tensors(std::move(fields), {.name = "blobs"});
}

std::shared_ptr<Model> small(const std::string& name, Json options, std::uint64_t key, std::int64_t side) {
  options["input"] = {1, side, side};
  seed(key);
  return build({name, std::move(options)});
}

Checksum checksum(const torch::nn::Module& module) {
  Checksum result;
  for (const auto& [name, tensor] : state(module)) {
    const at::Tensor bytes = tensor.detach().to(at::kCPU).contiguous();
    result.tensors[name] = sha256_hex({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
  }
  return result;
}

}  // namespace vaetl::testing
