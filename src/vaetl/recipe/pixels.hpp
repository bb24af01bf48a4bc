// What models make as what people look at: pixels, and values in the data's own units.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

// Whether the model's input is a picture that a PNG file can hold: (C, H, W) with 1 or 3 channels.
bool sees_pictures(const Model& model);

// The values of black and white in the data, before the preprocessing that the weights carry.
Range pixel_range(const Model& model);

// Like the model's input → as the data were before the preprocessing that its weights carry.
at::Tensor own_units(const Model& model, const at::Tensor& values);

// (N, C, H, W) as the model sees them → uint8 on the CPU. Black and white are the ends of the range that the
// preprocessing maps from, or those of the model's signature where it maps none. DataError for another shape.
at::Tensor to_pixels(const Model& model, const at::Tensor& images);

// OutputError where the folder holds files.
void check_new_folder(const std::filesystem::path& folder);

// PNG files 0.png, 1.png, … with as many digits each, or of these names, in a folder that is new or empty. OutputError
// for another.
void write_pictures(const std::filesystem::path& folder, const at::Tensor& pixels,
                    const std::vector<std::string>& names = {});

}  // namespace vaetl::recipe
