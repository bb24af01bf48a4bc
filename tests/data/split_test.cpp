#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/dataset.hpp"

namespace vaetl::split_test {
namespace {

using testing::expect_error;
using testing::numbered;
using testing::values_of;

std::set<std::int64_t> members(const Dataset& data) {
  const auto values = values_of(data.column("input").select(1, 0).select(1, 0).select(1, 0));
  const std::set<std::int64_t> result(values.begin(), values.end());
  EXPECT_EQ(result.size(), values.size()) << "an example stands twice";
  return result;
}

std::vector<std::int64_t> counts(const Dataset& data) {
  return values_of(at::bincount(data.labels(), {}, data.classes()));
}

std::set<std::int64_t> together(const Parts& parts) {
  std::set<std::int64_t> all = members(parts.rest);
  for (std::int64_t i : members(parts.held)) EXPECT_TRUE(all.insert(i).second) << i << " is in both parts";
  return all;
}

TEST(TakePerClass, IsStratifiedSeededAndNested) {
  const Dataset data = numbered(300, 3);
  const Dataset few = data.take_per_class(5, 7), more = data.take_per_class(20, 7);
  EXPECT_EQ(counts(few), (std::vector<std::int64_t>{5, 5, 5}));
  const auto small = members(few), large = members(more);
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
  EXPECT_EQ(members(data.take_per_class(5, 7)), small);
  EXPECT_NE(members(data.take_per_class(5, 8)), small);
  EXPECT_EQ(data.take_per_class(100, 0).size(), 300);
  EXPECT_TRUE(std::get<0>(few.column("input").flatten().sort()).equal(few.column("input").flatten()));  // storage order
}

// Every example is drawn equally often: over 400 seeds a class of 10 gives each of them 400 × 3 / 10 = 120 draws,
// standard deviation √(400 × 0.3 × 0.7) ≈ 9.2; five of them bound 30 counts.
TEST(TakePerClass, IsFair) {
  const Dataset data = numbered(30, 3);
  std::map<std::int64_t, int> drawn;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    for (std::int64_t i : members(data.take_per_class(3, seed))) ++drawn[i];
  }
  ASSERT_EQ(drawn.size(), 30u);
  for (const auto& [i, count] : drawn) EXPECT_NEAR(count, 120, 46) << i;
}

TEST(TakePerClass, NamesTheClassThatHasTooFew) {
  const Dataset data = numbered(11, 3);  // 4, 4, 3
  expect_error<DataError>([&] { data.take_per_class(4, 0); },
                          {"take_per_class", "4 examples of every class", "3 of class 2"});
  Fields fields = data.all();
  const Dataset named = Dataset::from_tensors(fields, {.classes = {"cat", "dog", "owl", "yak"}});
  expect_error<DataError>([&] { named.take_per_class(1, 0); }, {"0 of class 3 (yak)"});
  expect_error<ConfigError>([&] { data.take_per_class(0, 0); }, {"at least 1", "found 0"});
  expect_error<DataError>([&] { data.without("target").take_per_class(1, 0); }, {"labels"});
}

TEST(HoldOut, TakesAShareOfEveryClass) {
  const Dataset data = numbered(100, 4);
  const Parts parts = hold_out(data, 0.2, 3);
  EXPECT_EQ(counts(parts.held), (std::vector<std::int64_t>{5, 5, 5, 5}));
  EXPECT_EQ(together(parts).size(), 100u);
  EXPECT_EQ(members(hold_out(data, 0.2, 3).held), members(parts.held));
  EXPECT_NE(members(hold_out(data, 0.2, 4).held), members(parts.held));
  EXPECT_EQ(counts(hold_out(data, 0.001, 3).held), (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(hold_out(data.without("target"), 0.3, 3).held.size(), 30);
  EXPECT_EQ(together(hold_out(data.without("target"), 0.3, 3)).size(), 100u);
}

TEST(HoldOut, RefusesWhatCannotBe) {
  expect_error<ConfigError>([] { hold_out(numbered(10, 2), 1.0, 0); }, {"a share between 0 and 1", "found 1"});
  expect_error<ConfigError>([] { hold_out(numbered(10, 2), std::nan(""), 0); }, {"a share between 0 and 1"});
  expect_error<DataError>([] { hold_out(numbered(5, 3), 0.5, 0); }, {"at least 2 examples", "1 of class 2"});
  expect_error<DataError>([] { hold_out(numbered(0, 3), 0.5, 0); }, {"numbered", "none"});
}

TEST(Fold, PartitionsEveryClass) {
  const Dataset data = numbered(32, 3);  // 11, 11, 10
  std::set<std::int64_t> all;
  for (std::int64_t i = 0; i < 5; ++i) {
    const Parts parts = fold(data, i, 5, 1);
    EXPECT_EQ(together(parts).size(), 32u);
    EXPECT_NEAR(static_cast<double>(parts.held.size()), 6.4, 0.61);
    for (std::int64_t count : counts(parts.held)) EXPECT_TRUE(count == 2 || count == 3) << count;
    for (std::int64_t m : members(parts.held)) EXPECT_TRUE(all.insert(m).second) << m << " is held twice";
  }
  EXPECT_EQ(all.size(), 32u);
  EXPECT_NE(members(fold(data, 0, 5, 2).held), members(fold(data, 0, 5, 1).held));
}

TEST(Fold, RefusesWhatCannotBe) {
  expect_error<ConfigError>([] { fold(numbered(10, 2), 5, 5, 0); }, {"a fold from 0 to 4", "found 5"});
  expect_error<ConfigError>([] { fold(numbered(10, 2), 0, 1, 0); }, {"at least 2 folds"});
  expect_error<DataError>([] { fold(numbered(10, 3), 0, 4, 0); },
                          {"at least 4 examples of every class", "3 of class 1"});
}

}  // namespace
}  // namespace vaetl::split_test
