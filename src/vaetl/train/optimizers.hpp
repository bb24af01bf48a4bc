// The optimisers that recipes know. g gradient, θ parameter, η learning rate, λ weight decay.
//   sgd      momentum, Nesterov's                    optimizers/sgd.hpp
//   adam     decay added to the gradient             optimizers/adam.hpp
//   adamw    decoupled decay                         optimizers/adam.hpp
//   rmsprop  centred and with momentum on request    optimizers/rmsprop.hpp
//   adagrad                                          optimizers/adagrad.hpp
//   lars     SGD with a rate for each layer          optimizers/layerwise.hpp
//   lamb     Adam with a rate for each layer         optimizers/layerwise.hpp
//   lbfgs    quasi-Newton, for small problems        optimizers/lbfgs.hpp
//   sam      sharpness-aware, over any of the above  optimizers/sam.hpp
#pragma once
#include "vaetl/train/optimizers/adagrad.hpp"
#include "vaetl/train/optimizers/adam.hpp"
#include "vaetl/train/optimizers/layerwise.hpp"
#include "vaetl/train/optimizers/lbfgs.hpp"
#include "vaetl/train/optimizers/rmsprop.hpp"
#include "vaetl/train/optimizers/sam.hpp"
#include "vaetl/train/optimizers/sgd.hpp"
