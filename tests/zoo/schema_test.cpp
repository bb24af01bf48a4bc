#include "vaetl/zoo/places.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::schema_test {
namespace {

// VAETL_WRITE_SCHEMA=1 writes it anew.
TEST(ZooSchema, TheCommittedSchemaIsTheCards) {
  const fs::path file = fs::path(zoo::source_zoo) / "model.schema.json";
  const std::string schema = zoo::card_schema().dump(2) + "\n";
  if (std::getenv("VAETL_WRITE_SCHEMA")) write_atomically(file, schema);
  EXPECT_EQ(read_file(file), schema) << "VAETL_WRITE_SCHEMA=1 vaetl_test_zoo --gtest_filter=ZooSchema.* writes it";
}

using ZooSchemaCard = ZooTest;

TEST_F(ZooSchemaCard, KnowsEveryKeyOfACard) {
  const Json card = read_card_json(save_classifier()), schema = zoo::card_schema();
  for (const auto& [key, value] : card.items()) EXPECT_TRUE(schema["properties"].contains(key)) << key;
  for (const auto& key : schema["required"]) EXPECT_TRUE(card.contains(key.get<std::string>())) << key;
}

}  // namespace
}  // namespace vaetl::testing::schema_test
