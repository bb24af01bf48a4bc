#include "vaetl/core/options_text.hpp"

#include <gtest/gtest.h>

#include "vaetl/core/registry.hpp"
#include "vaetl/core/schedule.hpp"

namespace vaetl::options_text_test {
namespace {

struct Head {
  std::int64_t classes = 0;
  static constexpr auto fields() { return std::tuple{field("classes", &Head::classes, "how many", at_least(0))}; }
};

struct Optimizer {
  double lr = 1e-3;
  static constexpr auto fields() { return std::tuple{field("lr", &Optimizer::lr, "learning rate", between(0, 1))}; }
};

struct Options {
  double beta = 1;
  std::string precision = "float32";
  std::vector<std::int64_t> channels = {32, 64};
  Schedule curve = 1.0;
  Spec<Options> model = {};
  Optimizer optimizer = {.lr = 0.5};
  std::vector<Head> heads = {};
  Json extra = {};
  static constexpr auto fields() {
    using O = Options;
    return std::tuple{field("beta", &O::beta, "weight of the KL term", at_least(0)),
                      choice("precision", &O::precision, "of the arithmetic", {"float32", "bfloat16"}),
                      field("channels", &O::channels, "of each layer", Range{-1e300, 512}),
                      field("curve", &O::curve, "over training"),
                      field("model", &O::model, "what to train"),
                      field("optimizer", &O::optimizer, "the optimiser"),
                      field("heads", &O::heads, "one a task"),
                      field("extra", &O::extra, "anything")};
  }
};

TEST(Describe, OneAlignedLineForEachKey) {
  EXPECT_EQ(describe(json_schema<Options>()),
            "beta             number            1.0        at least 0        weight of the KL term\n"
            "precision        string            \"float32\"  float32|bfloat16  of the arithmetic\n"
            "channels         array of integer  [32,64]    at most 512       of each layer\n"
            "curve            number or object  1.0                          over training\n"
            "model            string or object                               what to train\n"
            "optimizer        object                                         the optimiser\n"
            "optimizer.lr     number            0.5        0 to 1            learning rate\n"
            "heads            array of object   []                           one a task\n"
            "heads[].classes  integer           0          at least 0        how many\n"
            "extra            any                                            anything\n");
}

TEST(Describe, LeavesEmptyColumnsOut) {
  EXPECT_EQ(describe(json_schema<Head>()), "classes  integer  0  at least 0  how many\n");
  EXPECT_EQ(describe(Json{{"properties", {{"a", Json{{"type", "string"}}}}}}), "a  string\n");
  EXPECT_EQ(describe(Json::object()), "");
}

}  // namespace
}  // namespace vaetl::options_text_test
