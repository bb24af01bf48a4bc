// The usual mistakes of a training, looked for once before its first step, in its first batch and a sample of its
// examples: each is a line that says what was found and what to do. Nothing that training sees is changed: buffers,
// gradients, modes and what the objective keeps in buffers are put back, and noise is seeded anew for every update
// anyway (its terms are computed once more: what an objective counts in a member of its own sees that).
//
// Found are: rate 0; a batch larger than the set; inputs that hold NaN, are far from 0 and 1 or hardly vary; columns of
// a table that never vary; labels that are all equal, in the set or in the first batch alone; classes without an
// example; targets of a regression that are far from 0 and 1; validation examples that are trained on; a first loss
// that is not finite, or for a classifier far above ln K; layer groups that should train and get no gradient; generated
// values in another range than the data's. (Labels that the model has no class for are an error of the objective.)
//
// TrainerOptions::checks switches them off.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/train/parameter_sets.hpp"
#include "vaetl/train/trainer.hpp"

namespace vaetl {

// What stands ready before step 0.
struct TrainingStart {
  const TrainerOptions& options;
  const Pipeline& data;
  Model& model;
  Objective& objective;  // bound
  const Batch& example;  // the first batch
  const std::vector<Update>& updates;
  const std::vector<std::vector<ParameterSet>>& sets;  // by update
  const std::map<std::string, GroupTuning>& tuning;
  Span span;  // of the training, for its curves
};

std::vector<std::string> find_mistakes(const TrainingStart& start);

// The two halves. Internal to train.
struct DataMistakes {
  std::vector<std::string> lines = {};
  bool odd_inputs = false;  // which explain an odd loss
};
DataMistakes find_mistakes_in_data(const TrainingStart& start);
std::vector<std::string> find_mistakes_in_trial(const TrainingStart& start, bool odd_inputs);  // one pass each way

}  // namespace vaetl
