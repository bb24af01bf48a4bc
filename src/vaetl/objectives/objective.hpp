// What is minimised: named terms of a batch, in one or more updates, each over its own layer groups. An objective is a
// module: networks that it needs besides (a projection head, a discriminator) are its submodules, so they are moved,
// optimised, saved and resumed with no further code, and never reach the zoo.
//
// A new one is one file and one line in a table (objectives/table.cpp, or registry<Objective>().add<Mine>() in a
// program).
#pragma once
#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vaetl/core/registry.hpp"
#include "vaetl/core/schedule.hpp"
#include "vaetl/nn/pass.hpp"

namespace vaetl {

// One optimiser update. Groups are patterns over the model's layer groups; "objective.*" are the objective's own
// parameters.
struct Update {
  std::string name = "train";
  std::vector<std::string> groups = {"*", "objective.*"};
  std::int64_t every = 1;  // done on steps with (step + 1) % every == 0
  bool ahead = false;      // its terms may compute with a graph what the next update goes on from: see Pass::ahead()
};

// The named terms of one update. A value that is not a single number is an Error (internal): reduce with Pass::mean.
class Terms {
 public:
  Terms& add(std::string name, at::Tensor value);                    // 0-dim, weight applied, on the device
  Terms& log(std::string name, at::Tensor value);                    // reported, not minimised
  Terms& append(const Terms& other, const at::Tensor& weight = {});  // weight: on what is minimised
  at::Tensor total() const;                                          // the sum of what is minimised
  Terms detached() const;                                            // the same values without their graph
  using Named = std::vector<std::pair<std::string, at::Tensor>>;
  const Named& minimised() const { return minimised_; }
  const Named& logged() const { return logged_; }

 private:
  Named minimised_, logged_;
};

class Objective : public torch::nn::Module {
 public:
  using Kind = Objective;
  virtual Needs needs() const = 0;
  virtual std::vector<Update> updates() const { return {Update{}}; }
  // Called once, before the first update and before a checkpoint is loaded: every size is known, auxiliary networks and
  // buffers are made here, drawing from the default generator.
  virtual void bind(Model&, const Batch& /*example*/) {}
  virtual Terms terms(std::size_t update, Pass& pass) = 0;
  // terms().total().backward(), returning the terms without their graph. Another method's own gradient (SAM, Reptile)
  // overrides it; as a part of a sum it counts by its terms.
  virtual Terms backward(std::size_t update, Pass& pass);
};

template <>
Registry<Objective>& registry<Objective>();  // objectives/table.cpp

// A sum: at most one part has several updates, the others join its last. Names of equal terms get their position
// ("cross_entropy.0", "cross_entropy.1"). Parts are submodules "0", "1", …; a factor's part is its submodule "part".
std::shared_ptr<Objective> operator+(std::shared_ptr<Objective> a, std::shared_ptr<Objective> b);
std::shared_ptr<Objective> operator*(Schedule weight, std::shared_ptr<Objective> objective);

// From a recipe: a name, {"name": …, options, "weight": schedule}, or an array, which is a sum.
std::shared_ptr<Objective> make_objective(const Json& json, const std::string& path = "objective");
// The same description with every option written out.
Json complete_objective(const Json& json, const std::string& path = "objective");

// ConfigError for a capability or views that are missing and for mixed labels that would be read as if they were not,
// DataError for a stream or a field; each says what there is, and `by` begins the message.
void check_needs(const Needs& needs, const Model& model, const Batch& example, const std::string& by);

}  // namespace vaetl
