// views.json of a run folder as values: which classes are taken for which, and maps of the latents. Internal to report.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/report/json_view.hpp"

namespace vaetl {

struct ConfusionView {
  struct Cell {
    std::int64_t label, called, count;
  };
  std::string of;  // "10,000 test examples"
  std::vector<std::string> classes;
  std::vector<Cell> cells = {};  // every one that is not 0
};

struct LatentView {
  struct Point {
    double x, y;
  };
  struct Map {
    std::string method = {};
    std::optional<double> perplexity = {}, variance_share = {}, trustworthiness = {};
    std::vector<Point> points = {};
  };
  std::string of;
  double dimensions = 0;
  std::vector<std::int64_t> labels;  // empty: none are known
  std::vector<std::string> classes;
  std::vector<Map> maps;
};

// FileError for what does not fit together.
ConfusionView read_confusion(const JsonView& view);
LatentView read_latent_view(const JsonView& view);
// "500 of the 10,000 test examples, evenly spread"
std::string of_examples(const JsonView& view);

}  // namespace vaetl
