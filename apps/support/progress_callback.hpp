// A training on stderr: a bar with epoch, loss, rate and time left on a terminal, plain lines elsewhere; notices as
// lines.
#pragma once
#include <memory>
#include <string>

#include "vaetl/train/callback.hpp"

namespace vaetl::apps {

std::shared_ptr<Callback> show_progress(const std::string& label);

}  // namespace vaetl::apps
