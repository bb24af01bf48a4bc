// What a trained model says of many examples, a row each, in constant memory: while it computes one batch the next is
// read and decoded.
//
//   const Pretrained model = zoo::load("runs/cnn");
//   const auto files = recipe::open_further(*model.model, {"photos"});
//   recipe::predict_stream(model, *files, {.top = 3}, {.write = [](auto text) { return std::cout << text; }});
#pragma once
#include <functional>
#include <string_view>

#include "vaetl/core/config.hpp"
#include "vaetl/data/further.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {

// A classifier's columns: input, prediction (the class of the highest probability, by name where these are known),
// probability (softmax of the logits), and for `top` > 1 prediction_2, probability_2, …; a regressor's: input, then its
// values in the targets' units by the names of the columns that it learnt, else value or value_0, value_1, ….
struct PredictOptions {
  std::int64_t batch = 500, top = 1;
  std::string format = "csv";
  bool strict = false;
  static constexpr auto fields() {
    using P = PredictOptions;
    return std::tuple{field("batch", &P::batch, "examples that are read and computed together", between(1, 1 << 20)),
                      field("top", &P::top, "classes a row, the likeliest first", at_least(1)),
                      choice("format", &P::format, "comma-separated values, or a JSON object a line", {"csv", "jsonl"}),
                      field("strict", &P::strict, "the first example that cannot be read is an error")};
  }
};

// Who hears of it; only `write` must be there.
struct PredictSink {
  std::function<bool(std::string_view)> write;           // false: nobody reads on, which ends it quietly
  std::function<void(const Problem&)> left_out = {};     // each example that cannot be read
  std::function<void(const Problem&)> note = {};         // what a person should know besides
  std::function<void(std::int64_t rows)> progress = {};  // after every batch
};

struct Predicted {
  std::int64_t rows = 0, left_out = 0;
};

// ConfigError: no head, with what to do instead; more classes asked for than there are. DataError: what the model
// cannot read at all, bad examples alone, and with `strict` the first of them.
Predicted predict_stream(const Pretrained& model, FurtherStream& inputs, const PredictOptions& options,
                         const PredictSink& sink);

}  // namespace vaetl::recipe
