// Sparse and contractive codes; values against PyTorch are in tests/models/autoencoder_test.cpp.
#include "vaetl/objectives/sparsity.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tanh.h>

#include "nn/numeric_gradient.hpp"
#include "objectives/support.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/objectives/contractive.hpp"

namespace vaetl::testing::sparsity_test {
namespace {

// x (N, F) → f(x W), f a test's own.
class ShallowCoder final : public Model, public Encoder {
 public:
  using Function = at::Tensor (*)(const at::Tensor&);
  ShallowCoder(std::int64_t size, std::int64_t code, Function function, Range range = {})
      : Model({"shallow_coder", Json::object()}), function_(function), range_(range) {
    weight = register_parameter("weight", at::randn({size, code}, at::kDouble));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"encoder", {"weight"}}}; }
  Signature signature() const override { return {{{"input", {{weight.size(0)}, at::kDouble, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return function_(fields.input().matmul(weight)); }
  Range feature_range() const override { return range_; }
  std::int64_t feature_size() const override { return weight.size(1); }
  ModelSpec classifier(std::int64_t) const override { return spec(); }

  at::Tensor weight;

 private:
  Function function_;
  Range range_;
};

at::Tensor plain(const at::Tensor& x) { return x.clone(); }
at::Tensor squash(const at::Tensor& x) { return at::sigmoid(x); }
at::Tensor bend(const at::Tensor& x) { return at::tanh(x); }

at::Tensor loss_of(Objective& objective, Model& model, const Batch& data) {
  Pass pass(model, data);
  return objective.terms(0, pass).total();
}

Batch codes(const at::Tensor& code) { return batch({{"features", code}}); }

TEST(Sparsity, OptionsAreDescribed) {
  expect_fields_cover<objectives::SparsityKl::Options>();
  expect_fields_cover<objectives::Contractive::Options>();
}

TEST(Sparsity, NothingIsAskedAtTheTarget) {
  ShallowCoder model(2, 3, squash);
  const auto kl = make<objectives::SparsityKl>({.rho = 0.2});
  const at::Tensor half = at::tensor({0.1, 0.2, 0.3}, at::kDouble);
  expect_near(loss_of(*kl, model, codes(at::stack({half, 0.4 - half}))), at::zeros({}, at::kDouble));
  const at::Tensor one = at::full({1, 1}, 0.5, at::kDouble);
  expect_near(loss_of(*kl, model, codes(one)),
              at::scalar_tensor(0.2 * std::log(0.4) + 0.8 * std::log(1.6), at::kDouble));
}

TEST(Sparsity, DeadAndFullUnitsStayFinite) {
  ShallowCoder model(2, 3, squash);
  const auto kl = make<objectives::SparsityKl>();
  for (const double activity : {0.0, 1.0}) {
    EXPECT_TRUE(std::isfinite(loss_of(*kl, model, codes(at::full({4, 3}, activity, at::kDouble))).item<double>()));
  }
}

TEST(Sparsity, ActivitiesAreWeighted) {
  ShallowCoder model(2, 1, squash);
  const auto kl = make<objectives::SparsityKl>({.rho = 0.25});
  Batch data = codes(at::tensor({0.1, 0.4}, at::kDouble).unsqueeze(1));
  data.begin()->second.set("weight", at::tensor({1.0, 1.0}, at::kDouble));
  expect_near(loss_of(*kl, model, data), at::zeros({}, at::kDouble));
  data.begin()->second.set("weight", at::tensor({1.0, 0.0}, at::kDouble));
  const double expected = 0.25 * std::log(2.5) + 0.75 * std::log(0.75 / 0.9);
  expect_near(loss_of(*kl, model, data), at::scalar_tensor(expected, at::kDouble));
}

TEST(Sparsity, L1SumsSizes) {
  ShallowCoder model(2, 2, plain);
  const auto l1 = make<objectives::SparsityL1>();
  const at::Tensor code = at::tensor({1.0, -2.0, 0.5, 0.0}, at::kDouble).reshape({2, 2});
  expect_near(loss_of(*l1, model, codes(code)), at::scalar_tensor(1.75, at::kDouble));
}

TEST(Sparsity, GradientsEqualDifferences) {
  at::manual_seed(4);
  const Batch data = batch({{"input", at::rand({3, 4}, at::kDouble)}});
  for (const std::string name : {"sparsity_kl", "sparsity_l1"}) {
    ShallowCoder model(4, 3, squash);
    const auto objective = make<Objective>(name, Json::object());
    expect_gradients([&] { return loss_of(*objective, model, data); }, {model.weight});
  }
}

// What a model says of all its codes counts: those of the first batch may lie in [0, 1] by chance, as these do.
TEST(Sparsity, CodesMustBeSharesForTheDivergence) {
  const Batch data = batch({{"input", at::zeros({3, 4}, at::kDouble)}});
  const auto kl = make<objectives::SparsityKl>();
  ShallowCoder right(4, 3, squash, between(0, 1));
  EXPECT_NO_THROW(kl->bind(right, data));
  const auto refuse = [&](Range range, const std::string& found) {
    ShallowCoder wrong(4, 3, plain, range);
    expect_error<ConfigError>([&] { kl->bind(wrong, data); },
                              {"objective sparsity_kl: expected codes in [0, 1], whatever the weights, found " + found +
                                   " of \"shallow_coder\"",
                               "code_activation of an autoencoder"});
  };
  refuse({}, "codes without bounds");
  refuse(at_least(0), "codes from 0 on");
  refuse(between(-1, 1), "codes from -1 to 1");
  refuse({.high = 1}, "codes up to 1");
  expect_error<ConfigError>(
      [] {
        make_objective(Json{{"name", "sparsity_kl"}, {"rho", 0}});
      },
      {"objective.rho", "found 0"});
  const BareModel bare;
  for (const std::string name : {"sparsity_l1", "contractive"}) {
    expect_error<ConfigError>([&] { check_needs(make<Objective>(name, Json::object())->needs(), bare, {}, name); },
                              {name + ": expected a model that offers Encoder"});
  }
}

// Of tanh(x W) it is Σ_j (1 − h_j²)² Σ_i W_ij² (Rifai et al. 2011 have it for the sigmoid).
TEST(Contractive, EqualsTheClosedFormOfOneLayer) {
  at::manual_seed(6);
  ShallowCoder model(5, 3, bend);
  const Batch data = batch({{"input", at::rand({4, 5}, at::kDouble)}});
  const at::Tensor code = model.encode(data.begin()->second);
  const at::Tensor expected = (1 - code.square()).square().matmul(model.weight.square().sum(0)).mean();
  expect_near(loss_of(*make<objectives::Contractive>({.exact = true}), model, data), expected.detach());
}

// Examples count by themselves, and by their weights.
TEST(Contractive, IsTheMeanOverExamples) {
  ShallowCoder model(5, 3, bend);
  const at::Tensor x = at::rand({2, 5}, at::kDouble);
  const auto exact = make<objectives::Contractive>({.exact = true});
  const at::Tensor first = loss_of(*exact, model, batch({{"input", x.slice(0, 0, 1)}}));
  const at::Tensor second = loss_of(*exact, model, batch({{"input", x.slice(0, 1, 2)}}));
  expect_near(loss_of(*exact, model, batch({{"input", x}})), (0.5 * (first + second)).detach());
  const Batch weighted = batch({{"input", x}, {"weight", at::tensor({0.0, 2.0}, at::kDouble)}});
  expect_near(loss_of(*exact, model, weighted), second.detach());
}

// With one value in the code the signs do not count; with more the mean of many draws is the exact value: 4000 draws of
// a relative deviation of about 1 leave 1/√4000 = 0.016, of which three are allowed.
TEST(Contractive, IsEstimatedWithoutBias) {
  at::manual_seed(7);
  const auto exact = make<objectives::Contractive>({.exact = true}), estimate = make<objectives::Contractive>();
  ShallowCoder one(5, 1, bend);
  const Batch data = batch({{"input", at::rand({4, 5}, at::kDouble)}});
  expect_near(loss_of(*estimate, one, data), loss_of(*exact, one, data).detach());
  ShallowCoder many(5, 6, bend);
  const Batch repeated = batch({{"input", data.begin()->second.input().repeat({1000, 1})}});
  const double expected = loss_of(*exact, many, data).item<double>();
  EXPECT_NEAR(loss_of(*estimate, many, repeated).item<double>(), expected, 0.05 * expected);
}

TEST(Contractive, GradientsEqualDifferences) {
  at::manual_seed(8);
  const Batch data = batch({{"input", at::rand({3, 4}, at::kDouble)}});
  for (const bool exact : {true, false}) {
    ShallowCoder model(4, 3, squash);
    const auto objective = make<objectives::Contractive>({.exact = exact});
    auto loss = [&] {
      at::manual_seed(3);  // the same signs each time
      return loss_of(*objective, model, data);
    };
    expect_gradients(loss, {model.weight});
  }
}

}  // namespace
}  // namespace vaetl::testing::sparsity_test
