#include "vaetl/recipe/predict_stream.hpp"

#include <ATen/ATen.h>

#include <future>

#include "vaetl/core/parallel.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/io/csv.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::recipe {
namespace {

// How a row is written: both forms have the same keys and cells.
struct RowForm {
  std::string (*text)(const std::string& value);
  void (*number)(std::string& to, double value);
  std::string (*header)(const std::vector<std::string>& keys);
  std::string (*begin)(const std::string& key, bool first);  // what stands before a cell
  const char* end;
};

void append_number(std::string& to, double value) { fmt::format_to(std::back_inserter(to), "{:.7g}", value); }

const RowForm csv_form = {.text = [](const std::string& value) { return csv_cell(value); },
                          .number = append_number,
                          .header =
                              [](const std::vector<std::string>& keys) {
                                std::string line;
                                for (const auto& key : keys) line += (line.empty() ? "" : ",") + csv_cell(key);
                                return line + "\n";
                              },
                          .begin = [](const std::string&, bool first) { return std::string(first ? "" : ","); },
                          .end = "\n"};

std::string json_text(const std::string& value) {
  return Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

const RowForm json_form = {
    .text = json_text,
    .number = [](std::string& to,
                 double value) { std::isfinite(value) ? append_number(to, value) : void(to += "null"); },
    .header = [](const std::vector<std::string>&) { return std::string(); },
    .begin = [](const std::string& key, bool first) { return (first ? "{" : ",") + json_text(key) + ":"; },
    .end = "}\n"};

// Outputs of one batch as lines.
class RowWriter {
 public:
  explicit RowWriter(const std::string& format) : form_(format == "csv" ? csv_form : json_form) {}
  virtual ~RowWriter() = default;

  std::string header() const { return form_.header(keys_); }
  virtual std::string rows(const std::vector<std::string>& names, const at::Tensor& outputs) const = 0;

 protected:
  void add_key(const std::string& key) {
    before_.push_back(form_.begin(key, keys_.empty()));
    keys_.push_back(key);
  }
  const RowForm& form() const { return form_; }
  const std::string& before(std::size_t cell) const { return before_[cell]; }
  std::size_t cells() const { return keys_.size(); }

 private:
  const RowForm& form_;
  std::vector<std::string> keys_, before_;
};

class ClassRows final : public RowWriter {
 public:
  ClassRows(const Pretrained& model, std::int64_t classes, const PredictOptions& options)
      : RowWriter(options.format), top_(options.top) {
    if (top_ > classes) {
      throw ConfigError({"top", fmt::format("at most the model's {} classes", classes), fmt::format("{}", top_), {}});
    }
    const auto& names = model.card.classes;
    for (std::int64_t k = 0; k < classes; ++k) {
      const bool named = std::ssize(names) == classes;
      classes_.push_back(form().text(named ? names[static_cast<std::size_t>(k)] : fmt::format("{}", k)));
    }
    add_key("input");
    for (std::int64_t k = 1; k <= top_; ++k) {
      const std::string rank = k == 1 ? "" : fmt::format("_{}", k);
      add_key("prediction" + rank);
      add_key("probability" + rank);
    }
  }

  std::string rows(const std::vector<std::string>& names, const at::Tensor& logits) const override {
    const auto [values, indices] = at::softmax(logits.to(at::kFloat), 1).topk(top_, 1);
    const at::Tensor shares = values.contiguous(), classes = indices.contiguous();
    const float* probability = shares.const_data_ptr<float>();
    const std::int64_t* index = classes.const_data_ptr<std::int64_t>();
    std::string text;
    for (const std::string& name : names) {
      text.append(before(0)).append(form().text(name));
      for (std::size_t cell = 1; cell < cells(); cell += 2) {
        text.append(before(cell)).append(classes_[static_cast<std::size_t>(*index++)]).append(before(cell + 1));
        form().number(text, *probability++);
      }
      text += form().end;
    }
    return text;
  }

 private:
  std::int64_t top_;
  std::vector<std::string> classes_;
};

// The columns that the model learnt to predict, those of a series for each row ahead.
std::vector<std::string> target_names(const Model& model, std::int64_t outputs) {
  const Json reader = model.preprocess().is_null() ? Json() : Preprocess::from_json(model.preprocess()).reader();
  std::vector<std::string> learnt, names;
  if (reader.is_object() && reader.contains("target") && reader.at("target").is_array()) {
    for (const Json& name : reader.at("target"))
      learnt.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  }
  const auto count = std::ssize(learnt);
  for (std::int64_t o = 0; o < outputs; ++o) {
    if (count == 0 || outputs % count != 0) {
      names.push_back(outputs == 1 ? "value" : fmt::format("value_{}", o));
    } else {
      const std::string& name = learnt[static_cast<std::size_t>(o % count)];
      names.push_back(outputs == count ? name : fmt::format("{}+{}", name, o / count + 1));
    }
  }
  return names;
}

class ValueRows final : public RowWriter {
 public:
  ValueRows(const Pretrained& model, std::int64_t outputs, const PredictOptions& options) : RowWriter(options.format) {
    if (options.top > 1)
      throw ConfigError({"top", "1 of a model that predicts values", fmt::format("{}", options.top), {}});
    add_key("input");
    for (const std::string& name : target_names(*model.model, outputs)) add_key(name);
  }

  std::string rows(const std::vector<std::string>& names, const at::Tensor& outputs) const override {
    const at::Tensor values = outputs.to(at::kDouble).contiguous();
    const double* value = values.const_data_ptr<double>();
    std::string text;
    for (const std::string& name : names) {
      text.append(before(0)).append(form().text(name));
      for (std::size_t cell = 1; cell < cells(); ++cell) form().number(text.append(before(cell)), *value++);
      text += form().end;
    }
    return text;
  }
};

std::unique_ptr<RowWriter> make_rows(const Pretrained& model, const PredictOptions& options) {
  Model& net = *model.model;
  if (offers(net, Classifier::capability)) {
    return std::make_unique<ClassRows>(model, require<Classifier>(net).classes(), options);
  }
  if (offers(net, Regressor::capability)) {
    return std::make_unique<ValueRows>(model, require<Regressor>(net).outputs(), options);
  }
  const std::string remedy = offers(net, SequenceModel::capability) ? "vaetl-generate writes text with it"
                             : offers(net, Encoder::capability)
                                 ? "vaetl-encode writes its features; vaetl-transfer gives it a head"
                                 : "choose another model";
  throw ConfigError({"predict", "a model with a head, of classes or values",
                     quote(net.spec().name) + ", which offers " + join(capabilities(net)), remedy});
}

struct ReadAhead {
  bool more = false;
  FurtherExamples examples = {};
};

// The next batch is read on a thread of its own.
std::future<ReadAhead> read_ahead(FurtherStream& inputs, std::int64_t count) {
  return std::async(std::launch::async, [&inputs, count] {
    ReadAhead next;
    next.more = inputs.next(count, next.examples);
    return next;
  });
}

// What is left out is told from the first row on: where none comes, the first problem is the error.
class Told {
 public:
  Told(const PredictOptions& options, const PredictSink& sink) : options_(options), sink_(sink) {}

  void take(const FurtherExamples& examples) {
    for (const Problem& note : examples.notes) {
      if (sink_.note) sink_.note(note);
    }
    for (const Problem& problem : examples.problems) {
      if (options_.strict) throw DataError(problem);
      held_.push_back(problem);
    }
    left_out_ += std::ssize(examples.problems);
    rows_ += std::ssize(examples.names);
    if (rows_ > 0 || held_.size() > most_held) tell();
  }

  // Of the rows that were taken.
  void leave_out(const std::vector<Problem>& problems) {
    if (options_.strict && !problems.empty()) throw DataError(problems[0]);
    held_.insert(held_.end(), problems.begin(), problems.end());
    left_out_ += std::ssize(problems);
    rows_ -= std::ssize(problems);
    if (rows_ > 0) tell();
  }

  Predicted end() const {
    if (rows_ > 0 || held_.empty()) return {rows_, left_out_};
    Problem problem = held_[0];
    if (left_out_ > 1) {
      problem.remedy = fmt::format("{}{} inputs were left out, none is left",
                                   problem.remedy.empty() ? "" : problem.remedy + "; ", left_out_);
    }
    throw DataError(std::move(problem));
  }

 private:
  static constexpr std::size_t most_held = 1000;
  void tell() {
    for (const Problem& problem : held_) {
      if (sink_.left_out) sink_.left_out(problem);
    }
    held_.clear();
  }

  const PredictOptions& options_;
  const PredictSink& sink_;
  std::vector<Problem> held_;
  std::int64_t rows_ = 0, left_out_ = 0;
};

// Rows whose outputs are no numbers (an input beyond what the model's arithmetic holds) are taken out, and told.
std::vector<Problem> take_out_others(std::vector<std::string>& names, at::Tensor& outputs) {
  const at::Tensor finite = outputs.flatten(1).isfinite().all(1);
  std::vector<Problem> problems;
  if (finite.all().item<bool>()) return problems;
  for (const std::string& name : keep_rows(names, finite)) {
    problems.push_back({"input " + name, "finite outputs", "others", "its values are too large for the model"});
  }
  outputs = outputs.index({finite});
  return problems;
}

// The text of a batch is made while the next one is computed, and written before that one's.
class WrittenBehind {
 public:
  WrittenBehind(const RowWriter& writer, const PredictSink& sink) : writer_(writer), sink_(sink) {}

  void begin(std::vector<std::string> names, at::Tensor outputs) {
    pending_ = std::ssize(names);
    text_ = std::async(std::launch::async, [this, names = std::move(names), outputs = std::move(outputs)] {
      use_threads(1);
      return writer_.rows(names, outputs);
    });
  }

  // False: nobody reads on.
  bool finish() {
    if (!text_.valid()) return true;
    const std::string text = text_.get();
    if (!sink_.write(rows_ == 0 ? writer_.header() + text : text)) return false;
    rows_ += pending_;
    if (sink_.progress) sink_.progress(rows_);
    return true;
  }

  std::int64_t rows() const { return rows_; }

 private:
  const RowWriter& writer_;
  const PredictSink& sink_;
  std::future<std::string> text_ = {};
  std::int64_t pending_ = 0, rows_ = 0;
};

// False: nobody reads on.
bool predict_all(const Pretrained& model, FurtherStream& inputs, const PredictOptions& options, Told& told,
                 WrittenBehind& written) {
  std::future<ReadAhead> ahead = read_ahead(inputs, options.batch);
  for (;;) {
    ReadAhead next = ahead.get();
    if (!next.more) return written.finish();
    FurtherExamples& examples = next.examples;
    told.take(examples);
    ahead = read_ahead(inputs, options.batch);
    if (examples.names.empty()) continue;
    std::vector<std::string> names = std::move(examples.names);
    at::Tensor outputs = model.predict_batch(examples.fields);
    told.leave_out(take_out_others(names, outputs));
    if (!written.finish()) return false;
    if (names.empty()) continue;
    written.begin(std::move(names), std::move(outputs));
    // Whoever waits for an answer before the next question gets it.
    const bool waits = ahead.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    if (waits && !written.finish()) return false;
  }
}

}  // namespace

Predicted predict_stream(const Pretrained& model, FurtherStream& inputs, const PredictOptions& options,
                         const PredictSink& sink) {
  from_json<PredictOptions>(to_json(options), "predict");
  const auto writer = make_rows(model, options);
  Told told(options, sink);
  WrittenBehind written(*writer, sink);
  try {
    if (!predict_all(model, inputs, options, told, written)) return {written.rows(), 0};
  } catch (...) {
    written.finish();  // what came before the error
    throw;
  }
  const Predicted result = told.end();
  if (written.rows() == 0) sink.write(writer->header());
  return result;
}

}  // namespace vaetl::recipe
