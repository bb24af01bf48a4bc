// Metrics of a card in one line: "accuracy 0.91 ± 0.006, elbo -241.1".
#pragma once
#include <string>

#include "vaetl/zoo/card.hpp"

namespace vaetl::apps {

std::string metrics_line(const zoo::Card& card);

}  // namespace vaetl::apps
