#include <gtest/gtest.h>

#include "transfer/fixture.hpp"

namespace vaetl::testing::report_test {
namespace {

TEST(AdaptReport, ReadsLikeThis) {
  const Tuning thaw = {{.groups = "encoder.2", .lr_scale = 0.1, .from = 2, .unit = "epochs"},
                       {.groups = "head", .weight_decay_scale = 0}};
  const auto adapted = adapt(*small_vae(), {.heads = {{.classes = 10}}, .freeze = {"backbone"}, .tuning = thaw});
  std::ostringstream text;
  text << adapted.report;
  EXPECT_EQ(text.str(), R"(conv_vae → cnn: 6 of 8 tensors, 864 of 1,034 values from the source, 100 % of the backbone

  group                 tensors  values  loaded  weights                  training
  encoder.0, encoder.1        4     336   100 %  loaded                   frozen
  encoder.2                   2     528   100 %  loaded                   frozen; rate × 0.1 from epoch 2
  head                        2     170     0 %  initialised: a new head  rate × 1, decay × 0
  latent … decoder.3         12   1,291       –  in the source alone

  trains 698 of 1,034 parameters, 170 of them from the start; preprocessing: the source's
)");
}

TEST(AdaptReport, TellsWhatALineCannot) {
  const auto colour = small_cnn(3, {{"input", {3, 8, 8}}});
  Weights weights = copied(*colour);
  weights["encoder.2.dense.bias"] = weights["encoder.2.dense.bias"].to(at::kDouble);
  weights["extra"] = at::zeros({5});
  weights.erase("encoder.1.conv.bias");
  const std::vector<LoadRule> rules = {
      {.from = "encoder.0.conv.weight", .to = "encoder.0.conv.weight", .on_mismatch = "sum_channels"},
      {.from = "head.*", .to = "head.*", .on_mismatch = "skip"}};
  const auto adapted =
      adapt(colour->spec(), weights, {}, {.model = {{"input", {1, 8, 8}}, {"classes", 4}}, .load = rules});
  EXPECT_EQ(adapted.report.text, R"(cnn → cnn: 5 of 8 tensors, 856 of 932 values from the source, 99.1 % of the backbone

  group      tensors  values  loaded  weights                  training
  encoder.0        2      40   100 %  1 reshaped, 1 loaded     rate × 1
  encoder.1        2     296    97 %  1 loaded, 1 initialised  rate × 1
  encoder.2        2     528   100 %  loaded                   rate × 1
  head             2      68     0 %  mismatched               rate × 1
  extra            1       5       –  in the source alone

  loaded       encoder.2.dense.bias   converted from float64
  reshaped     encoder.0.conv.weight  sum of 3 input channels
  mismatched   head.weight            shape (3, 16) in the file, (4, 16) in the model
  mismatched   head.bias              shape (3) in the file, (4) in the model
  initialised  encoder.1.conv.bias    not in the source

  trains 932 of 932 parameters; preprocessing: fitted when it trains
)");
}

}  // namespace
}  // namespace vaetl::testing::report_test
