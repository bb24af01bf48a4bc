#include "apps/support/topics.hpp"

#include "vaetl/core/options_text.hpp"
#include "vaetl/core/schedule.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/make.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/data/transform.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/objectives/corruption.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/recipe/recipe.hpp"
#include "vaetl/recipe/sweep.hpp"
#include "vaetl/train/optimizer.hpp"
#include "vaetl/train/trainer.hpp"
#include "vaetl/transfer/adapt.hpp"
#include "vaetl/transfer/method.hpp"

namespace vaetl::apps {
namespace {

struct Topic {
  std::string kind, name;
  Json schema;
};

template <class Base>
void add_registry(std::vector<Topic>& topics, const std::string& kind) {
  for (const std::string& name : registry<Base>().names()) {
    topics.push_back({kind, name, registry<Base>().schema(name)});
  }
}

std::vector<Topic> all_topics() {
  std::vector<Topic> topics;
  for (const std::string& name : registry<Model>().names()) topics.push_back({"model", name, model_schema(name)});
  add_registry<nn::Adapter>(topics, "adapter");
  add_registry<transfer::Method>(topics, "method");
  add_registry<Objective>(topics, "objective");
  add_registry<Corruption>(topics, "corruption");
  add_registry<Optimizer>(topics, "optimizer");
  for (auto& [name, schema] : curve_schemas()) topics.push_back({"curve", name, std::move(schema)});
  add_registry<Callback>(topics, "callback");
  add_registry<Transform>(topics, "transform");
  add_registry<Metric>(topics, "metric");
  add_registry<Reader>(topics, "reader");
  add_registry<Maker>(topics, "maker");
  topics.push_back({"section", "recipe", json_schema<recipe::Recipe>()});
  topics.push_back({"section", "data", json_schema<recipe::DataOptions>()});
  topics.push_back({"section", "trainer", json_schema<TrainerOptions>()});
  topics.push_back({"section", "plateau", json_schema<PlateauOptions>()});
  topics.push_back({"section", "transfer", json_schema<AdaptOptions>()});
  topics.push_back({"section", "sweep", json_schema<recipe::SweepOptions>()});
  return topics;
}

// What a recipe does not choose in its trainer section is not listed there.
Json shown_schema(const Topic& topic) {
  Json schema = topic.schema;
  if (topic.name != "trainer") return schema;
  for (const char* key : {"seed", "device", "directory", "resume"}) schema["properties"].erase(key);
  return schema;
}

std::string one_topic(const Topic& topic) {
  if (topic.kind == "method") return transfer::method_help(topic.name);
  const std::string options = describe(shown_schema(topic));
  const std::string head =
      topic.kind == "section" ? "section \"" + topic.name + "\" of a recipe" : topic.kind + " \"" + topic.name + "\"";
  if (options.empty()) return head + ": no options\n";
  std::string text = head + "\n";
  std::stringstream lines(options);
  for (std::string line; std::getline(lines, line);) text += "  " + line + "\n";
  return text;
}

std::string all_names(const std::vector<Topic>& topics) {
  std::string text, kind;
  for (const Topic& topic : topics) {
    if (topic.kind != kind) text += fmt::format("{}{:<11}", text.empty() ? "" : "\n", kind = topic.kind);
    text += " " + topic.name;
  }
  return text + "\n\n`help NAME` lists the options of one.\n";
}

}  // namespace

std::string topic_text(const std::vector<std::string>& names) {
  const std::vector<Topic> topics = all_topics();
  if (names.empty() || names == std::vector<std::string>{"names"}) return all_names(topics);
  std::string text;
  for (const std::string& name : names) {
    const std::size_t before = text.size();
    for (const Topic& topic : topics) {
      if (topic.name == name) text += (text.empty() ? "" : "\n") + one_topic(topic);
    }
    if (text.size() > before) continue;
    std::vector<std::string> known;
    for (const Topic& topic : topics) known.push_back(topic.name);
    throw ConfigError({"help",
                       "the name of a model, adapter, method, objective, optimizer, curve, transform, metric, reader, "
                       "maker or section",
                       quote(name), did_you_mean(name, known)});
  }
  return text;
}

}  // namespace vaetl::apps
