// Rows of predictions: the numbers are the forward pass's, whatever the batches; what is left out, told and refused.
#include "vaetl/recipe/predict_stream.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <sstream>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/recipe/encode.hpp"
#include "vaetl/recipe/further.hpp"

namespace vaetl::testing::predict_stream_test {
namespace {

using recipe::Predicted;
using recipe::PredictOptions;

Pretrained classifier() {
  seed(1);
  Pretrained loaded{.model = build({"mlp", {{"input", {4}}, {"widths", {8}}, {"classes", 3}}})};
  loaded.model->eval();
  loaded.card.classes = {"a", "b, c", "d"};
  return loaded;
}

Dataset some_data(std::int64_t count) {
  Fields fields;
  fields.set("input", at::randn({count, 4}, make_generator(5), at::TensorOptions()));
  return Dataset::from_tensors(fields);
}

// A stream in which every third example is bad.
class Gaps final : public FurtherStream {
 public:
  explicit Gaps(std::int64_t batches, bool all_bad = false) : left_(batches), all_bad_(all_bad) {}
  bool next(std::int64_t, FurtherExamples& examples) override {
    examples = {};
    if (left_-- == 0) return false;
    if (left_ % 3 == 0 || all_bad_) {
      examples.problems.push_back({fmt::format("file {}", left_), "a picture", "none", {}});
    } else {
      examples.fields.set("input", at::ones({1, 4}));
      examples.names.push_back(fmt::format("{}", left_));
    }
    return true;
  }

 private:
  std::int64_t left_;
  bool all_bad_;
};

struct Written {
  Predicted done = {};
  std::string text = {};
  std::vector<std::string> told = {};
};

Written run(const Pretrained& model, FurtherStream& stream, const PredictOptions& options) {
  Written written;
  written.done =
      recipe::predict_stream(model, stream, options,
                             {.write = [&](std::string_view text) { return written.text += text, true; },
                              .left_out = [&](const Problem& problem) { written.told.push_back(problem.where); }});
  return written;
}

TEST(PredictStream, FieldsCover) {
  expect_fields_cover<PredictOptions>();
  expect_fields_cover<recipe::EncodeOptions>();
}

TEST(PredictStream, RowsAreTheForwardPass) {
  const Pretrained model = classifier();
  const Dataset data = some_data(50);
  const at::Tensor expected = at::softmax(model.predict(data.column("input")), 1);
  for (const std::int64_t batch : {50, 7, 1}) {
    const Written all = run(model, *recipe::open_further(data), {.batch = batch});
    EXPECT_EQ(all.done.rows, 50);
    std::istringstream lines(all.text);
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "input,prediction,probability");
    for (std::int64_t row = 0; row < 50; ++row) {
      std::getline(lines, line);
      const std::int64_t best = expected[row].argmax().item<std::int64_t>();
      const std::string begin = fmt::format("{},{},", row + 1, best == 1 ? "\"b, c\"" : best == 0 ? "a" : "d");
      ASSERT_TRUE(line.starts_with(begin)) << line;
      EXPECT_NEAR(std::stod(line.substr(begin.size())), expected[row][best].item<double>(), 1e-6);
    }
  }
}

TEST(PredictStream, GapsAreCountedAndToldInTheirOrder) {
  Gaps gaps(7);
  const Written written = run(classifier(), gaps, {.format = "jsonl"});
  EXPECT_EQ(written.done.rows, 4);
  EXPECT_EQ(written.done.left_out, 3);
  EXPECT_EQ(written.told, (std::vector<std::string>{"file 6", "file 3", "file 0"}));
  EXPECT_TRUE(written.text.starts_with("{\"input\":\"5\",\"prediction\":"));
  Gaps strict(7);
  expect_error<DataError>([&] { run(classifier(), strict, {.strict = true}); }, {"file 6: expected a picture"});
  Gaps bad(4, true);
  expect_error<DataError>([&] { run(classifier(), bad, {}); }, {"file 3", "4 inputs were left out, none is left"});
}

TEST(PredictStream, EndsWhereNobodyReadsOn) {
  Gaps gaps(1000);
  std::int64_t writes = 0;
  const Predicted done =
      recipe::predict_stream(classifier(), gaps, {}, {.write = [&](std::string_view) { return ++writes < 3; }});
  EXPECT_EQ(done.rows, 2);
  EXPECT_EQ(writes, 3);
}

TEST(PredictStream, Refusals) {
  const Dataset data = some_data(2);
  expect_error<ConfigError>([&] { run(classifier(), *recipe::open_further(data), {.top = 4}); },
                            {"at most", "3 classes"});
  expect_error<ConfigError>([&] { run(classifier(), *recipe::open_further(data), {.format = "xml"}); },
                            {"predict.format", "\"xml\""});
  Pretrained vae{.model = build({"vae", {{"input", {4}}, {"widths", {8}}, {"latent", 2}}})};
  vae.model->eval();
  expect_error<ConfigError>([&] { run(vae, *recipe::open_further(data), {}); },
                            {"predict: expected a model with a head", "vaetl-encode"});
}

}  // namespace
}  // namespace vaetl::testing::predict_stream_test
