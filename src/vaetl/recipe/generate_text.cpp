#include "vaetl/recipe/generate_text.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/example_text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/readers/text.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::recipe {
namespace {

constexpr double no_chance = -std::numeric_limits<double>::infinity();
using Ids = text::Ids;

std::string text_place(const Model& model) { return "model " + quote(model.spec().name); }

Json reader_of(const Model& model) {
  return model.preprocess().is_null() ? Json() : Preprocess::from_json(model.preprocess()).reader();
}

data::TokenText token_text(const Model& model) {
  data::TokenText text(reader_of(model));
  if (text.known()) return text;
  throw DataError({text_place(model), "weights that carry the tokenizer of their texts", "none",
                   "train it on text:FILE or lines:FILE"});
}

void check_writes(const Model& model) {
  if (!writes_text(model)) {
    throw ConfigError({text_place(model), "a language model: a logit for each token id at every step", "another model",
                       "train one with per_step and the objective language_model"});
  }
  if (!model.is_training()) return;
  throw ConfigError({text_place(model), "a model in evaluation mode", "one in training mode", "call model.eval()"});
}

Ids encode_prompt(const Model& model, const std::string& prompt) {
  Json options = reader_of(model);
  const std::string reader = options.is_object() ? options.value("name", "") : "";
  if (reader != readers::Text::name) {
    throw DataError({text_place(model),
                     "weights that were trained on text:FILE",
                     reader.empty() ? "no reader" : quote(reader),
                     {}});
  }
  options.erase("name");
  text::TokenOptions tokens = text::token_options(from_json<readers::Text::Options>(options, "read"));
  Ids ids;
  text::make_tokenizer(tokens, {}, [](const text::TakeText&) {})->encode(prompt, ids);
  return ids;
}

// Without a prompt something must be read first: a line break, where that is a token, else the most frequent one.
Ids first_ids(const Model& model, const std::string& prompt) {
  Ids ids = encode_prompt(model, prompt.empty() ? "\n" : prompt);
  const auto known = [](std::int32_t id) { return id > nn::unknown_id; };
  if (std::any_of(ids.begin(), ids.end(), known)) return ids;
  if (prompt.empty()) return {nn::unknown_id + 1};
  throw DataError({"prompt", "a text with at least one token of the model's vocabulary", quote(prompt), {}});
}

// log p of what may be drawn, −∞ for the rest. logits (N, V) float64.
at::Tensor restricted(at::Tensor logits, const TextOptions& options) {
  if (options.top_k > 0 && options.top_k < logits.size(1)) {
    const at::Tensor least = std::get<0>(logits.topk(options.top_k, 1)).narrow(1, options.top_k - 1, 1);
    logits = logits.masked_fill(logits < least, no_chance);
  }
  if (options.top_p >= 1) return logits;
  const auto [sorted, order] = at::softmax(logits, 1).sort(/*dim=*/1, /*descending=*/true);
  const at::Tensor beyond = (sorted.cumsum(1) - sorted).ge(options.top_p);  // enough without this one
  return logits.masked_fill(at::zeros_like(beyond).scatter(1, order, beyond), no_chance);
}

class Draw {
 public:
  explicit Draw(const TextOptions& options)
      : options_(options), generator_(make_generator(random_key(options.seed, Purpose::evaluate))) {}
  // logits (N, V) → ids (N), drawn on the CPU, so that a seed means the same on every device.
  at::Tensor operator()(const at::Tensor& found) {
    at::Tensor logits = found.to(at::kCPU, at::kDouble, /*non_blocking=*/false, /*copy=*/true);
    logits.narrow(1, 0, nn::unknown_id + 1).fill_(no_chance);
    if (options_.temperature == 0) return logits.argmax(1);
    return at::multinomial(at::softmax(restricted(logits / options_.temperature, options_), 1), 1,
                           /*replacement=*/false, generator_)
        .squeeze(1);
  }

 private:
  const TextOptions& options_;
  at::Generator generator_;
};

// Tokens of bytes need not make UTF-8, which JSON and terminals want: what is none becomes �.
std::string as_utf8(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

class Writer {
 public:
  explicit Writer(Model& model) : model_(require<SequenceModel>(model)), device_(device_of(model)) {}
  // ids (N, T) → the logits (N, V) after the last.
  at::Tensor read(const at::Tensor& ids) {
    Fields fields;
    fields.set("input", ids.to(device_));
    return model_.unroll(fields, state_).select(1, ids.size(1) - 1);
  }
  // The prompt is read once for all texts.
  void repeat(std::int64_t count) {
    if (state_.empty()) {
      throw ConfigError({"generate text", "a model that reads one way", "one that reads both ways", {}});
    }
    for (at::Tensor& part : state_) part = part.repeat_interleave(count, 1);
  }

 private:
  SequenceModel& model_;
  c10::Device device_;
  std::vector<at::Tensor> state_;
};

}  // namespace

bool sees_text(const Model& model) {
  const auto inputs = model.signature().inputs;
  const auto input = inputs.find("input");
  return input != inputs.end() && input->second.dtype == at::kLong;
}

bool writes_text(const Model& model) {
  const auto* steps = dynamic_cast<const SequenceModel*>(&model);
  if (!steps || !sees_text(model)) return false;
  return steps->step_outputs() > nn::unknown_id + 1 &&
         steps->step_outputs() == static_cast<std::int64_t>(model.signature().inputs.at("input").high) + 1;
}

std::vector<std::string> generate_text(Model& model, const TextOptions& given) {
  const auto options = from_json<TextOptions>(to_json(given), "generate");
  check_writes(model);
  const data::TokenText decode = token_text(model);
  const Ids first = first_ids(model, options.prompt);
  const at::NoGradGuard no_grad;
  Writer writer(model);
  Draw draw(options);
  const at::Tensor prompt = at::tensor(at::ArrayRef<std::int32_t>(first), at::kLong).unsqueeze(0);
  at::Tensor logits = writer.read(prompt);
  writer.repeat(options.count);
  logits = logits.expand({options.count, -1});
  std::vector<at::Tensor> tokens;
  if (!options.prompt.empty()) tokens.push_back(prompt.expand({options.count, -1}));
  for (std::int64_t drawn = 0; drawn < options.tokens; ++drawn) {
    if (drawn > 0) logits = writer.read(tokens.back());
    tokens.push_back(draw(logits).unsqueeze(1));
  }
  const at::Tensor ids = at::cat(tokens, 1).to(at::kInt).contiguous();
  std::vector<std::string> texts;
  for (std::int64_t row = 0; row < ids.size(0); ++row) {
    texts.push_back(as_utf8(decode(ids.const_data_ptr<std::int32_t>() + row * ids.size(1), ids.size(1))));
  }
  return texts;
}

std::vector<std::string> texts_of(const Model& model, const at::Tensor& ids) {
  const data::TokenText decode = token_text(model);
  const at::Tensor own = ids.to(at::kCPU, at::kInt).contiguous();
  const at::Tensor lengths = own.size(1) > 0 ? nn::lengths_of_ids(own) : at::zeros({own.size(0)}, at::kLong);
  std::vector<std::string> texts;
  for (std::int64_t row = 0; row < own.size(0); ++row) {
    const auto* first = own.const_data_ptr<std::int32_t>() + row * own.size(1);
    texts.push_back(as_utf8(decode(first, lengths[row].item<std::int64_t>())));
  }
  return texts;
}

}  // namespace vaetl::recipe
