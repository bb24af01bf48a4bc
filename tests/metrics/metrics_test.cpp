// Values of metrics against the reference of tests/parity/objectives.py, in one batch and in uneven ones.
#include "objectives/support.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::testing::metrics_test {
namespace {

Fields part(const Fields& fields, std::int64_t begin, std::int64_t end) {
  Fields result;
  for (const auto& [key, value] : fields) result.set(key, value.slice(0, begin, end));
  return result;
}

// The metric over batches that end at `ends`.
double score(const std::string& name, ToyModel& model, const Batch& data, std::vector<std::int64_t> ends) {
  const auto metric = make<Metric>(name, Json::object());
  const Fields& all = data.begin()->second;
  std::int64_t begin = 0;
  for (std::int64_t end : ends) {
    const Batch some = {{"train", part(all, begin, end)}};
    Pass pass(model, some);
    metric->update(pass);
    begin = end;
  }
  return metric->result();
}

double number(const std::string& name) { return reference(name).item<double>(); }

Batch labelled(bool weighted) {
  Batch data = batch({{"features", reference("cross_entropy.logits")}, {"target", reference("cross_entropy.labels")}});
  if (weighted) data.begin()->second.set("weight", reference("cross_entropy.weight"));
  return data;
}

TEST(Metrics, ClassificationEqualsPyTorch) {
  ToyModel model(4, 2);
  const Batch data = labelled(false);
  for (const auto& ends : {std::vector<std::int64_t>{6}, {4, 6}, {1, 2, 6}}) {
    EXPECT_NEAR(score("accuracy", model, data, ends), number("cross_entropy.accuracy"), tolerance);
    EXPECT_NEAR(score("cross_entropy", model, data, ends), number("cross_entropy.plain.loss"), tolerance);
  }
}

TEST(Metrics, InstanceWeightsCountOverBatches) {
  ToyModel model(4, 2);
  const Batch data = labelled(true);
  for (const auto& ends : {std::vector<std::int64_t>{6}, {1, 6}}) {
    EXPECT_NEAR(score("cross_entropy", model, data, ends), number("cross_entropy.plain.weighted"), tolerance);
  }
}

TEST(Metrics, ElboEqualsPyTorch) {
  ToyModel model(8, 3);
  Batch data =
      batch({{"input", reference("elbo.x")}, {"mean", reference("elbo.mean")}, {"log_var", reference("elbo.log_var")}});
  model.offset = reference("elbo.logits");
  const double expected = -number("elbo.reconstruction") - number("elbo.kl");
  EXPECT_NEAR(score("elbo", model, data, {5}), expected, tolerance);
  EXPECT_NEAR(score("reconstruction_mse", model, data, {5}), number("elbo.mse"), tolerance);
  data.begin()->second.set("weight", reference("elbo.weight"));
  EXPECT_NEAR(score("elbo", model, data, {5}), number("elbo.weighted_elbo"), tolerance);
}

// The code is drawn, always alike, and nobody else's random numbers move.
TEST(Metrics, ElboDrawsFromItsOwnGenerator) {
  ToyModel model(8, 3);
  model.decoder.set_data(at::ones({3, 8}, at::kDouble));
  const Batch data =
      batch({{"input", reference("elbo.x")}, {"mean", reference("elbo.mean")}, {"log_var", reference("elbo.log_var")}});
  at::manual_seed(1);
  const double first = score("elbo", model, data, {2, 5});
  const at::Tensor after = at::rand({2});
  EXPECT_EQ(score("elbo", model, data, {2, 5}), first);
  at::manual_seed(1);
  EXPECT_TRUE(at::equal(at::rand({2}), after));
  const auto likelihood = model.decode(reference("elbo.mean"));
  const double at_the_mean = likelihood->log_prob(reference("elbo.x")).mean().item<double>() - number("elbo.kl");
  EXPECT_GT(std::abs(first - at_the_mean), 1e-3);
}

// The reconstruction is of the posterior's mean.
TEST(Metrics, ReconstructionDoesNotDraw) {
  ToyModel model(8, 3);
  model.decoder.set_data(at::ones({3, 8}, at::kDouble));
  const Batch data =
      batch({{"input", reference("elbo.x")}, {"mean", reference("elbo.mean")}, {"log_var", reference("elbo.log_var")}});
  const at::Tensor rebuilt = reference("elbo.mean").sum(1, true).expand({5, 8}).sigmoid();
  EXPECT_NEAR(score("reconstruction_mse", model, data, {5}),
              (rebuilt - reference("elbo.x")).square().mean().item<double>(), tolerance);
}

TEST(Metrics, KnowWhichWayIsBetter) {
  const std::map<std::string, bool> higher = {{"accuracy", true},
                                              {"cross_entropy", false},
                                              {"top_k", true},
                                              {"ece", false},
                                              {"auroc", true},
                                              {"knn", true},
                                              {"elbo", true},
                                              {"nll", false},
                                              {"reconstruction_mse", false},
                                              {"reconstruction_bce", false},
                                              {"psnr", true},
                                              {"ssim", true},
                                              {"rmse", false},
                                              {"mae", false},
                                              {"r2", true},
                                              {"nats_per_token", false},
                                              {"bits_per_token", false},
                                              {"perplexity", false},
                                              {"step_accuracy", true},
                                              {"step_rmse", false}};
  EXPECT_EQ(registry<Metric>().names().size(), higher.size());
  for (const auto& [name, better] : higher) {
    EXPECT_EQ(make<Metric>(name, Json::object())->higher_is_better(), better) << name;
  }
}

TEST(Metrics, NeedCapabilities) {
  EXPECT_EQ(make<Metric>("accuracy", Json::object())->needs().capabilities, std::vector<std::string>{"Classifier"});
  EXPECT_EQ(make<Metric>("elbo", Json::object())->needs().capabilities, std::vector<std::string>{"Variational"});
}

TEST(Metrics, Mistakes) {
  ToyModel model(4, 2);
  Batch data = labelled(false);
  expect_error<DataError>([&] { score("accuracy", model, data, {}); }, {"metric accuracy", "at least one example"});
  data.begin()->second.set("target", reference("cross_entropy.labels") + 2);
  expect_error<DataError>([&] { score("accuracy", model, data, {6}); },
                          {"metric accuracy", "the label 5 at position 1"});
  expect_error<DataError>([&] { score("cross_entropy", model, data, {6}); },
                          {"metric cross_entropy", "labels from 0 to 3"});
  expect_error<ConfigError>([] { make<Metric>("acuracy", Json::object()); }, {"metric", "did you mean \"accuracy\"?"});
}

}  // namespace
}  // namespace vaetl::testing::metrics_test
