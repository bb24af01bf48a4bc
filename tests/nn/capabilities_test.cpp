#include "vaetl/nn/capabilities.hpp"

#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "support/expect_error.hpp"

namespace vaetl::testing::capabilities_test {
namespace {

using Names = std::vector<std::string>;

TEST(Capabilities, AreFoundByWhatAModelIs) {
  EXPECT_EQ(capabilities(*tiny()), (Names{"Encoder", "Classifier"}));
  EXPECT_TRUE(offers(*tiny(), "Encoder"));
  EXPECT_FALSE(offers(*tiny(), "Variational"));
  EXPECT_FALSE(offers(*tiny(), "Wings"));
}

TEST(Capabilities, AClassifierWithoutClassesIsAnEncoder) {
  auto headless = tiny(0);
  EXPECT_EQ(capabilities(*headless), Names{"Encoder"});
  expect_error<ConfigError>([&] { require<Classifier>(*headless, "cross_entropy"); },
                            {"cross_entropy: expected a model that offers Classifier, found \"tiny\", which offers "
                             "Encoder; give its description the number of \"classes\""});
}

TEST(Capabilities, RequireSaysWhoAskedForWhat) {
  auto model = tiny();
  EXPECT_EQ(&require<Encoder>(*model), static_cast<Encoder*>(model.get()));
  expect_error<ConfigError>([&] { require<Variational>(*model, "elbo"); },
                            {"elbo: expected a model that offers Variational, found \"tiny\", which offers Encoder, "
                             "Classifier; choose another model"});
  expect_error<ConfigError>([&] { require_capability(*model, "Generator", "vaetl-generate"); },
                            {"vaetl-generate", "Generator"});
  require_capability(*model, "Classifier", "cross_entropy");
}

}  // namespace
}  // namespace vaetl::testing::capabilities_test
