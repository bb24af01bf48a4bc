// vaetl-zoo export: a model for programs without vaetl.
#include "vaetl/zoo/export/export.hpp"
#include "apps/zoo/command.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::apps {
namespace {

using Exporter = zoo::Exported (*)(const Pretrained& pretrained, const Arguments& arguments);

zoo::Exported to_python(const Pretrained& pretrained, const Arguments& arguments) {
  if (arguments.has("part")) {
    throw ConfigError({"--part", "it with --to onnx, as a module of Python has all parts", "it with --to python", {}});
  }
  return zoo::export_python(pretrained, arguments.text("out"));
}

zoo::Exported to_onnx(const Pretrained& pretrained, const Arguments& arguments) {
  return zoo::export_onnx(pretrained, arguments.text("out"), arguments.text("part", "forward"));
}

const std::map<std::string, Exporter> exporters = {{"onnx", to_onnx}, {"python", to_python}};

Exporter exporter_of(const Arguments& arguments) {
  Words names;
  for (const auto& [name, each] : exporters) names.push_back(name);
  const std::string format = arguments.text("to");
  const auto found = exporters.find(format);
  if (found != exporters.end()) return found->second;
  throw ConfigError({"--to", "one of " + join(names), format.empty() ? "nothing" : quote(format),
                     format.empty() ? "see --help" : did_you_mean(format, names)});
}

std::string export_text(const zoo::Exported& exported, const std::string& to) {
  std::string text = to + "\n";
  for (const zoo::ExportedPart& part : exported.parts) {
    text += fmt::format("  {:<8}  {} -> {}\n", part.name, part.input, part.output);
  }
  if (exported.steps_before.empty()) return text;
  return text +
         fmt::format("  before    {} of the preprocessing, to be done by the caller\n", join(exported.steps_before));
}

Result export_model(const Words& words, const Arguments& arguments) {
  const std::string reference = only_word(words, "MODEL");
  const Exporter exporter = exporter_of(arguments);
  if (!arguments.has("out")) throw ConfigError({"command line", "--out PATH", "none", "see --help"});
  const std::string to = arguments.text("out");
  const zoo::Exported exported = exporter(zoo::load(reference), arguments);
  Json parts = Json::array();
  for (const zoo::ExportedPart& part : exported.parts) {
    parts.push_back({{"name", part.name}, {"input", part.input}, {"output", part.output}});
  }
  return {{{"model", reference},
           {"to", arguments.text("to")},
           {"out", to},
           {"parts", parts},
           {"preprocess_before", exported.steps_before}},
          export_text(exported, to)};
}

}  // namespace

ZooCommand export_command() {
  return {
      .name = "export",
      .arguments = "MODEL --to python|onnx --out PATH",
      .purpose = "writes a model for Python or as ONNX, to be used without vaetl",
      .flags = {{"to", "FORMAT", "python: a folder with model.py, which needs torch and safetensors; onnx: one file"},
                out_flag("PATH", "the folder or the file"),
                {"part", "NAME", "onnx: forward; of models that decode too generate or decode (forward)"}},
      .run = export_model,
      .notes =
          "The part forward is what the card's test vector has: logits, predictions, steps, features, or what is "
          "generated,\nfor batches of any size. Preprocessing that keeps the input's shape belongs to it. An "
          "encoder that generates besides\nhas the part generate (noise in, data out), another one with a decoder "
          "decode (code in, data out).\n",
      .example =
          "  vaetl-zoo export shapes --to python --out shapes-python && python shapes-python/model.py\n"
          "  vaetl-zoo export shapes --to onnx --out shapes.onnx\n"};
}

}  // namespace vaetl::apps
