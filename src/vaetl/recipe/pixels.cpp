#include "vaetl/recipe/pixels.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl::recipe {
namespace {

Preprocess carried_preprocess(const Model& model) {
  return model.preprocess().is_null() ? Preprocess() : Preprocess::from_json(model.preprocess());
}

FieldInfo seen_input(const Model& model) {
  const auto inputs = model.signature().inputs;
  const auto found = inputs.find("input");
  return found == inputs.end() ? FieldInfo{.shape = {}, .dtype = at::kFloat, .low = 0, .high = 0} : found->second;
}

}  // namespace

// Pictures that were not scaled before they were standardised are bytes.
Range pixel_range(const Model& model) {
  const FieldInfo input = seen_input(model);
  const Range seen = input.low < input.high ? between(input.low, input.high) : between(0, 1);
  return carried_preprocess(model).raw_range(seen).value_or(between(0, 255));
}

bool sees_pictures(const Model& model) {
  const auto shape = seen_input(model).shape;
  return shape.size() == 3 && (shape[0] == 1 || shape[0] == 3);
}

at::Tensor own_units(const Model& model, const at::Tensor& values) {
  return carried_preprocess(model).restore("input", values.to(at::kCPU));
}

at::Tensor to_pixels(const Model& model, const at::Tensor& images) {
  if (images.dim() != 4) {
    throw DataError({"pictures", "images (N, C, H, W)", shape_text(images.sizes().vec()), "write a .npy file"});
  }
  const Range range = pixel_range(model);
  const at::Tensor share = (own_units(model, images) - range.low) / (range.high - range.low);
  return share.clamp(0, 1).mul(255).round().to(at::kByte);
}

void check_new_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored) || std::filesystem::is_empty(folder, ignored)) return;
  throw OutputError({folder.string(), "a folder that is new or empty", "one that holds files", "name another"});
}

void write_pictures(const std::filesystem::path& folder, const at::Tensor& pixels,
                    const std::vector<std::string>& names) {
  check_new_folder(folder);
  const std::size_t digits = std::to_string(pixels.size(0) - 1).size();
  AtomicFolder files(folder);
  for (std::int64_t i = 0; i < pixels.size(0); ++i) {
    const std::string name = names.empty() ? fmt::format("{:0{}}.png", i, digits) : names.at(i);
    write_png(files.path() / name, pixels[i]);
  }
  files.commit();
}

}  // namespace vaetl::recipe
