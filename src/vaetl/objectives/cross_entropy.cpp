#include "vaetl/objectives/cross_entropy.hpp"

#include "vaetl/nn/labels.hpp"

namespace vaetl::objectives {
namespace {
const std::string by = "objective cross_entropy";
}

void CrossEntropy::Options::validate() const {
  if (label_smoothing >= 0 && label_smoothing < 1) return;
  throw ConfigError({by, "label_smoothing of at least 0 and below 1", fmt::format("{}", label_smoothing), {}});
}

void CrossEntropy::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, by);
  class_labels(example.find("train")->second.target(), require<Classifier>(model).classes(), by, /*everywhere=*/true);
}

Terms CrossEntropy::terms(std::size_t /*update*/, Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const at::Tensor labels = class_labels(pass.fields().target(), logits.size(1), by);
  const at::Tensor losses =
      at::cross_entropy_loss(logits, labels, {}, at::Reduction::None, /*ignore_index=*/-100, options_.label_smoothing);
  const at::Tensor right = logits.detach().argmax(1).eq(labels).to(logits.scalar_type());
  return Terms{}.add("cross_entropy", pass.mean(losses)).log("accuracy", pass.mean(right));
}

}  // namespace vaetl::objectives
