#include "vaetl/nn/targets.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl {

at::Tensor target_values(const at::Tensor& target, const at::Tensor& predictions, const std::string& by) {
  const at::Tensor values = target.dim() == 1 ? target.unsqueeze(1) : target;
  if (values.sizes() == predictions.sizes()) return values.to(predictions.scalar_type());
  throw DataError({by, "targets of shape " + shape_text(predictions.sizes().vec()) + ", as the model predicts",
                   shape_text(target.sizes().vec()), "give the model as many outputs as the data have values"});
}

}  // namespace vaetl
