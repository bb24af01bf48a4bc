#include "vaetl/train/optimizers.hpp"

namespace vaetl {

template <>
Registry<Optimizer>& registry<Optimizer>() {
  static Registry<Optimizer> table = Registry<Optimizer>("optimizer")
                                         .add<optim::Sgd>()
                                         .add<optim::Adam>()
                                         .add<optim::AdamW>()
                                         .add<optim::RmsProp>()
                                         .add<optim::Adagrad>()
                                         .add<optim::Lars>()
                                         .add<optim::Lamb>()
                                         .add<optim::Lbfgs>()
                                         .add<optim::Sam>();
  return table;
}

}  // namespace vaetl
