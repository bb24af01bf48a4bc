// Help on whatever a recipe names: models, objectives, optimisers, transforms, metrics and the recipe's sections,
// printed from the descriptions that also check them.
#pragma once
#include <string>
#include <vector>

namespace vaetl::apps {

// Without a name, or for "names": all names. ConfigError for one that there is not, with the nearest.
std::string topic_text(const std::vector<std::string>& names);

}  // namespace vaetl::apps
