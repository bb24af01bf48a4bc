#include "vaetl/recipe/reconstruct.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/nn/rebuild.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/recipe/pixels.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe {
namespace {

// The last row is filled up with white.
at::Tensor whole_rows(const at::Tensor& pixels, std::int64_t columns) {
  const std::int64_t missing = (columns - pixels.size(0) % columns) % columns;
  auto sizes = pixels.sizes().vec();
  sizes[0] = missing;
  return at::cat({pixels, at::full(sizes, 255, pixels.options())});
}

double tokens_rebuilt(const at::Tensor& inputs, const at::Tensor& outputs) {
  const at::Tensor tokens = inputs.ne(nn::padding_id);
  const std::int64_t count = tokens.sum().item<std::int64_t>();
  const std::int64_t same = inputs.eq(outputs).logical_and(tokens).sum().item<std::int64_t>();
  return count == 0 ? 1 : static_cast<double>(same) / static_cast<double>(count);
}

// By the metrics of that name.
std::map<std::string, double> rebuilding_errors(Model& model, const Dataset& data, const at::Tensor& inputs) {
  std::vector<std::string> errors = {"reconstruction_mse"};
  const bool unit = inputs.ge(0).logical_and_(inputs.le(1)).all().item<bool>();
  if (unit) errors.emplace_back("reconstruction_bce");
  return evaluate(model, data, errors);
}

}  // namespace

Reconstructed reconstruct(Model& model, const Dataset& data) {
  require_capability(model, Encoder::capability, "reconstruct");
  require_capability(model, Decoder::capability, "reconstruct");
  std::vector<at::Tensor> inputs, outputs;
  visit(model, data, [&](Pass& pass) {
    inputs.push_back(pass.fields().input().to(at::kCPU));
    outputs.push_back(rebuild(pass, "reconstruct")->mean().to(at::kCPU));
  });
  Reconstructed result{at::cat(inputs), at::cat(outputs), {}};
  if (result.inputs.is_floating_point()) {
    result.metrics = rebuilding_errors(model, data, result.inputs);
  } else {
    result.metrics["tokens_rebuilt"] = tokens_rebuilt(result.inputs, result.outputs);
  }
  return result;
}

at::Tensor reconstruction_grid(const Model& model, const Reconstructed& pictures, std::int64_t columns) {
  columns = std::min(columns, pictures.inputs.size(0));
  const at::Tensor above = whole_rows(to_pixels(model, pictures.inputs), columns);
  const at::Tensor below = whole_rows(to_pixels(model, pictures.outputs), columns);
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < above.size(0); i += columns) {
    rows.push_back(above.slice(0, i, i + columns));
    rows.push_back(below.slice(0, i, i + columns));
  }
  return image_grid(at::cat(rows), columns);
}

}  // namespace vaetl::recipe
