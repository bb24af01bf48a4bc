// Models for programs without vaetl: what the model makes of its input, as its card's test vector has it (logits,
// predictions, steps, features, or what is generated), in evaluation mode, for batches of any size, with those steps of
// its preprocessing that keep the input's shape. That is the part `forward`. A generator that encodes too has the part
// `generate` besides, another decoder the part `decode`; what they put out is like the input of the model itself.
//
//   zoo::export_python(zoo::load("shapes"), "shapes-python");
//   zoo::export_onnx(zoo::load("shapes"), "shapes.onnx");
//
// Both are complete or absent. The model is on the CPU in evaluation mode, as load() gives it. ConfigError for a model
// that calls an operator that the format does not have, which says at which layer, and for one without test vector.
// OutputError where nothing can be written.
#pragma once
#include <filesystem>

#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {

// What was exported, for people.
struct ExportedPart {
  std::string name, input, output;  // "forward", "input (N, 1, 28, 28): as the data store it, …", "logits (N, 10)"
};
struct Exported {
  std::vector<ExportedPart> parts = {};
  std::vector<std::string> steps_before = {};  // of the preprocessing, that the caller has to do
};

// All parts, as methods. A folder with model.py, a module that needs torch and safetensors alone, model.safetensors,
// card.json with the test vector, and README.md. An earlier export in its place is replaced; another folder with
// something in it is not.
Exported export_python(const Pretrained& pretrained, const std::filesystem::path& folder);

// One part in one file, of opset 17.
Exported export_onnx(const Pretrained& pretrained, const std::filesystem::path& file,
                     const std::string& part = "forward");

}  // namespace vaetl::zoo
