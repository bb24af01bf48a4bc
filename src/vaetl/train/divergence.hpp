// Where numbers stopped being finite. Internal to train.
#pragma once
#include <string>
#include <vector>

#include "vaetl/core/batch.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/train/optimizer.hpp"

namespace vaetl {

// Reads all of them at once.
bool all_finite(const std::vector<at::Tensor>& tensors);

// "the weights of head", or empty: all are finite.
std::string weights_not_finite(const Model& model);

// `"input" of the stream train`, or empty.
std::string data_not_finite(const Batch& batch);

// Looks at the gradients of every update, while steps are done again, until it finds some that are not finite.
class Autopsy {
 public:
  void look(const Model& model, const std::vector<ParameterSet>& sets, std::int64_t step);
  const std::string& finding() const { return finding_; }  // "the gradients of latent at step 37"; empty: nothing

 private:
  std::string finding_;
};

}  // namespace vaetl
