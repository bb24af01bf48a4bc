// The recipes that come with the project have none of the mistakes that are looked for before the first step.
#include <gtest/gtest.h>

#include "tests/data/support.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::testing::healthy_test {
namespace {

// One of each kind of data and model whose sets are opened in little time; those that are not here are left out.
const std::vector<std::string> cheap = {"wine",     "housing",     "ecg5000",    "japanese-vowels",
                                        "sms-spam", "fashion-mlp", "fashion-gan"};

std::string data_path() {
  const auto root = shared_data(".");
  return root ? fs::absolute(*root).string() : "";
}

TEST(Healthy, RecipesThatComeWithTheProject) {
  const char* old = std::getenv("VAETL_DATA");
  const Environment data("VAETL_DATA", old ? old : data_path());
  const auto cache = std::make_shared<recipe::DataCache>();
  int looked_at = 0;
  for (const auto& name : cheap) {
    const auto recipe = recipe::read("recipes/" + name + ".json");
    try {
      const auto plan = recipe::plan(recipe, {.device = "cpu", .data = cache});
      EXPECT_EQ(plan.json["one_step"]["warnings"], Json::array()) << name;
      ++looked_at;
    } catch (const DataError&) {
      continue;  // its set is not here
    }
  }
  if (looked_at == 0) GTEST_SKIP() << "no data of the recipes (VAETL_DATA, VAETL_TEST_DATA, dataset-fashion-mnist)";
}

}  // namespace
}  // namespace vaetl::testing::healthy_test
