// The test vector of an entry: made when it is saved, computed again whenever it is loaded. Internal to zoo.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "vaetl/nn/model.hpp"
#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {

// Of noise, in evaluation mode: bytes or token ids for an encoder or a restorer, where its preprocessing changes their
// shape what comes after it, normal values for a generator without one; of a conditional model with its last class.
// None for a model that offers neither, reads other fields or is so large that the card would be unwieldy.
// DivergedError, beginning with `place`, for outputs that are not finite.
std::optional<TestVector> make_test_vector(const std::string& place, const std::shared_ptr<Model>& model);

// The vector's input, float64 (N, …), with what repeats.
at::Tensor input_of(const TestVector& vector);

// What the model makes of the vector's input, on the CPU.
at::Tensor compute_test_vector(const std::shared_ptr<Model>& model, const TestVector& vector);

}  // namespace vaetl::zoo
