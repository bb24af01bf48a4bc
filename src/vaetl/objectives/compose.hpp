// Objectives made of objectives. operator+ and operator* of objective.hpp make them.
#pragma once
#include <vector>

#include "vaetl/objectives/objective.hpp"

namespace vaetl {

// w(progress) · L. The part is the submodule "part".
class Weighted final : public Objective {
 public:
  Weighted(Schedule weight, std::shared_ptr<Objective> part);
  Needs needs() const override { return part_->needs(); }
  std::vector<Update> updates() const override;
  void bind(Model& model, const Batch& example) override { part_->bind(model, example); }
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Schedule weight_;
  std::shared_ptr<Objective> part_;
};

// L₀ + L₁ + …; the parts are the submodules "0", "1", …. ConfigError where two parts have several updates each, or
// where one is to be updated more seldom than the update that it joins.
class Sum final : public Objective {
 public:
  explicit Sum(std::vector<std::shared_ptr<Objective>> parts);
  Needs needs() const override;
  std::vector<Update> updates() const override;
  // Needs of a part over other streams than the first part's cannot be merged, so each part's are checked here.
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;
  const std::vector<std::shared_ptr<Objective>>& parts() const { return parts_; }

 private:
  void join(Update& update, std::size_t part) const;

  std::vector<std::shared_ptr<Objective>> parts_;
  std::size_t lead_ = 0;  // the part that says which updates there are
};

}  // namespace vaetl
