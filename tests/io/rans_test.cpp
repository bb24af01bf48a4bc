#include "vaetl/io/rans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "support/expect_error.hpp"

namespace vaetl::testing::rans_test {
namespace {

// Counts that sum to 2^bits: a few symbols have most of it, every one at least one.
struct Distribution {
  int bits;
  std::vector<std::uint32_t> edges;  // the cumulative counts, from 0
  RansShare share(std::size_t symbol) const { return {edges[symbol], edges[symbol + 1] - edges[symbol]}; }
  std::size_t symbol_at(std::uint32_t slot) const {
    return static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), slot) - edges.begin()) - 1;
  }
};

Distribution random_distribution(std::mt19937& random, int bits, std::size_t symbols) {
  std::vector<double> weights(symbols);
  for (double& w : weights) w = std::exp(3 * std::normal_distribution<>()(random));
  double total = 0;
  for (const double w : weights) total += w;
  const double room = std::ldexp(1.0, bits) - static_cast<double>(symbols);
  Distribution result{bits, {0}};
  double sum = 0;
  for (std::size_t k = 0; k < symbols; ++k) {
    sum += weights[k];
    result.edges.push_back(static_cast<std::uint32_t>(room * sum / total) + static_cast<std::uint32_t>(k) + 1);
  }
  result.edges.back() = std::uint32_t{1} << bits;
  return result;
}

// Symbols as the distribution has them, each of a distribution of its own.
struct Message {
  std::vector<Distribution> distributions;
  std::vector<std::size_t> symbols;
  double bits = 0;  // that an ideal code takes
};

Message random_message(std::mt19937& random, std::size_t length) {
  Message message;
  for (std::size_t i = 0; i < length; ++i) {
    const int bits = std::uniform_int_distribution<>(4, rans_most_bits)(random);
    const std::size_t symbols = std::uniform_int_distribution<std::size_t>(1, 16)(random);
    message.distributions.push_back(random_distribution(random, bits, symbols));
    const std::uint32_t last = (std::uint32_t{1} << bits) - 1;
    const std::uint32_t slot = std::uniform_int_distribution<std::uint32_t>(0, last)(random);
    message.symbols.push_back(message.distributions[i].symbol_at(slot));
    message.bits += bits - std::log2(message.distributions[i].share(message.symbols[i]).count);
  }
  return message;
}

void push(RansStack& stack, const Message& message) {
  for (std::size_t i = 0; i < message.symbols.size(); ++i) {
    stack.push(message.distributions[i].share(message.symbols[i]), message.distributions[i].bits);
  }
}

// From the last to the first.
std::vector<std::size_t> popped(RansStack& stack, const Message& message) {
  std::vector<std::size_t> symbols(message.symbols.size());
  for (std::size_t i = symbols.size(); i-- > 0;) {
    const Distribution& of = message.distributions[i];
    symbols[i] = of.symbol_at(stack.peek(of.bits));
    stack.pop(of.share(symbols[i]), of.bits);
  }
  return symbols;
}

TEST(Rans, GivesBackWhatWasPushedInAsManyBitsAsItIsWorth) {
  std::mt19937 random(1);
  const Message message = random_message(random, 20000);
  RansStack stack;
  push(stack, message);
  const auto words = stack.words();
  const double bits = 32.0 * static_cast<double>(words.size());
  EXPECT_GT(bits, message.bits);                    // the state alone is 64
  EXPECT_LT(bits, 64 + 32 + message.bits * 1.001);  // rounding of the state
  RansStack other(words, "words");
  EXPECT_EQ(popped(other, message), message.symbols);
}

// What bits-back coding needs: to draw symbols from what lies on the stack, and to give them back later.
TEST(Rans, PopsFromAnythingAndPutsItBack) {
  std::mt19937 random(2);
  const Message under = random_message(random, 500);
  Message drawn = random_message(random, 3000);
  RansStack stack;
  push(stack, under);
  std::reverse(drawn.distributions.begin(), drawn.distributions.end());
  drawn.symbols = popped(stack, drawn);
  EXPECT_GT(stack.clean_words(), 0);  // 500 symbols hold fewer bits than 3000 take
  RansStack later(stack.words(), "words");
  push(later, drawn);
  EXPECT_EQ(popped(later, under), under.symbols);
}

// Clean bits draw fairly: of 40000 draws among 4 the counts are off by less than five deviations.
TEST(Rans, CleanBitsAreRandom) {
  RansStack stack;
  std::vector<int> counts(4);
  for (int i = 0; i < 40000; ++i) {
    const std::uint32_t symbol = stack.peek(2);
    ++counts[symbol];
    stack.pop({symbol, 1}, 2);
  }
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(40000 * 0.25 * 0.75));
  EXPECT_NEAR(static_cast<double>(stack.clean_words()), 40000 * 2 / 32.0, 2);
}

TEST(Rans, RefusesWhatIsNoStreamAndWhatEndsEarly) {
  expect_error<DataError>([] { RansStack({}, "f"); }, {"f: expected a stream of coded numbers"});
  expect_error<DataError>([] { RansStack({7, 0}, "f"); }, {"f: expected a stream of coded numbers"});
  expect_error<DataError>([] { RansStack({0, 0xffffffff}, "f"); }, {"f: expected a stream of coded numbers"});
  RansStack stack(RansStack().words(), "f");
  expect_error<DataError>(
      [&] {
        for (int i = 0; i < 3; ++i) stack.pop({stack.peek(28), 1}, 28);
      },
      {"f: expected more coded numbers, found the end of a stream; the file is damaged"});
}

}  // namespace
}  // namespace vaetl::testing::rans_test
