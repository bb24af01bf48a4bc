// Text from a language model: what is drawn, seeds, temperature, top-k, top-p, prompts, errors.
#include "vaetl/recipe/generate_text.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <set>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/models/lstm.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::generate_text_test {
namespace {

using recipe::generate_text;

const std::string letters = "\nabcdefgh";  // ids 2 … 10

Json reader() {
  Json vocabulary = Json::array();
  for (const char letter : letters) vocabulary.push_back(std::string(1, letter));
  return {{"name", "text"}, {"by", "character"}, {"vocabulary", vocabulary}};
}

std::shared_ptr<Model> writer(bool bidirectional = false) {
  seed(4);
  const auto ids = static_cast<std::int64_t>(letters.size()) + 2;
  auto model = make<models::Lstm>({.input = {-1},
                                   .vocabulary = ids,
                                   .embedding = 4,
                                   .hidden = 8,
                                   .bidirectional = bidirectional,
                                   .per_step = true,
                                   .classes = ids});
  // Larger weights, so that what was read before matters.
  for (auto& parameter : model->parameters()) parameter.detach().mul_(4);
  model->set_preprocess(Json::array({{{"name", "read"}, {"reader", reader()}}}));
  model->eval();
  return model;
}

// The most probable letters, by reading the whole text again for each: no state is carried.
std::string by_reading_again(Model& model, std::string text, int count) {
  auto& steps = require<SequenceModel>(model);
  const at::NoGradGuard no_grad;
  for (int i = 0; i < count; ++i) {
    std::vector<std::int64_t> ids;
    for (const char letter : text) ids.push_back(static_cast<std::int64_t>(letters.find(letter)) + 2);
    Fields fields;
    fields.set("input", at::tensor(at::ArrayRef<std::int64_t>(ids)).unsqueeze(0));
    std::vector<at::Tensor> none;
    const at::Tensor logits = steps.unroll(fields, none)[0][static_cast<std::int64_t>(ids.size()) - 1];
    text += letters[static_cast<std::size_t>(logits.slice(0, 2).argmax().item<std::int64_t>())];
  }
  return text;
}

TEST(GenerateText, OptionsAreDescribed) {
  expect_fields_cover<recipe::TextOptions>();
  expect_defaults_round_trip<recipe::TextOptions>();
}

TEST(GenerateText, AtTemperatureZeroTakesTheMostProbable) {
  const auto model = writer();
  for (const std::string prompt : {"abc", "h", "ga\nbd"}) {
    const std::string expected = by_reading_again(*model, prompt, 25);
    recipe::TextOptions options{.prompt = prompt, .tokens = 25, .temperature = 0};
    EXPECT_EQ(generate_text(*model, options), std::vector<std::string>{expected});
    options.temperature = 1;
    options.top_k = 1;
    EXPECT_EQ(generate_text(*model, options), std::vector<std::string>{expected}) << "top_k 1";
    options.top_k = 0;
    options.top_p = 1e-6;
    EXPECT_EQ(generate_text(*model, options), std::vector<std::string>{expected}) << "top_p near 0";
  }
  // Without a prompt it begins after a line break, which is not part of the text.
  EXPECT_EQ("\n" + generate_text(*model, {.tokens = 25, .temperature = 0}).front(), by_reading_again(*model, "\n", 25));
}

TEST(GenerateText, IsAFunctionOfTheSeed) {
  const auto model = writer();
  const recipe::TextOptions options{.prompt = "a", .count = 5, .tokens = 40, .temperature = 2, .seed = 3};
  const auto texts = generate_text(*model, options);
  seed(77);
  EXPECT_EQ(generate_text(*model, options), texts);
  EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), 5u) << "texts differ among each other";
  recipe::TextOptions other = options;
  other.seed = 4;
  EXPECT_NE(generate_text(*model, other), texts);
  for (const auto& text : texts) {
    EXPECT_EQ(text.size(), 41u);
    EXPECT_EQ(text.find_first_not_of(letters), std::string::npos) << "padding or the unknown token was drawn";
  }
}

// A model that always says the same, whatever it reads: shares of the letters among 4000 tokens.
std::map<char, double> shares(double temperature, std::int64_t top_k, double top_p) {
  const auto model = writer();
  const at::NoGradGuard no_grad;
  for (auto& item : model->named_parameters()) item.value().zero_();
  // softmax of the letters after the line break: a 0.5, b 0.3, c 0.15, d 0.05.
  at::Tensor bias = model->named_parameters()["head.bias"];
  bias.fill_(-1e4);
  const std::vector<double> probabilities = {0.5, 0.3, 0.15, 0.05};
  for (std::size_t i = 0; i < 4; ++i) bias[static_cast<std::int64_t>(i) + 3] = std::log(probabilities[i]);
  bias[0] = bias[1] = 5;  // padding and unknown
  const auto texts =
      generate_text(*model, {.count = 40, .tokens = 100, .temperature = temperature, .top_k = top_k, .top_p = top_p});
  std::map<char, double> result;
  for (const auto& text : texts) {
    for (const char letter : text) result[letter] += 1.0 / 4000;
  }
  return result;
}

TEST(GenerateText, DrawsByProbability) {
  // Four standard deviations of a share of 4000 draws are at most 4 √(0.25 / 4000) = 0.032.
  const auto expect = [](const std::map<char, double>& found, const std::map<char, double>& wanted) {
    for (const auto& [letter, share] : found) EXPECT_TRUE(wanted.contains(letter)) << letter << " " << share;
    for (const auto& [letter, share] : wanted) {
      EXPECT_NEAR(found.contains(letter) ? found.at(letter) : 0, share, 0.032) << letter;
    }
  };
  expect(shares(1, 0, 1), {{'a', 0.5}, {'b', 0.3}, {'c', 0.15}, {'d', 0.05}});
  expect(shares(1, 2, 1), {{'a', 0.625}, {'b', 0.375}});
  expect(shares(1, 0, 0.7), {{'a', 0.625}, {'b', 0.375}});  // the fewest that reach 0.7
  expect(shares(1, 0, 0.5), {{'a', 1}});
  // p² normalised.
  expect(shares(0.5, 0, 1), {{'a', 0.25 / 0.365}, {'b', 0.09 / 0.365}, {'c', 0.0225 / 0.365}, {'d', 0.0025 / 0.365}});
}

TEST(GenerateText, SaysWhatItWants) {
  const auto model = writer();
  expect_error<DataError>([&] { generate_text(*model, {.prompt = "XYZ"}); },
                          {"prompt: expected a text with at least one token", "\"XYZ\""});
  expect_error<ConfigError>([&] { generate_text(*model, {.temperature = -1}); }, {"generate.temperature"});
  expect_error<ConfigError>([&] { generate_text(*model, {.top_p = 0}); }, {"generate.top_p"});
  expect_error<ConfigError>([&] { generate_text(*writer(true), {}); }, {"reads one way"});
  const auto digits = make<models::Lstm>({});
  EXPECT_TRUE(recipe::writes_text(*model));
  EXPECT_FALSE(recipe::writes_text(*digits));
  expect_error<ConfigError>([&] { generate_text(*digits, {}); }, {"model \"lstm\": expected a language model"});
  model->train();
  expect_error<ConfigError>([&] { generate_text(*model, {}); }, {"evaluation mode"});
  model->eval();
  model->set_preprocess(Json::array());
  expect_error<DataError>([&] { generate_text(*model, {}); }, {"weights that carry the tokenizer", "found none"});
}

TEST(GenerateText, IdsAreTextsUpToTheirPadding) {
  const auto model = writer();
  const at::Tensor ids = at::tensor(at::ArrayRef<std::int64_t>{3, 4, 5, 0, 6, 0, 0, 0}).view({2, 4});
  EXPECT_EQ(recipe::texts_of(*model, ids), (std::vector<std::string>{"abc", "d"}));
  EXPECT_EQ(recipe::texts_of(*model, at::zeros({1, 3}, at::kLong)), std::vector<std::string>{""});
}

}  // namespace
}  // namespace vaetl::testing::generate_text_test
