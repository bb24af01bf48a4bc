// What is exported of a model: the computation of its test vector, from what its input is to its output, and that of
// data from a code. Internal to export.
#pragma once
#include <string>
#include <vector>

#include "vaetl/zoo/export/trace.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo::exporting {

// One computation: forward, that of the test vector; generate, of a generator that encodes too; decode, of a decoder
// that does not generate.
struct ExportPart {
  std::string name = "forward", output = {};  // what comes out: logits, …
  std::string input_text = {};                // what the input is, for people
  std::vector<TracedInput> inputs = {};
  Graph graph = {};
};

struct ExportPlan {
  Card card = {};  // its test vector's input is one of the export
  std::vector<ExportPart> parts = {};
  Json before = Json::array();  // of the preprocessing what whoever calls it has done; the rest is part of the graph

  const ExportPart& forward() const { return parts.front(); }
  // ConfigError where the model has none of that name.
  const ExportPart& part(const std::string& name) const;
};

// The model on the CPU in evaluation mode. ConfigError for one that cannot be exported.
ExportPlan plan_export(const Pretrained& pretrained);

// What a program that uses the export may want to know: name, licences, classes, preprocessing.
Json facts_of(const ExportPlan& plan, const ExportPart& part);

}  // namespace vaetl::zoo::exporting
