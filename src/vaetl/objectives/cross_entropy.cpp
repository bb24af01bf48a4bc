#include "vaetl/objectives/cross_entropy.hpp"

#include "vaetl/nn/labels.hpp"

namespace vaetl::objectives {
namespace {
const std::string cross_entropy_by = "objective cross_entropy";
}

void CrossEntropy::Options::validate() const {
  if (label_smoothing >= 0 && label_smoothing < 1) return;
  throw ConfigError(
      {cross_entropy_by, "label_smoothing of at least 0 and below 1", fmt::format("{}", label_smoothing), {}});
}

void CrossEntropy::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, cross_entropy_by);
  class_labels(example.find("train")->second.target(), require<Classifier>(model).classes(), cross_entropy_by,
               /*everywhere=*/true);
}

at::Tensor CrossEntropy::losses(const at::Tensor& logits, const at::Tensor& labels) const {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::None, /*ignore_index=*/-100,
                                options_.label_smoothing);
}

Terms CrossEntropy::terms(std::size_t /*update*/, Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const Fields& fields = pass.fields();
  at::Tensor labels = class_labels(fields.target(), logits.size(1), cross_entropy_by);
  at::Tensor each = losses(logits, labels);
  if (fields.has("target.other")) {
    const at::Tensor other = class_labels(fields["target.other"], logits.size(1), cross_entropy_by);
    const at::Tensor mix = fields["mix"].to(logits.scalar_type());
    each = mix * each + (1 - mix) * losses(logits, other);
    labels = at::where(mix.ge(0.5), labels, other);
  }
  const at::Tensor right = logits.detach().argmax(1).eq(labels).to(logits.scalar_type());
  return Terms{}.add("cross_entropy", pass.mean(each)).log("accuracy", pass.mean(right));
}

}  // namespace vaetl::objectives
