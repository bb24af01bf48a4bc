// A wider or deeper model that computes what a trained one does (Net2Net, arXiv:1511.05641): it starts from that
// instead of from nothing. As everywhere a model is described again, built and loaded; what its weights become is
// found from how its layers read one another, so any model of dense and convolutional layers can grow.
//
//   Grown wide = grow(*teacher, {.model = {{"channels", {64, 128}}, {"dense", {256}}}});
//   Trainer({.epochs = 3}).fit(wide.model, …);
//
// Wider (section 2.2): of a layer's units the first are the source's, each further one repeats a random one of these:
// U_i,j = W_i,g(j); what reads them shares the weight out among the copies, V_g(j) = W_g(j) / |{k: g(k) = g(j)}|. Equal
// copies would stay equal, so their shares differ by `noise`, whose sum over the copies is 0: the paper adds noise to
// the copies themselves, which changes what is computed.
// Deeper (section 2.3): a layer that the source lacks starts as the identity. That asks for an activation that leaves
// its own outputs as they are (relu), and for no norm behind it. Between layers that exist stands the component
// `layer` (nn/components.hpp), which leaves all names as they are.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl {

// As the names of a LoadRule.
struct MovedNames {
  std::string from = "*", to = "*";
  static constexpr auto fields() {
    return std::tuple{field("from", &MovedNames::from, "pattern over the source's names"),
                      field("to", &MovedNames::to, "name in the grown model; * stands for what * matched")};
  }
};

struct GrowOptions {
  Json model = Json::object();        // changes to the source's options: {"widths": [512]}
  std::vector<MovedNames> load = {};  // where new layers move the others along
  double noise = 0.1;                 // of shares, in standard deviations of the weights
  static constexpr auto fields() {
    using G = GrowOptions;
    return std::tuple{
        field("model", &G::model, "changes to the source's description: wider, or with more layers"),
        field("load", &G::load, "rules for names, where new layers move the others along"),
        field("noise", &G::noise,
              "by which the shares of a unit's copies differ, in standard deviations of the weights", between(0, 10))};
  }
};

struct Grown {
  std::shared_ptr<Model> model;  // in the source's mode, on the CPU, with its preprocessing
  double difference = 0;  // largest, relative to each output's largest value, over drawn inputs in evaluation mode
  std::string text = {};  // for people, a line
  Json json = {};         // {"wider": {LAYER: [units, units]}, "deeper": [LAYER], "difference"}
};

// Draws from the default generator. ConfigError: a description that is not wider or deeper, units whose number cannot
// change (what the model puts out, say), a model that computes something else (by more than 1e-5 of its outputs).
Grown grow(const Model& source, const GrowOptions& options);

}  // namespace vaetl
