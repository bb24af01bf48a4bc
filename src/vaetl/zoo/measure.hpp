// Metrics as a card tells them: on which data, and how sure.
//
// The interval is value ± t s / √K at 95 %, with s the spread of the metric over K = 20 random parts of the examples
// (10 of fewer than 100; contiguous parts where neighbours share values) and t of K − 1 degrees of freedom. So it needs
// no knowledge of the metric, and tells what another draw of as many examples might give; it knows nothing of another
// training. None where there are fewer than 40 examples, where a part is too small for the metric, and for metrics that
// compare with the training data.
//
// What a judge says of a generator's samples (train/judge.hpp) is the mean over five draws of samples and halves of the
// data, seeds 0 to 4; its interval is the mean ± t s / √5 over them.
//
//   auto metrics = zoo::measure(*zoo::load("my-classifier").model, {.data = "fashion-mnist", .metrics = {"accuracy"}});
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/dataset.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {

struct MeasureRequest {
  std::string data, split = {};  // empty: test, or train where the set has no splits
  std::vector<std::string> metrics = {};
  std::string judge = {};  // a zoo entry, a classifier: all that it says of the model's samples, instead of metrics
};

// The data are read as the model's own were. Values that are not finite are left out. ConfigError: metrics or a split
// that do not fit; DataError: data that are not there, or do not fit; FileError: no such judge.
std::map<std::string, MetricCard> measure(Model& model, const MeasureRequest& request);
std::map<std::string, MetricCard> measure(Model& model, const Dataset& examples,
                                          const std::vector<std::string>& metrics,
                                          const std::optional<Dataset>& training = {});

// Of values that evaluate() gave for these examples; no interval, no key.
std::map<std::string, IntervalCard> intervals(Model& model, const Dataset& examples,
                                              const std::map<std::string, double>& values);

// What measures a card's metrics again: one request each, one for all of a judge's.
std::vector<MeasureRequest> requests_of(const std::map<std::string, MetricCard>& metrics);

// Whether a card's reference is to a set that has a name, with numbers alone as its options. A card of others does not
// decide which files are opened: of other references the user says where the data are.
bool is_named_data(const std::string& reference);

}  // namespace vaetl::zoo
