// The precompiled header of the rooms above nn, owned by nn and reused by the apps and their tests.
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/module.h>

#include "precompiled.hpp"
