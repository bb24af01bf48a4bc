// A picture with the content of one and the style of another (Gatys, Ecker and Bethge, arXiv:1508.06576): the picture x
// itself is optimised, so that features of a trained encoder are like the content's, and their correlations like the
// style's. With F (C, M) what a layer makes of x, P of the content and A = S Sᵀ / M of the style's features S,
//   content  mean (F − P)² / mean P²                    of one layer          (equation 1)
//   style    mean over layers of ‖F Fᵀ / M − A‖² / ‖A‖²                       (equations 3 to 5)
//   smooth   mean of the squared differences between neighbouring shades
//   loss     content + style_weight · style + smoothness · smooth             (equation 7)
// The denominators, which the paper has not, make a weight mean the same whatever the network and the layer.
//
//   const auto styled = transfer_style(*zoo::load("mobilenet-v1-025-imagenet").model, photo, painting);
//   write_png("styled.png", styled.picture);
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

struct StyleOptions {
  std::int64_t steps = 300, size = 384;  // size: of the picture's longer side, and of the style's
  double style_weight = 20, smoothness = 100;
  double rate = 0.03;  // of Adam, in shades from 0 to 1
  // Layer groups, or layers of them (nn/taps.hpp); empty: of the layers whose maps have at least an eighth of the
  // picture's side the last one, and the last one of each size down to a sixteenth.
  std::string content_layer = {};
  std::vector<std::string> style_layers = {};
};

struct StyleLosses {
  double content = 0, style = 0, smooth = 0, total = 0;
};

struct Styled {
  at::Tensor picture;  // uint8 (C, H, W), on the CPU
  StyleLosses before, after;
  std::string content_layer;
  std::vector<std::string> style_layers;
};

// Pictures are uint8 (C, H, W) of as many channels as the model sees. It starts from the content and draws no random
// numbers. `progress` is told the steps that are done. ConfigError: a model that is no encoder of pictures, layers that
// it does not have or that put out no maps; DivergedError.
Styled transfer_style(const Model& model, const at::Tensor& content, const at::Tensor& style,
                      const StyleOptions& options = {},
                      const std::function<void(std::int64_t step, const StyleLosses&)>& progress = {});

}  // namespace vaetl::recipe
