// What a model makes of a batch. Internal to zoo.
#pragma once
#include <string>

#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::zoo {

// What it puts out: "logits" of a classifier, "predictions" of a regressor, "steps" of a sequence model, "features" of
// another encoder, "restored" of a restorer, else "generated".
std::string output_of(const Model& model);

// "input" (N, …), with "length" where sequences are padded and "condition" where the model is conditional, on any
// device → what it puts out, on the CPU, in parts, without gradients; predictions and restored
// pictures in their own units.
at::Tensor compute(Model& model, const Fields& batch, const Preprocess& preprocess);

// That for fields as the model takes them, where it is; `preprocess` gives predictions their units.
at::Tensor output_for(Model& model, const Fields& fields, const Preprocess& preprocess);

}  // namespace vaetl::zoo
