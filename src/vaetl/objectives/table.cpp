// The objectives that recipes know by name: one line each.
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/contractive.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/delta.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/iwae.hpp"
#include "vaetl/objectives/l2_sp.hpp"
#include "vaetl/objectives/language_model.hpp"
#include "vaetl/objectives/per_step.hpp"
#include "vaetl/objectives/reconstruction.hpp"
#include "vaetl/objectives/restoration.hpp"
#include "vaetl/objectives/simclr.hpp"
#include "vaetl/objectives/sparsity.hpp"
#include "vaetl/objectives/squared_error.hpp"

namespace vaetl {

template <>
Registry<Objective>& registry<Objective>() {
  static Registry<Objective> table = Registry<Objective>("objective")
                                         .add<objectives::CrossEntropy>()
                                         .add<objectives::Adversarial>()
                                         .add<objectives::Elbo>()
                                         .add<objectives::Iwae>()
                                         .add<objectives::SimClr>()
                                         .add<objectives::Reconstruction>()
                                         .add<objectives::Restoration>()
                                         .add<objectives::SparsityKl>()
                                         .add<objectives::SparsityL1>()
                                         .add<objectives::Contractive>()
                                         .add<objectives::SquaredError>()
                                         .add<objectives::LanguageModel>()
                                         .add<objectives::PerStep>()
                                         .add<objectives::L2Sp>()
                                         .add<objectives::Delta>();
  return table;
}

}  // namespace vaetl
