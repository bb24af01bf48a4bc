// The JSON schema of a card, from the description that reads it, and the check by a validator of others.
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "vaetl/core/text.hpp"
#include "vaetl/zoo/card.hpp"
#include "vaetl/zoo/file_error.hpp"

namespace vaetl::zoo {
namespace {

constexpr const char* sha256_pattern = "^[0-9a-f]{64}$";
constexpr const char* file_pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$";

Json of_type(const char* type, const char* doc) { return {{"type", type}, {"description", doc}}; }

// What vaetl itself writes of a training; programs may add to it.
Json training_schema() {
  Json data{{"type", "object"},
            {"description", "what it was trained on"},
            {"properties",
             {{"name", of_type("string", "of the set")},
              {"version", of_type("string", "of the set: the checksum of the first of its files as published")},
              {"sha256", of_type("string", "of what the set holds as it was opened")},
              {"licence", of_type("string", "of the set")},
              {"train", of_type("integer", "examples")},
              {"validation", of_type("integer", "examples")},
              {"test", of_type("integer", "examples")}}}};
  Json transfer{{"type", "object"},
                {"description", "what was taken from the base model"},
                {"properties",
                 {{"from", of_type("string", "the base model")},
                  {"sha256", of_type("string", "of its weights file")},
                  {"matched", of_type("number", "share of the backbone's values that come from it")},
                  {"tensors", of_type("object", "all there are, and how many of them come from it")},
                  {"values", of_type("object", "likewise")}}}};
  return {{"seed", of_type("integer", "of order, augmentation and noise")},
          {"epochs", of_type("integer", "passes over the data")},
          {"steps", of_type("integer", "updates")},
          {"seconds", of_type("number", "of training")},
          {"vaetl", of_type("string", "version of vaetl")},
          {"torch", of_type("string", "version of LibTorch")},
          {"device", of_type("string", "cpu, cuda:0, …")},
          {"threads", of_type("integer", "of the processor")},
          {"data", data},
          {"transfer", transfer}};
}

const valijson::Schema& parsed_schema() {
  static const auto schema = [] {
    const nlohmann::json source = card_schema();
    auto parsed = std::make_unique<valijson::Schema>();
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(source), *parsed);
    return parsed;
  }();
  return *schema;
}

}  // namespace

Json card_schema() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "The card of a vaetl zoo entry"}};
  schema.update(json_schema<Card>());
  schema["required"] = {"format_version", "name", "model", "weights"};
  Json& properties = schema["properties"];
  properties["format_version"]["maximum"] = card_format;
  properties["card_sha256"]["pattern"] = "^([0-9a-f]{64})?$";
  Json& weights = properties["weights"];
  weights["required"] = {"file", "sha256", "bytes", "tensors"};
  weights["properties"]["sha256"]["pattern"] = sha256_pattern;
  weights["properties"]["file"]["pattern"] = file_pattern;
  properties["base"]["required"] = {"name", "sha256"};
  properties["base"]["properties"]["sha256"]["pattern"] = sha256_pattern;
  Json& files = properties["files"];
  files["propertyNames"] = {{"pattern", file_pattern}};
  files["additionalProperties"]["required"] = {"bytes", "sha256"};
  files["additionalProperties"]["properties"]["sha256"]["pattern"] = sha256_pattern;
  properties["metrics"]["additionalProperties"]["required"] = {"value"};
  properties["preprocess"]["type"] = "array";
  properties["training"]["type"] = "object";
  properties["training"]["properties"] = training_schema();
  return schema;
}

void check_schema(const Json& card, const std::string& file) {
  const nlohmann::json plain = upgraded_card(card);
  valijson::Validator validator;
  valijson::ValidationResults results;
  const valijson::adapters::NlohmannJsonAdapter target(plain);
  if (validator.validate(parsed_schema(), target, &results)) return;
  // The innermost comes first, and says most.
  valijson::ValidationResults::Error error;
  results.popError(error);
  std::string place;
  for (const std::string& part : error.context) place += part;
  throw FileError({file, "what zoo/model.schema.json describes", one_line(place + ": " + error.description), {}});
}

}  // namespace vaetl::zoo
