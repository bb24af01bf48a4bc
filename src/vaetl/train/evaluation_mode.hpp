// For whoever runs a model in the midst of its training: nothing stays changed. Internal to train and recipe.
#pragma once
#include <ATen/core/Generator.h>
#include <torch/nn/module.h>

#include <memory>
#include <utility>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl {

// Evaluation mode for a while; each module gets its own mode back, frozen ones too.
class EvaluationMode {
 public:
  explicit EvaluationMode(Model& model);
  ~EvaluationMode();
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_;
};

// Noise in a metric (a sampled latent) is the same at every evaluation, and the program's own random state is
// untouched.
class EvaluationNoise {
 public:
  explicit EvaluationNoise(c10::Device device);
  ~EvaluationNoise();
  EvaluationNoise(const EvaluationNoise&) = delete;
  EvaluationNoise& operator=(const EvaluationNoise&) = delete;

 private:
  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

}  // namespace vaetl
