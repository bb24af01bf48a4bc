// Run and sweep folders as recipes write them, and a look at the pages made of them.
#pragma once
#include <gtest/gtest.h>

#include <cstdio>
#include <map>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/core/json.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/report/report.hpp"

namespace vaetl::testing {

inline std::string make_folder_in(const TemporaryFolder& parent, const std::string& name) {
  std::filesystem::create_directories(parent.path() + "/" + name + "/pictures");
  return parent.path() + "/" + name;
}

inline Json run_json() {
  return parse_json(R"({"kind": "train", "name": "small-vae", "status": "done", "seconds": 83.4, "steps": 2350,
    "epochs": 10, "resumed_from": null, "metrics": {"elbo": -241.634, "accuracy": 0.72914},
    "model": {"name": "conv_vae", "parameters": 1068129, "groups": [{"name": "stem", "parameters": 320, "trained": false}]},
    "device": "cpu", "threads": 2, "peak_memory_mb": 612.4, "samples_per_second": 7212,
    "command": "vaetl-train small-vae.json --out runs/a",
    "data": {"name": "fashion-mnist", "train": 60000, "validation": 0, "test": 10000}})",
                    "run.json");
}

// One term and its validation, one that is validated alone, over three epochs.
inline constexpr const char* log_lines =
    "{\"epoch\":0,\"step\":10,\"loss\":3.5,\"seconds\":1.5}\n"
    "{\"epoch\":0,\"step\":10,\"validation.loss\":3.75,\"validation.accuracy\":0.5,\"seconds\":1.6}\n"
    "{\"epoch\":1,\"step\":20,\"loss\":2.5,\"seconds\":3}\n"
    "{\"epoch\":1,\"step\":20,\"validation.loss\":2.75,\"validation.accuracy\":0.75,\"seconds\":3.1}\n"
    "{\"epoch\":2,\"step\":30,\"loss\":2.25,\"seconds\":4.5}\n";

inline std::string write_run(const TemporaryFolder& parent, const std::string& name, const Json& run,
                             const std::string& log = log_lines) {
  const std::string folder = make_folder_in(parent, name);
  parent.file(name + "/run.json", run.dump());
  parent.file(name + "/metrics.jsonl", log);
  parent.file(name + "/recipe.json", R"({"name": "small-vae", "data": {"open": "fashion-mnist"}})");
  return folder;
}

inline Json sweep_json() {
  Json sweep = parse_json(R"({"kind": "sweep", "name": "few-labels", "metric": "accuracy", "higher_is_better": true,
    "ways": ["scratch", "simclr"], "vary": {"data.take_per_class": [1, 10, 100]}, "seeds": 3, "points": [], "summary": [],
    "paired": [], "seconds": 75, "command": "vaetl-sweep few.json"})",
                          "sweep.json");
  const double means[2][3] = {{0.514, 0.705, 0.863}, {0.557, 0.7294, 0.8612}};
  const int labels[3] = {1, 10, 100};
  for (int i = 0; i < 3; ++i) {
    const Json vary{{"data.take_per_class", labels[i]}};
    for (int way = 0; way < 2; ++way) {
      sweep["summary"].push_back(
          {{"way", sweep["ways"][way]}, {"vary", vary}, {"mean", means[way][i]}, {"spread", 0.0123}, {"n", 3}});
    }
    const double mean = means[1][i] - means[0][i];
    sweep["paired"].push_back({{"way", "simclr"},
                               {"against", "scratch"},
                               {"vary", vary},
                               {"mean", mean},
                               {"spread", 0.004},
                               {"low", mean - 0.01},
                               {"high", mean + 0.01},
                               {"n", 3}});
  }
  sweep["points"].push_back({{"way", "simclr"},
                             {"vary", {{"data.take_per_class", 10}}},
                             {"seed", 2},
                             {"value", 0.7312},
                             {"seconds", 1.5},
                             {"chosen", {{"trainer.optimizer.lr", 0.001}}}});
  return sweep;
}

inline std::string write_sweep(const TemporaryFolder& parent, const std::string& name, const Json& sweep) {
  const std::string folder = make_folder_in(parent, name);
  parent.file(name + "/sweep.json", sweep.dump());
  return folder;
}

struct Page {
  std::string text;                  // without tags
  std::map<std::string, int> count;  // elements by name
  bool shows(const std::string& part) const { return text.find(part) != std::string::npos; }
};

// Runs page_check.py, which fails on a page that is not well-formed or not self-contained.
inline Page check(const std::string& html) {
  const TemporaryFolder folder;
  const std::string file = folder.file("page.html", html);
  Page page;
  std::FILE* pipe = ::popen(("python3 tests/report/page_check.py " + file + " 2>&1").c_str(), "r");
  std::string output;
  for (char part[4096]; std::size_t size = std::fread(part, 1, sizeof part, pipe);) output.append(part, size);
  EXPECT_EQ(::pclose(pipe), 0) << output;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string key = line.substr(0, space), value = line.substr(std::min(space + 1, line.size()));
    if (key == "text") page.text = value;
    if (key != "text") page.count[key] = std::atoi(value.c_str());
  }
  return page;
}

}  // namespace vaetl::testing
