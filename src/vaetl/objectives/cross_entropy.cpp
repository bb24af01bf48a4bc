#include "vaetl/objectives/cross_entropy.hpp"

#include "vaetl/nn/fused.hpp"
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

Terms CrossEntropy::terms(std::size_t /*update*/, Pass& pass) {
  const at::Tensor& logits = pass.logits();
  const Fields& fields = pass.fields();
  const auto losses = [&](const at::Tensor& target) {
    return nn::cross_entropy(logits, class_labels(target, logits.size(1), cross_entropy_by), options_.label_smoothing);
  };
  auto [each, right] = losses(fields.target());
  if (fields.has("target.other")) {
    const auto other = losses(fields["target.other"]);
    const at::Tensor mix = fields["mix"].to(each.scalar_type());
    each = mix * each + (1 - mix) * other.losses;
    right = at::where(mix.ge(0.5), right, other.right);
  }
  return Terms{}.add("cross_entropy", pass.mean(each)).log("accuracy", pass.mean(right));
}

}  // namespace vaetl::objectives
