// The objectives that recipes know by name: one line each.
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/simclr.hpp"
#include "vaetl/objectives/squared_error.hpp"

namespace vaetl {

template <>
Registry<Objective>& registry<Objective>() {
  static Registry<Objective> table = Registry<Objective>("objective")
                                         .add<objectives::CrossEntropy>()
                                         .add<objectives::Elbo>()
                                         .add<objectives::SimClr>()
                                         .add<objectives::SquaredError>();
  return table;
}

}  // namespace vaetl
