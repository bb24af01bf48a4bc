#include "vaetl/train/callbacks.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/csv.hpp"
#include "vaetl/io/event_file.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

bool EveryEpochs::due(std::int64_t epoch) {
  if (every_ == 0) return false;
  const std::int64_t before = std::exchange(done_, epoch + 1);
  return done_ / every_ > before / every_;
}

namespace callbacks {
namespace {

constexpr std::string_view validation_prefix = "validation.";

std::string csv_path(const Progress& progress) {
  return (std::filesystem::path(progress.directory) / "metrics.csv").string();
}

// Numbers and names of terms; a name that needs quotes gets them.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

double step_of(const std::map<std::string, std::string>& row) {
  const auto step = row.find("step");
  return step == row.end() ? 0 : std::strtod(step->second.c_str(), nullptr);
}

// Rows of a run that was interrupted, up to the step from which it goes on.
std::vector<std::map<std::string, std::string>> rows_before(const std::string& file, std::int64_t step) {
  std::vector<std::map<std::string, std::string>> rows;
  if (!std::filesystem::exists(file)) return rows;
  CsvReader reader{file};
  CsvRow names, row;
  if (!reader.next(names)) return rows;
  while (reader.next(row)) {
    if (row.values.size() != names.values.size()) continue;
    std::map<std::string, std::string> cells;
    for (std::size_t i = 0; i < row.values.size(); ++i) cells[names.values[i]] = row.values[i];
    if (step_of(cells) <= static_cast<double>(step)) rows.push_back(std::move(cells));
  }
  return rows;
}

// The columns that say where a row stands come first.
std::vector<std::string> columns_of(const std::vector<std::map<std::string, std::string>>& rows) {
  std::vector<std::string> columns = {"epoch", "step", "seconds"};
  std::set<std::string> others;
  for (const auto& row : rows) {
    for (const auto& [name, value] : row) others.insert(name);
  }
  for (const std::string& column : columns) others.erase(column);
  columns.insert(columns.end(), others.begin(), others.end());
  return columns;
}

}  // namespace

void Csv::on_begin(Progress& progress) {
  if (!progress.directory.empty() && progress.step > 0) rows_ = rows_before(csv_path(progress), progress.step);
}

void Csv::on_epoch(Progress& progress) {
  if (progress.directory.empty()) return;
  // Of a run that went back to a checkpoint, what is done again.
  std::erase_if(rows_, [&](const auto& row) { return step_of(row) >= static_cast<double>(progress.step); });
  auto& row = rows_.emplace_back();
  for (const auto& [name, value] : progress.scalars) row[name] = fmt::format("{}", value);
  write(csv_path(progress));
}

void Csv::write(const std::string& file) const {
  const auto columns = columns_of(rows_);
  std::string text;
  for (const auto& column : columns) text += (text.empty() ? "" : ",") + csv_cell(column);
  text += "\n";
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto cell = row.find(columns[i]);
      text += (i > 0 ? "," : "") + (cell == row.end() ? std::string() : cell->second);
    }
    text += "\n";
  }
  write_atomically(file, text);
}

TensorBoard::TensorBoard(Options options) : histograms_(options.histograms) {}
TensorBoard::~TensorBoard() = default;

void TensorBoard::on_begin(Progress& progress) {
  if (progress.directory.empty()) return;
  const std::filesystem::path folder = progress.directory;
  const bool resumed = progress.step > 0;
  events_ = std::make_unique<EventFile>(folder / "events", resumed ? progress.step + 1 : 0);
  histograms_.begin(progress.epoch);
  if (!resumed && std::filesystem::exists(folder / "recipe.json")) {
    events_->text("recipe", 0, "```json\n" + read_file(folder / "recipe.json") + "\n```");
  }
  if (!notices_.empty()) events_->text("notices", progress.step, notices_);
  events_->flush();
}

void TensorBoard::on_log(Progress& progress) {
  if (!events_) return;
  for (const auto& [term, value] : progress.scalars) events_->scalar("train/" + term, progress.step, value);
  take_pictures(progress);
  events_->flush();
}

void TensorBoard::on_epoch(Progress& progress) {
  if (!events_) return;
  for (const auto& [name, value] : progress.scalars) {
    if (name == "step") continue;
    const std::string tag =
        name.starts_with(validation_prefix) ? "validation/" + name.substr(validation_prefix.size()) : "epoch/" + name;
    events_->scalar(tag, progress.step, value);
  }
  if (histograms_.due(progress.epoch)) write_histograms(progress);
  take_pictures(progress);
  events_->flush();
}

void TensorBoard::write_histograms(const Progress& progress) {
  const at::NoGradGuard no_grad;
  const Model& model = progress.result();
  std::map<std::string, std::vector<at::Tensor>> groups;
  for (const auto& item : model.named_parameters()) {
    groups[group_of(model, item.key())].push_back(item.value().detach().flatten().to(at::kFloat));
  }
  for (const auto& [group, weights] : groups) {
    events_->histogram("weights/" + group, progress.step, at::cat(weights));
  }
}

void TensorBoard::take_pictures(Progress& progress) {
  for (const DrawnPicture& drawn : progress.pictures) events_->picture(drawn.tag, drawn.step, drawn.image);
  progress.pictures.clear();
}

void TensorBoard::on_notice(Progress& progress) {
  if (events_) return events_->text("notices", progress.step, progress.notice);
  notices_ += progress.notice + "\n\n";  // before the training begins
}

void TensorBoard::on_end(Progress& progress) {
  if (!events_) return;
  take_pictures(progress);
  events_->flush();
}

}  // namespace callbacks
}  // namespace vaetl
