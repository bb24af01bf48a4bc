// Repairs that need no model, which one has to be better than. Pictures (N, C, H, W), floating.
#pragma once
#include <ATen/core/Tensor.h>

namespace vaetl::recipe {

// The median of the `side` × `side` neighbours, odd; beyond its edge a picture goes on with its last pixels.
at::Tensor median_filtered(const at::Tensor& x, std::int64_t side = 3);

// Where `missing`, bool, like x or with one channel for all: the harmonic function that goes on from the pixels that
// are there, every missing one the mean of its neighbours within the picture, found by conjugate gradients. A channel
// of which nothing is there stays as it is.
at::Tensor diffused(const at::Tensor& x, const at::Tensor& missing);

// Of pictures of half the size (objectives/picture_corruption.hpp) those of `height` by `width`, bicubic (a = −0.5).
at::Tensor enlarged(const at::Tensor& half, std::int64_t height, std::int64_t width);

}  // namespace vaetl::recipe
