// vaetl-predict: what a model says of each input, a row each, as they come.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/further.hpp"
#include "vaetl/recipe/predict_stream.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

// Where rows go: a file, which is complete or absent, the JSON object, or stdout as they are made.
class Rows {
 public:
  explicit Rows(const Arguments& arguments) : gathers_(arguments.has("json") && !arguments.has("out")) {
    if (arguments.has("out")) file_.emplace(arguments.text("out"));
    if (!file_ && !gathers_) std::setvbuf(stdout, nullptr, _IONBF, 0);  // nothing is kept that a closed pipe refused
  }

  // False: the reader has left, as head does.
  bool write(std::string_view text) {
    if (file_) file_->write(text);
    if (gathers_) gathered_ += text;
    if (file_ || gathers_) return true;
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return true;
    if (errno == EPIPE) return false;
    throw OutputError({"standard output", "to be written", std::strerror(errno), {}});
  }

  bool on_stdout() const { return !file_ && !gathers_; }
  bool gathers() const { return gathers_; }

  // JSON lines as an array.
  Json gathered() const {
    Json rows = Json::array();
    std::istringstream lines(gathered_);
    for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
    return rows;
  }

  void commit() {
    if (file_) file_->commit();
  }

 private:
  bool gathers_;
  std::optional<AtomicFile> file_ = {};
  std::string gathered_ = {};
};

// A bar on stderr, unless the rows appear on the same terminal.
class Shown {
 public:
  Shown(const Arguments& arguments, const Rows& rows) : arguments_(arguments) {
    const bool mixed = rows.on_stdout() && ::isatty(STDOUT_FILENO) != 0;
    if (!arguments.has("quiet") && !mixed && detect_style(stderr).terminal) bar_.emplace("predict", 0, "input");
  }
  void update(std::int64_t rows) {
    if (bar_) bar_->update(rows);
  }
  void line(const std::string& text) {
    if (bar_) return bar_->print(text);
    tell(arguments_, text);
  }

 private:
  const Arguments& arguments_;
  std::optional<ProgressBar> bar_ = {};
};

struct Inputs {
  std::unique_ptr<FurtherStream> stream;
  std::int64_t left_out = 0;  // when they were opened
};

Inputs inputs_of(const Arguments& arguments, const Model& model) {
  const std::vector<std::string> files(arguments.positional().begin() + 1, arguments.positional().end());
  if (files.empty() == !arguments.has("data")) {
    throw ConfigError(
        {"command line", "FILE… or - behind MODEL, or --data REF", files.empty() ? "neither" : "both", "see --help"});
  }
  if (files.empty()) {
    const ScoredData data = scored_data(arguments, model);
    return {recipe::open_further(data.examples), data.left_out};
  }
  if (arguments.has("split")) throw ConfigError({"--split", "--data REF, of which it is one", "files", "leave it out"});
  return {recipe::open_further(model, files)};
}

recipe::PredictOptions predict_options(const Arguments& arguments, const Rows& rows) {
  recipe::PredictOptions options{.strict = arguments.has("strict")};
  if (arguments.has("batch")) options.batch = arguments.integer("batch", between(1, 1 << 20));
  if (arguments.has("top")) options.top = arguments.integer("top", between(1, 1 << 20));
  if (rows.gathers() && arguments.has("format")) {
    throw ConfigError({"--format", "--out FILE beside it", "--json, which holds the rows otherwise", "leave one out"});
  }
  options.format = rows.gathers() ? "jsonl" : arguments.text("format", "csv");
  return options;
}

Result result_of(const Arguments& arguments, const Rows& rows, const recipe::Predicted& done) {
  Result result{.json = {{"model", arguments.positional()[0]}, {"rows", done.rows}, {"left_out", done.left_out}}};
  if (arguments.has("out")) result.json["out"] = arguments.text("out");
  if (rows.gathers()) result.json["predictions"] = rows.gathered();
  if (done.left_out > 0) result.exit = Exit::data;
  return result;
}

Result predict(const Arguments& arguments) {
  if (arguments.positional().empty()) throw ConfigError({"command line", "MODEL FILE… or -", "nothing", "see --help"});
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained model = load_model(arguments, arguments.positional()[0]);
  Rows rows(arguments);
  const recipe::PredictOptions options = predict_options(arguments, rows);
  const Inputs inputs = inputs_of(arguments, *model.model);
  model.model->to(device);
  Shown shown(arguments, rows);
  recipe::Predicted done =
      recipe::predict_stream(model, *inputs.stream, options,
                             {.write = [&](std::string_view text) { return rows.write(text); },
                              .left_out = [&](const Problem& problem) { shown.line(left_out_line(problem)); },
                              .note = [&](const Problem& problem) { shown.line(DataError(problem).what()); },
                              .progress = [&](std::int64_t count) { shown.update(count); }});
  rows.commit();
  done.left_out += inputs.left_out;
  if (done.left_out > 0) shown.line(fmt::format("{} left out, {} predicted", done.left_out, done.rows));
  return result_of(arguments, rows, done);
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-predict",
      .synopsis = "vaetl-predict MODEL FILE… | - | --data REF [options]",
      .purpose = "writes what a model says of each input",
      .flags = data_flags({{"top", "K", "the K likeliest classes a row (1)"},
                           {"format", "FORM", "csv, or jsonl: a JSON object a row (csv)"},
                           out_flag("FILE", "the rows (stdout)"),
                           {"batch", "N", "inputs that are read and computed together (500)"},
                           model_flag(),
                           device_flag(),
                           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of a classifier or\n"
          "a model of values; a file that others made needs --model.\n"
          "FILE is read as the training data were. Of a model of\n"
          "  pictures, sound  a file, or a folder and all below; - reads names of files, one a line\n"
          "  tables, series   rows of CSV, columns by name; the target may be missing; - reads rows\n"
          "  texts            a text a line; - reads lines\n"
          "  any              FILE.npy: raw values (N, …); FILE.safetensors: packed by vaetl-data\n"
          "--data reads what vaetl-evaluate does: named sets, labelled files, KIND:PATH.\n"
          "A row has the input (the file's name, or the number of the row or line, from 1), the class\n"
          "and its probability, or the values in the target's units. Inputs that cannot be read are\n"
          "told on stderr; the exit code is 3 then, and the rows of the others are there.\n"
          "Memory does not grow with the number of inputs, but for rows within --json.\n",
      .example = "  vaetl-predict runs/cnn photos --top 3 --out predictions.csv\n",
      .run = predict};
  run_program(program, argc, argv);
}
