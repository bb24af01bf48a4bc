// The files of an export to Python. Internal to export.
#pragma once
#include <map>
#include <string>

#include "vaetl/zoo/export/plan.hpp"

namespace vaetl::zoo::exporting {

constexpr const char* python_card_file = "card.json";

struct PythonModule {
  std::string source, card, readme;
  std::map<std::string, at::Tensor> constants = {};  // in a file beside the weights
};

PythonModule python_module(const ExportPlan& plan, const Model& model);

}  // namespace vaetl::zoo::exporting
