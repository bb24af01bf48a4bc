#include "vaetl/data/readers/further_files.hpp"

#include <ATen/ATen.h>

#include <deque>

#include "vaetl/core/parallel.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/one_thread.hpp"
#include "vaetl/io/csv.hpp"

namespace vaetl::readers {
namespace {

// Names of files as they come.
class FileNames {
 public:
  FileNames(const Place& place, const FileKind& kind) : kind_(kind) {
    if (place.descriptor >= 0) {
      lines_.emplace(place.descriptor, place.name(), CsvOptions{.delimiter = 0, .quote = 0});
      return;
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(place.path, ignored)) {
      listed_ = {{.where = place.path.string(), .path = place.path}};
      return;
    }
    list(place.path);
  }

  bool next(ExampleFile& file) {
    if (!lines_) {
      if (listed_.empty()) return false;
      file = std::move(listed_.front());
      listed_.pop_front();
      return true;
    }
    CsvRow line;
    if (!lines_->next(line)) return false;
    file = {};
    if (line.flaw.empty()) {
      file.path = file.where = line.values[0];
    } else {
      problems_.push_back({fmt::format("standard input:{}", line.line), "the name of a file", line.flaw, {}});
    }
    return true;
  }

  std::vector<Problem> take_problems() { return std::exchange(problems_, {}); }
  std::vector<Problem> take_notes() { return std::exchange(notes_, {}); }

 private:
  void list(const std::filesystem::path& folder) {
    const Reading reading{.skipped = [&](const Problem& problem) { problems_.push_back(problem); }};
    Skips skips(reading);
    auto found = files_below(folder, kind_, skips);
    listed_.assign(std::make_move_iterator(found.files.begin()), std::make_move_iterator(found.files.end()));
    if (listed_.empty() && problems_.empty()) {
      throw DataError({folder.string(), kind_.all, found.others.empty() ? "none" : "only " + found.others, {}});
    }
    if (!found.others.empty()) notes_.push_back({folder.string(), kind_.all, found.others, "ignored"});
  }

  const FileKind kind_;
  std::deque<ExampleFile> listed_;
  std::optional<CsvReader> lines_;
  std::vector<Problem> problems_, notes_;
};

struct ReadFile {
  std::string name = {};
  Fields fields = {};
  std::optional<Problem> problem = {};
};

bool alike(const Fields& a, const Fields& b) { return a.input().sizes() == b.input().sizes(); }

Fields stacked(const std::vector<ReadFile>& examples) {
  const OneThread alone;
  Fields fields;
  for (const std::string& key : examples[0].fields.keys()) {
    std::vector<at::Tensor> values;
    for (const ReadFile& each : examples) values.push_back(each.fields[key]);
    fields.set(key, at::stack(values));
  }
  return fields;
}

class FurtherFiles final : public FurtherStream {
 public:
  FurtherFiles(const Place& place, const FileKind& kind, ReadOne read) : names_(place, kind), read_(std::move(read)) {}

  bool next(std::int64_t count, FurtherExamples& examples) override {
    examples = {};
    const bool more = !read_ahead_.empty() || decode(count);
    examples.problems = names_.take_problems();
    examples.notes = names_.take_notes();
    if (!more) return !examples.problems.empty() || !examples.notes.empty();
    std::vector<ReadFile> run;
    while (!read_ahead_.empty()) {
      ReadFile& front = read_ahead_.front();
      if (!front.problem && !run.empty() && !alike(front.fields, run[0].fields)) break;
      if (front.problem) examples.problems.push_back(*front.problem);
      if (!front.problem) run.push_back(std::move(front));
      read_ahead_.pop_front();
    }
    for (const ReadFile& each : run) examples.names.push_back(each.name);
    if (!run.empty()) examples.fields = stacked(run);
    return true;
  }

 private:
  bool decode(std::int64_t count) {
    std::vector<ExampleFile> files;
    ExampleFile file;
    for (std::int64_t i = 0; i < count && names_.next(file); ++i) {
      if (!file.where.empty()) files.push_back(std::move(file));
    }
    std::vector<ReadFile> found(files.size());
    parallel_for(std::ssize(files), [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      found[at].name = files[at].where;
      try {
        found[at].fields = read_(files[at]);
      } catch (const DataError& error) {
        found[at].problem = error.problem;
      }
    });
    read_ahead_.assign(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    return !found.empty();
  }

  FileNames names_;
  ReadOne read_;
  std::deque<ReadFile> read_ahead_;
};

void check_size(const at::Tensor& picture, const std::vector<std::int64_t>& shape, const std::string& where) {
  if (shape.empty() || shape_fits(shape, picture.sizes())) return;
  throw DataError({where, fmt::format("a picture of {}×{} pixels, as the model reads", shape[2], shape[1]),
                   fmt::format("{}×{}", picture.size(2), picture.size(1)), "resize it"});
}

}  // namespace

std::unique_ptr<FurtherStream> further_files(const Place& place, const FileKind& kind, ReadOne read) {
  return std::make_unique<FurtherFiles>(place, kind, std::move(read));
}

std::unique_ptr<FurtherStream> further_pictures(const Place& place, const PictureFit& fit,
                                                const std::vector<std::int64_t>& shape) {
  return further_files(place, FileKind{}, [fit, shape](const ExampleFile& file) {
    Fields fields;
    fields.set("input", read_picture(file, fit));
    check_size(fields.input(), shape, file.where);
    return fields;
  });
}

}  // namespace vaetl::readers
