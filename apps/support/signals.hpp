// SIGINT and SIGTERM ask long work to stop where it can be taken up again.
#pragma once
#include <memory>
#include <optional>

#include "vaetl/core/error.hpp"
#include "vaetl/train/callback.hpp"

namespace vaetl::apps {

// From now on a signal sets a flag and nothing else; a second SIGINT, when half a second has passed, ends the program
// at once.
void catch_signals();

// The exit code that the signal asks for: interrupted, terminated; none where there was none.
std::optional<Exit> caught_signal();

// Stops a training, which is then saved, at the next step, or batch of a validation, after a signal.
std::shared_ptr<Callback> stop_on_signal();

}  // namespace vaetl::apps
