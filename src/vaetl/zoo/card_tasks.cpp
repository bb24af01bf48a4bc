#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {
namespace {

struct ZooTask {
  const char* name;
  std::string_view capability;
};
constexpr ZooTask zoo_tasks[] = {{"classify", Classifier::capability}, {"regress", Regressor::capability},
                                 {"reconstruct", Decoder::capability}, {"generate", Generator::capability},
                                 {"restore", Restorer::capability},    {"sequence", SequenceModel::capability},
                                 {"encode", Encoder::capability}};

}  // namespace

std::vector<std::string> known_tasks() {
  std::vector<std::string> names;
  for (const ZooTask& task : zoo_tasks) names.emplace_back(task.name);
  return names;
}

std::vector<std::string> tasks_of(const Card& card) {
  std::vector<std::string> names;
  for (const ZooTask& task : zoo_tasks) {
    const auto& offered = card.capabilities;
    if (std::find(offered.begin(), offered.end(), task.capability) != offered.end()) names.emplace_back(task.name);
  }
  return names;
}

}  // namespace vaetl::zoo
