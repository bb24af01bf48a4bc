// What a separately trained classifier says of the samples of a generator, beside what it says of real data.
//
//   auto scores = judge_samples(*zoo::load("runs/cgan").model, *zoo::load("runs/cnn").model, fashion.test, 0);
#pragma once
#include <map>
#include <string>

#include "vaetl/data/dataset.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

// The data are split at random into two halves of equal size, and as many samples are generated; a conditional
// generator makes the classes of the second half. "Features" are the classifier's.
//   frechet               Fréchet distance of the samples to the first half (metrics/frechet.hpp)
//   frechet_floor         of the second half to the first: what is left between real data
//   variety               mean distance between samples, over that of the second half (of 2000 each, at most)
// and where the generator is conditional and the data have labels:
//   class_confirmed       share of samples that the classifier takes for the class that was asked for
//   class_confirmed_real  its accuracy on the second half: what perfect samples would reach
//   class_variety         mean over classes of the mean distance between samples of one class (500 at most), over that
//                         of real data of that class: one picture a class scores 0
// Both models are in evaluation mode and carry their preprocessing; samples pass through the data's own form (whole
// numbers where the data are) from one to the other. ConfigError: a model that is no generator, or no classifier, or of
// another number of classes. DataError: data of fewer than four examples, another shape, or values that cannot be
// traced back through the generator's preprocessing.
std::map<std::string, double> judge_samples(Model& generator, Model& classifier, const Dataset& data,
                                            std::uint64_t seed);

}  // namespace vaetl
