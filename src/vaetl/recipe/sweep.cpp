#include "vaetl/recipe/sweep.hpp"

#include <ATen/Parallel.h>

#include <thread>

#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/recipe/sweep_parts.hpp"
#include "vaetl/report/report.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

// What a sweep is made of and what became of it so far.
class Sweep {
 public:
  Sweep(const Recipe& recipe, const SweepOptions& options, const SweepSettings& settings)
      : recipe_(recipe), options_(options), settings_(settings), points_(expand(recipe, options)) {
    recipe_.sweep = to_json(options);
    const auto hashes = source_hashes(points_);
    for (const auto& point : points_) fingerprints_.push_back(fingerprint(point, options_, hashes));
    results_.resize(points_.size());
  }

  SweepReport run() {
    check_folder();
    make_folder(settings_.out / "points");
    const FolderLock lock(settings_.out);
    keep_finished();
    write_run_json(settings_.out / "recipe.json", resolve(recipe_));
    const bool finished = run_pending();
    return finish(!finished);
  }

 private:
  fs::path file_of(std::size_t point) const { return settings_.out / "points" / (points_[point].id + ".json"); }

  void check_folder() const {
    if (settings_.out.empty()) throw ConfigError({"sweep", "a folder for its points", "none", "choose one with --out"});
    std::error_code ignored;
    const bool used = fs::exists(settings_.out, ignored) && !fs::is_empty(settings_.out, ignored);
    if (!used || (settings_.resume && fs::exists(settings_.out / "points", ignored))) return;
    const bool sweep = fs::exists(settings_.out / "points", ignored);
    throw OutputError({settings_.out.string(), "a new or an empty folder",
                       sweep ? "one that already holds a sweep" : "one that holds other files",
                       sweep ? "choose another --out, or --resume" : "choose another --out"});
  }

  // A point of other settings is never counted among these.
  void keep_finished() {
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (!fs::exists(file_of(i))) continue;
      Json result = read_run_json(file_of(i));
      const Json before = result.contains("fingerprint") ? result["fingerprint"] : Json();
      const std::string difference = first_difference(before, fingerprints_[i]);
      if (!difference.empty()) {
        throw OutputError({file_of(i).string(), "the point that this sweep would run", "another, " + difference,
                           "choose another --out, or remove it"});
      }
      // Test metrics are all kept, whichever of them was compared before.
      if (options_.on == "test") result["value"] = result["metrics"][options_.metric];
      results_[i] = std::move(result);
      ++done_;
    }
    if (done_ > 0) tell(fmt::format("{} of {} points were done before", done_, points_.size()));
  }

  void tell(const std::string& text) const {
    if (settings_.progress) settings_.progress(done_, static_cast<std::int64_t>(points_.size()), text);
  }

  int jobs() const {
    if (settings_.jobs > 0) return settings_.jobs;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / std::max(1, settings_.threads));
  }

  bool run_pending() {
    std::vector<std::size_t> pending;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (results_[i].is_null()) pending.push_back(i);
    }
    auto cache = settings_.data ? settings_.data : std::make_shared<DataCache>();
    RunSettings run{.device = settings_.device, .command = settings_.command, .artefacts = false, .data = cache};
    return run_in_processes(pending, {.jobs = jobs(),
                                      .begin = [this] { at::set_num_threads(std::max(1, settings_.threads)); },
                                      .work =
                                          [this, &run](std::size_t i) {
                                            const Json result = run_point(points_[i], options_, fingerprints_[i], run);
                                            write_run_json(file_of(i), result);
                                          },
                                      .done = [this](std::size_t i, const Json& failure) { collect(i, failure); },
                                      .stop = settings_.stop});
  }

  void collect(std::size_t i, const Json& failure) {
    ++done_;
    if (failure.is_null()) {
      results_[i] = read_run_json(file_of(i));
      tell(fmt::format("{}: {} {:.4f} in {}", points_[i].id, options_.metric, results_[i]["value"].get<double>(),
                       duration(results_[i]["seconds"].get<double>())));
      return;
    }
    failures_.push_back({points_[i].id, failure["message"].get<std::string>(), Exit(failure["code"].get<int>())});
    tell(fmt::format("{} failed: {}", points_[i].id, failures_.back().message));
  }

  Json failures_json() const {
    Json json = Json::array();
    for (const auto& failure : failures_) json.push_back({{"point", failure.point}, {"message", failure.message}});
    return json;
  }

  Json way_names() const {
    Json names = Json::array();
    for (const auto& point : points_) {
      if (std::find(names.begin(), names.end(), point.way) == names.end()) names.push_back(point.way);
    }
    return names;
  }

  Json varied() const {
    Json vary = options_.vary;
    if (!options_.random) return vary;
    for (const auto& [key, range] : options_.random->ranges) vary[key] = to_json(range);
    return vary;
  }

  Json describe(bool interrupted) const {
    const char* status = interrupted ? "interrupted" : (failures_.empty() ? "done" : "failed");
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    return {{"kind", "sweep"},
            {"name", recipe_.name},
            {"status", status},
            {"metric", options_.metric},
            {"on", options_.on},
            {"higher_is_better", make_metric(options_.metric)->higher_is_better()},
            {"baseline", options_.baseline},
            {"ways", way_names()},
            {"vary", varied()},
            {"drawn", options_.random ? Json(options_.random->count) : Json()},
            {"seeds", options_.seeds},
            {"seconds", seconds.count()},
            {"jobs", jobs()},
            {"threads", settings_.threads},
            {"command", settings_.command}};
  }

  SweepReport finish(bool interrupted) {
    std::vector<Json> results;
    for (const Json& result : results_) {
      if (!result.is_null()) results.push_back(result);
    }
    SweepReport report{.json = describe(interrupted), .failures = failures_, .interrupted = interrupted, .text = {}};
    report.json.update(summarise_points(options_, results));
    report.json["failures"] = failures_json();
    report.text = sweep_table(report.json);
    write_run_json(settings_.out / "sweep.json", report.json);
    write_atomically(settings_.out / "report.html", render_report({settings_.out}, recipe_.name));
    return report;
  }

  Recipe recipe_;
  SweepOptions options_;
  SweepSettings settings_;
  std::vector<SweepPoint> points_;
  std::vector<Json> fingerprints_, results_;
  std::vector<SweepReport::Failure> failures_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

SweepReport sweep(const Recipe& recipe, const SweepOptions& options, const SweepSettings& settings) {
  return Sweep(recipe, read_sweep(to_json(options)), settings).run();
}

}  // namespace vaetl::recipe
