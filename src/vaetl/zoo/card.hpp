// model.json, the card of a zoo entry: data only. Nothing in it can name code or a path outside its folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/core/signature.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::zoo {

struct WeightsCard {
  std::string file = "model.safetensors", sha256 = {};
  std::int64_t bytes = 0, tensors = 0, parameters = 0;
  static constexpr auto fields() {
    using W = WeightsCard;
    return std::tuple{field("file", &W::file, "file in the entry's folder"), field("sha256", &W::sha256, "of the file"),
                      field("bytes", &W::bytes, "size of the file", at_least(0)),
                      field("tensors", &W::tensors, "number of tensors", at_least(0)),
                      field("parameters", &W::parameters, "number of trained values", at_least(0))};
  }
};

// The zoo entry that holds the rest of the weights, where a card's file has but the tensors that differ from its own.
struct BaseCard {
  std::string name = {}, sha256 = {};
  static constexpr auto fields() {
    using B = BaseCard;
    return std::tuple{field("name", &B::name, "a zoo entry"), field("sha256", &B::sha256, "of its weights file")};
  }
};

// One input and what the model makes of it, so that a reader can tell that it computes the same. By `stage` the input
// is
//   raw           uint8 as the data store it, or token ids; where any size will do it is 16
//   preprocessed  what comes after a preprocessing that changes the shape
//   noise         standard normal values for a generator that encodes nothing
// and the output is that of the first capability of classify, regress, unroll, encode, generate. `condition` holds the
// class where the model is conditional, and is empty where it is not.
struct TestVector {
  std::vector<std::int64_t> shape = {};
  std::vector<double> input = {}, output = {};
  std::vector<std::int64_t> condition = {};
  std::string of = "logits", stage = "raw";
  double tolerance = 1e-3;
  static constexpr auto fields() {
    using V = TestVector;
    return std::tuple{
        field("shape", &V::shape, "shape of the input, N first"),
        field("input", &V::input, "its values"),
        field("output", &V::output, "expected values, row by row"),
        field("condition", &V::condition, "class of each example; empty: not conditional"),
        choice("of", &V::of, "what the output is", {"logits", "predictions", "steps", "features", "generated"}),
        choice("stage", &V::stage, "what the input is", {"raw", "preprocessed", "noise"}),
        field("tolerance", &V::tolerance, "largest difference", at_least(0))};
  }
};

struct Card {
  std::int64_t format_version = 1;
  std::string name = {}, version = "1.0.0", summary = {}, licence = {}, data_licence = {};
  ModelSpec model = {};
  std::map<std::string, FieldInfo> inputs = {};
  std::vector<std::string> classes = {}, groups = {}, capabilities = {};
  Json preprocess = Json::array();
  WeightsCard weights = {};
  std::optional<BaseCard> base = {};
  std::map<std::string, double> metrics = {};
  Json training = Json::object();  // data, seed, steps, seconds, software, device
  std::string base_model = {};
  std::optional<TestVector> test_vector = {};
  static constexpr auto fields() {
    using C = Card;
    return std::tuple{field("format_version", &C::format_version, "of this file", at_least(1)),
                      field("name", &C::name, "the entry's name"),
                      field("version", &C::version, "of the entry"),
                      field("summary", &C::summary, "one sentence"),
                      field("licence", &C::licence, "of the weights"),
                      field("data_licence", &C::data_licence, "of the training data"),
                      field("model", &C::model, "the description that rebuilds the model"),
                      field("inputs", &C::inputs, "name → shape, dtype, range"),
                      field("classes", &C::classes, "names of the labels"),
                      field("groups", &C::groups, "layer groups, from input to output"),
                      field("capabilities", &C::capabilities, "what the model offers"),
                      field("preprocess", &C::preprocess, "fitted preprocessing"),
                      field("weights", &C::weights, "the weights file"),
                      field("base", &C::base, "the entry with those weights that the file has not"),
                      field("metrics", &C::metrics, "name → value, on the test split"),
                      field("training", &C::training, "where the weights come from"),
                      field("base_model", &C::base_model, "what it was transferred from"),
                      field("test_vector", &C::test_vector, "one input with its output")};
  }
};

constexpr std::int64_t card_format = 1;
constexpr const char* card_file = "model.json";

// FileError for anything that is not a card of a known format version, or that names a file outside the folder.
Card read_card(const std::filesystem::path& folder);

// FileError, beginning with `file`, for a base that is no entry's name, a path say, or without a checksum.
void check_base(const BaseCard& base, const std::string& file);

std::string card_text(const Card& card);    // model.json, to be read by people too
std::string to_markdown(const Card& card);  // README.md of the entry
Json card_schema();                         // JSON schema (draft 7): zoo/model.schema.json

// Letters, digits, - _ and . inside: a name that is a folder's name everywhere.
bool is_entry_name(std::string_view name);

}  // namespace vaetl::zoo
