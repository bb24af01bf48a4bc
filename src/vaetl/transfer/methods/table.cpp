// The methods that recipes know by name: one line each.
#include "vaetl/transfer/method.hpp"
#include "vaetl/transfer/methods/adapters.hpp"
#include "vaetl/transfer/methods/bn_frozen.hpp"
#include "vaetl/transfer/methods/delta.hpp"
#include "vaetl/transfer/methods/discriminative.hpp"
#include "vaetl/transfer/methods/fine_tune.hpp"
#include "vaetl/transfer/methods/full.hpp"
#include "vaetl/transfer/methods/gradual.hpp"
#include "vaetl/transfer/methods/l2_sp.hpp"
#include "vaetl/transfer/methods/linear_probe.hpp"
#include "vaetl/transfer/methods/lp_ft.hpp"
#include "vaetl/transfer/methods/partial.hpp"
#include "vaetl/transfer/methods/probe.hpp"
#include "vaetl/transfer/methods/scratch.hpp"

namespace vaetl {

template <>
Registry<transfer::Method>& registry<transfer::Method>() {
  static Registry<transfer::Method> table = Registry<transfer::Method>("method")
                                                .add<transfer::FineTune>()
                                                .add<transfer::Full>()
                                                .add<transfer::Scratch>()
                                                .add<transfer::Probe>()
                                                .add<transfer::LinearProbe>()
                                                .add<transfer::LpFt>()
                                                .add<transfer::Partial>()
                                                .add<transfer::Discriminative>()
                                                .add<transfer::GradualUnfreezing>()
                                                .add<transfer::BnFrozen>()
                                                .add<transfer::L2SpMethod>()
                                                .add<transfer::DeltaMethod>()
                                                .add<transfer::Lora>()
                                                .add<transfer::Ia3>()
                                                .add<transfer::Bottleneck>();
  return table;
}

}  // namespace vaetl
