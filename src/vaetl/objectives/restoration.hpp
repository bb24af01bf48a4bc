// What a restorer minimises (nn/restorer.hpp): how far what it makes of the damaged input is from the clean one, the
// mean over an example's elements of
//   squared   (x − x̂)²     the most decibels
//   absolute  |x − x̂|      (Zhao et al., arXiv:1511.08861, section III.A)
// Term "restoration". The damage is drawn anew for every batch; an autoencoder has the objective reconstruction with
// the same `corrupt`. DataError where the input cannot have this damage.
//
//   auto objective = make<objectives::Restoration>({.corrupt = spec<corruptions::Halve>()});
#pragma once
#include "vaetl/objectives/corruption.hpp"
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Restoration final : public Objective {
 public:
  static constexpr std::string_view name = "restoration";
  struct Options {
    std::string loss = "squared";
    Spec<Corruption> corrupt = spec<corruptions::Gaussian>();
    static constexpr auto fields() {
      return std::tuple{
          choice("loss", &Options::loss, "of one difference", {"squared", "absolute"}),
          field("corrupt", &Options::corrupt, "the damage to repair, such as gaussian, box, strokes or halve")};
    }
  };

  explicit Restoration(const Options& options);
  Needs needs() const override { return {.capabilities = {"Restorer"}, .fields = {"input"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  std::string loss_;
  std::shared_ptr<Corruption> corruption_;
  FieldInfo input_ = {};
};

}  // namespace vaetl::objectives
