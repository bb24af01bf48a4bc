// What most optimisers share: tensors of state by parameter name, and the lists that fused kernels take, made anew only
// when the parameters change, or which of them have gradients, so that a step looks up no name and builds no list.
//
//   class SignDescent final : public optim::FirstOrder {  // θ ← θ − η sign(g)
//    public:
//     static constexpr std::string_view name = "sign_descent";
//     struct Options { double lr = 1e-3; static constexpr auto fields() { … } };
//     explicit SignDescent(Options options) : FirstOrder({}), options_(options) {}
//
//    private:
//     void update(const Lists& l, double scale) override {
//       at::_foreach_sign_(l.gradients);
//       at::_foreach_add_(l.parameters, l.gradients, -options_.lr * l.lr_scale * scale);
//     }
//     Options options_;
//   };
#pragma once
#include <optional>

#include "vaetl/train/optimizer.hpp"

namespace vaetl::optim {

class FirstOrder : public Optimizer {
 public:
  void set_parameters(std::vector<ParameterSet> sets) final;
  void step(double scale, const Evaluation& evaluation = {}) final;
  bool divide(bool wanted) final;
  void settle() final;
  void advance(double scale) final;
  void compute() final;
  std::int64_t layout() const final { return layout_; }
  std::map<std::string, at::Tensor> state() const final;
  void load_state(const std::map<std::string, at::Tensor>& state) final;

 protected:
  struct Slot {  // one tensor of a parameter's shape
    std::string name;
    double start = 0;
  };
  enum class Counts { no, yes };  // whether it needs to know how many steps a parameter has taken
  // Parameters with equal settings and equally many steps.
  struct Lists {
    std::vector<at::Tensor> parameters, gradients;
    std::vector<std::vector<at::Tensor>> slots;  // in the constructor's order, each one tensor a parameter
    std::vector<at::Tensor> counters;            // where it counts: `steps` on the device, one tensor for all
    std::int64_t steps = 0;                      // this one included
    at::Tensor lr;  // for steps that are divided: lr() · lr_scale · scale, 0-dim, on the device; undefined otherwise
    double lr_scale = 1.0, weight_decay_scale = 1.0;
  };

  explicit FirstOrder(std::vector<Slot> slots, Counts counts = Counts::no)
      : slots_(std::move(slots)), counts_(counts == Counts::yes) {}
  virtual void update(const Lists& lists, double scale) = 0;
  // The rate of an optimiser that can be divided: where `lists.lr` is defined, update() reads it, `lists.counters` and
  // no other number that changes.
  virtual std::optional<double> lr() const { return std::nullopt; }
  // step(the rate of such an optimiser): the tensor or the number.
  template <class Step>
  void at_rate(const Lists& lists, double scale, const Step& step) const {
    lists.lr.defined() ? step(lists.lr) : step(*lr() * lists.lr_scale * scale);
  }

 private:
  // Of one parameter. How many steps it has taken is exact through freezing and thawing.
  struct State {
    std::vector<at::Tensor> slots;
    std::int64_t steps = 0;
  };
  struct Work {
    Lists lists;
    double lr = 0;  // that lists.lr holds
    std::vector<State*> states;
  };

  bool resolved() const;
  void resolve();
  State& state_of(const std::string& name, const at::Tensor& parameter);
  std::size_t slot_index(const std::string& key, const std::string& slot) const;

  std::vector<Slot> slots_;
  bool counts_;
  std::vector<ParameterSet> sets_;
  std::map<std::string, State> states_;  // its entries stay where they are
  bool stale_ = true, divided_ = false;
  double scale_ = 1;           // of this step
  std::int64_t layout_ = 0;    // how often the lists were made
  std::vector<char> present_;  // which parameters had gradients when the lists were made
  std::vector<Work> work_;
};

}  // namespace vaetl::optim
