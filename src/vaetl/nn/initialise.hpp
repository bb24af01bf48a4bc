// Initial values other than a layer's own default, for a layer or all those in a block, which a shared pointer owns.
// They draw from the default generator.
#pragma once
#include <torch/nn/module.h>

namespace vaetl::nn {

enum class Fan { in, out };  // values that a result is summed from; results that a value goes into

// Convolutions: weights N(0, 2 / fan), which keeps the variance through relu (arXiv:1502.01852, eq. 10 and 14), biases
// 0.
void initialise_convolutions(torch::nn::Module& module, Fan fan);
// Linear layers: weights N(0, deviation²), biases 0.
void initialise_linears(torch::nn::Module& module, double deviation);
// Weights (U, U), or (U, U, k, k) with k odd: a layer that puts out what it takes.
void initialise_identity(at::Tensor weight);

}  // namespace vaetl::nn
