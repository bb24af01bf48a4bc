// The optimisers, each a thin cover over LibTorch's fused kernels (the C++ torch::optim loops over tensors).
//   sgd    v ← μ v + (g + λ θ);  θ ← θ − η v  (Nesterov: g + λ θ + μ v)   Sutskever et al., ICML 2013, eq. 3–4
//   adam   arXiv:1412.6980, algorithm 1; weight decay is added to the gradient
//   adamw  arXiv:1711.05101, algorithm 2; weight decay is decoupled
#pragma once
#include <set>
#include <string_view>

#include "vaetl/train/optimizer.hpp"

namespace vaetl::optim {

class Sgd final : public Optimizer {
 public:
  static constexpr std::string_view name = "sgd";
  struct Options {
    double lr = 0.01, momentum = 0.9, weight_decay = 0;
    bool nesterov = false;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("lr", &O::lr, "learning rate", at_least(0)),
                        field("momentum", &O::momentum, "share of the last step that is kept", between(0, 1)),
                        field("weight_decay", &O::weight_decay, "L2 penalty added to the gradient", at_least(0)),
                        field("nesterov", &O::nesterov, "Nesterov's momentum")};
    }
    void validate() const;
  };
  explicit Sgd(Options options) : options_(options) {}
  void update(const ParameterSet& set, double scale) override;
  std::map<std::string, at::Tensor> state() const override;
  void load_state(const std::map<std::string, at::Tensor>& state) override;

 private:
  struct Lists {
    std::vector<at::Tensor> parameters, gradients, momentum;
  };
  Options options_;
  std::map<std::string, at::Tensor> momentum_;
};

struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  static constexpr auto fields() {
    using O = AdamOptions;
    return std::tuple{field("lr", &O::lr, "learning rate", at_least(0)),
                      field("beta1", &O::beta1, "decay of the first moment", between(0, 0.999999)),
                      field("beta2", &O::beta2, "decay of the second moment", between(0, 0.999999)),
                      field("eps", &O::eps, "added to the denominator", at_least(0)),
                      field("weight_decay", &O::weight_decay, "pull of the weights towards 0", at_least(0))};
  }
};

// State and steps of both kinds; the subclass names the kernel.
class AdamBase : public Optimizer {
 public:
  using Options = AdamOptions;
  explicit AdamBase(Options options) : options_(options) {}
  void update(const ParameterSet& set, double scale) override;
  std::map<std::string, at::Tensor> state() const override;
  void load_state(const std::map<std::string, at::Tensor>& state) override;

 protected:
  struct Lists {
    std::vector<at::Tensor> parameters, gradients, first, second, steps;
  };
  virtual void kernel(const Lists& lists, double lr, double weight_decay) = 0;
  const Options& options() const { return options_; }

 private:
  struct Moments {
    at::Tensor first, second;
    std::int64_t steps = 0;  // on the host: kernels only read it
  };
  Options options_;
  std::map<std::string, Moments> moments_;
};

class Adam final : public AdamBase {
 public:
  static constexpr std::string_view name = "adam";
  using AdamBase::AdamBase;

 private:
  void kernel(const Lists& lists, double lr, double weight_decay) override;
};

class AdamW final : public AdamBase {
 public:
  static constexpr std::string_view name = "adamw";
  using AdamBase::AdamBase;

 private:
  void kernel(const Lists& lists, double lr, double weight_decay) override;
};

}  // namespace vaetl::optim
