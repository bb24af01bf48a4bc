// Text from a language model: a SequenceModel over token ids that puts out a logit for each id, with the tokenizer that
// its weights carry. Every step reads one token and the carried state, so a text of T tokens costs T steps.
//
// From the logits l of a step a token is drawn with p ∝ exp(l / temperature); at temperature 0 it is the most probable.
// `top_k` keeps the k most probable tokens, then `top_p` the fewest whose probabilities reach p together
// (arXiv:1904.09751, section 3.1). Padding and the unknown token are never drawn.
//
//   auto model = zoo::load("shakespeare-lstm");
//   for (const auto& text : recipe::generate_text(*model.model, {.prompt = "ROMEO:", .tokens = 400})) std::cout <<
//   text;
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

struct TextOptions {
  std::string prompt = {};
  std::int64_t count = 1, tokens = 200;
  double temperature = 1;
  std::int64_t top_k = 0;
  double top_p = 1;
  std::uint64_t seed = 0;
  static constexpr auto fields() {
    using T = TextOptions;
    return std::tuple{field("prompt", &T::prompt, "what the text begins with; empty: a line break, or some token"),
                      field("count", &T::count, "number of texts", between(1, 4096)),
                      field("tokens", &T::tokens, "tokens to draw for each, after the prompt", between(1, 1 << 20)),
                      field("temperature", &T::temperature, "0: always the most probable token", between(0, 100)),
                      field("top_k", &T::top_k, "draw among the k most probable tokens; 0: all", at_least(0)),
                      field("top_p", &T::top_p, "draw among the fewest tokens of this probability", between(1e-6, 1)),
                      field("seed", &T::seed, "of the drawn tokens; the texts differ among each other")};
  }
};

// Whether the model can be given to generate_text: steps over token ids with a logit for each.
bool writes_text(const Model& model);

// `count` texts, each with its prompt, in evaluation mode and without gradients. A pure function of weights and
// options. ConfigError for a model that does not write text or an option out of range, DataError where its weights
// carry no tokenizer or the prompt has no token that it knows.
std::vector<std::string> generate_text(Model& model, const TextOptions& options);

// Whether the model's inputs are token ids.
bool sees_text(const Model& model);

// Token ids (N, T), what such a model sees or makes, as texts; padding ends a text. DataError without a tokenizer.
std::vector<std::string> texts_of(const Model& model, const at::Tensor& ids);

}  // namespace vaetl::recipe
