// The objectives that recipes know by name: one line each.
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/simclr.hpp"

namespace vaetl {

template <>
Registry<Objective>& registry<Objective>() {
  static Registry<Objective> table = Registry<Objective>("objective")
                                         .add<objectives::CrossEntropy>()
                                         .add<objectives::Elbo>()
                                         .add<objectives::SimClr>();
  return table;
}

}  // namespace vaetl
