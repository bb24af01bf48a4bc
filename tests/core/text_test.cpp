#include "vaetl/core/text.hpp"

#include <gtest/gtest.h>

namespace vaetl::text_test {
namespace {

using Names = std::vector<std::string>;

TEST(EditDistance, CountsInsertDeleteReplaceSwap) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("epohcs", "epochs"), 1u);
  EXPECT_EQ(edit_distance("lr", "rl"), 1u);
}

TEST(Nearest, SortsAndKeepsTheOrderOfTies) {
  EXPECT_EQ(nearest("vea", Names{"mlp", "cnn", "vae", "vaes"}, 2), (Names{"vae", "vaes"}));
  EXPECT_EQ(nearest("x", Names{"b", "a"}), (Names{"b", "a"}));
  EXPECT_EQ(nearest("x", Names{}), Names{});
  EXPECT_EQ(nearest(std::string(1000000, 'x'), Names{"a"}), Names{"a"});
}

TEST(DidYouMean, NamesOneForASlipAndThreeOtherwise) {
  const Names keys = {"epochs", "steps", "batch_size", "seed"};
  EXPECT_EQ(did_you_mean("epoch", keys), "did you mean \"epochs\"?");
  EXPECT_EQ(did_you_mean("sede", keys), "did you mean \"seed\"?");
  EXPECT_EQ(did_you_mean("zzz", keys), "did you mean \"seed\", \"steps\" or \"epochs\"?");
  EXPECT_EQ(did_you_mean("zzz", Names{"a", "b"}), "did you mean \"a\" or \"b\"?");
  EXPECT_EQ(did_you_mean("zzz", Names{}), "");
}

TEST(Quote, ShortensBetweenCharacters) {
  EXPECT_EQ(quote("abc"), "\"abc\"");
  EXPECT_EQ(quote("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(quote("abcdefg", 6), "\"abcdef…\"");
  EXPECT_EQ(quote("abcdeé", 6), "\"abcde…\"");
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join(Names{}), "");
  EXPECT_EQ(join(Names{"a"}), "a");
  EXPECT_EQ(join(Names{"a", "b"}), "a, b");
  EXPECT_EQ(join(Names{"a", "b"}, "|"), "a|b");
}

TEST(Thousands, AreSeparated) {
  EXPECT_EQ(thousands(0), "0");
  EXPECT_EQ(thousands(999), "999");
  EXPECT_EQ(thousands(1000), "1,000");
  EXPECT_EQ(thousands(1234567), "1,234,567");
  EXPECT_EQ(thousands(-123456), "-123,456");
}

TEST(Glob, MatchesRunsCharactersAndSets) {
  EXPECT_TRUE(glob_match("encoder.*", "encoder.0.conv"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("layer[34].conv?", "layer3.conv1"));
  EXPECT_FALSE(glob_match("layer[34].conv?", "layer2.conv1"));
  EXPECT_FALSE(glob_match("head", "head.0"));
}

}  // namespace
}  // namespace vaetl::text_test
