#include "vaetl/objectives/language_model.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::objectives {
namespace {

const std::string language_model_by = "objective language_model";

// Bound again for another training, it starts afresh.
at::Tensor fresh_buffer(torch::nn::Module& module, const std::string& name, const at::Tensor& value) {
  auto buffers = module.named_buffers(/*recurse=*/false);
  at::Tensor* found = buffers.find(name);
  if (found == nullptr) return module.register_buffer(name, value);
  found->set_data(value);
  return *found;
}

}  // namespace

void LanguageModel::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, language_model_by);
  const Fields& fields = example.find("train")->second;
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> state;
  const at::Tensor logits = require<SequenceModel>(model).unroll(fields, state);
  nn::step_labels(fields.target(), logits, {}, language_model_by, /*everywhere=*/true);
  if (state.empty()) {
    throw ConfigError({language_model_by, "windows of one text, read one way",
                       fields.has("length") ? "sequences with a length each" : "a model that reads both ways",
                       fields.has("length") ? "use the objective per_step" : "set bidirectional to false"});
  }
  if (!options_.carry) return;
  state_.clear();
  for (std::size_t i = 0; i < state.size(); ++i) {
    state_.push_back(fresh_buffer(*this, fmt::format("state{}", i), at::zeros_like(state[i])));
  }
  next_ = fresh_buffer(*this, "next", at::full({fields.size()}, -1, state[0].options().dtype(at::kLong)));
}

// Zeros where a row does not go on; a batch may have fewer rows than the first one.
std::vector<at::Tensor> LanguageModel::carried(Pass& pass) const {
  if (!options_.carry || pass.first_in_epoch()) return {};
  const Fields& fields = pass.fields();
  std::vector<at::Tensor> result;
  for (const at::Tensor& part : state_) {
    at::Tensor rows = part.narrow(1, 0, fields.size());
    if (fields.has("index")) {
      rows = rows * fields["index"].eq(next_.narrow(0, 0, fields.size())).unsqueeze(1);
    }
    result.push_back(rows);
  }
  return result;
}

void LanguageModel::keep(const Fields& fields, const std::vector<at::Tensor>& state) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < state_.size(); ++i) state_[i].narrow(1, 0, fields.size()).copy_(state[i]);
  if (fields.has("index")) next_.narrow(0, 0, fields.size()).copy_(fields["index"] + 1);
}

Terms LanguageModel::terms(std::size_t /*update*/, Pass& pass) {
  const Fields& fields = pass.fields();
  auto state = carried(pass);
  const at::Tensor logits = require<SequenceModel>(pass.model()).unroll(fields, state);
  if (options_.carry) keep(fields, state);
  const at::Tensor labels = nn::step_labels(fields.target(), logits, {}, language_model_by);
  const at::Tensor each = nn::cross_entropy(logits.flatten(0, 1), labels.flatten()).view(labels.sizes());
  return Terms{}.add("cross_entropy", pass.mean(each.mean(1)));
}

}  // namespace vaetl::objectives
