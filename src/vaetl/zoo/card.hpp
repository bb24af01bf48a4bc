// model.json, the card of a zoo entry: data only. Nothing in it can name code or a path outside its folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/nn/model.hpp"
#include "vaetl/zoo/tensor_card.hpp"

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
// Of more than 4099 values (a prime, so that no row of a picture looks like another) the first 4099 are told, and
// repeated until the shape is full. The output is that of the first capability of classify, regress, unroll, encode,
// restore, generate. `condition` holds the class where the model is conditional, and is empty where it is not.
constexpr std::int64_t most_told_values = 4099, most_input_values = 200'000;

struct TestVector {
  std::vector<std::int64_t> shape = {};
  std::vector<double> input = {}, output = {};
  std::vector<std::int64_t> condition = {};
  std::string of = "logits", stage = "raw";
  double tolerance = 1e-3;
  static constexpr auto fields() {
    using V = TestVector;
    return std::tuple{field("shape", &V::shape, "shape of the input, N first"),
                      field("input", &V::input, "its values; the first 4099 of more, which repeat"),
                      field("output", &V::output, "expected values, row by row"),
                      field("condition", &V::condition, "class of each example; empty: not conditional"),
                      choice("of", &V::of, "what the output is",
                             {"logits", "predictions", "steps", "features", "restored", "generated"}),
                      choice("stage", &V::stage, "what the input is", {"raw", "preprocessed", "noise"}),
                      field("tolerance", &V::tolerance, "largest difference", at_least(0))};
  }
};

// Where a metric's true value lies, as far as the examples tell.
struct IntervalCard {
  double low = 0, high = 0, level = 0.95;
  std::string method = {};
  static constexpr auto fields() {
    using I = IntervalCard;
    return std::tuple{field("low", &I::low, "lower end"), field("high", &I::high, "upper end"),
                      field("level", &I::level, "of confidence", between(0, 1)),
                      field("method", &I::method, "how the interval was made")};
  }
};

struct MetricCard {
  double value = 0;
  std::string data = {}, split = {}, judge = {}, how = {};
  std::int64_t examples = 0;
  std::optional<IntervalCard> interval = {};
  static constexpr auto fields() {
    using M = MetricCard;
    return std::tuple{field("value", &M::value, "what was measured"),
                      field("data", &M::data, "reference to the data, NAME or KIND:PATH; empty: not told"),
                      field("split", &M::split, "of these data: train, validation or test; empty: not told"),
                      field("judge", &M::judge, "the zoo entry, a classifier, that says it of a generator's samples"),
                      field("how", &M::how, "who measured it, and by what"),
                      field("examples", &M::examples, "so many; 0: not told", at_least(0)),
                      field("interval", &M::interval, "confidence interval; it covers the choice of the examples")};
  }
};

// Another file of the entry.
struct FileCard {
  std::int64_t bytes = 0;
  std::string sha256 = {};
  static constexpr auto fields() {
    using F = FileCard;
    return std::tuple{field("bytes", &F::bytes, "size of the file", at_least(0)),
                      field("sha256", &F::sha256, "of the file")};
  }
};

struct Card {
  std::int64_t format_version = 2;  // of the file that it was read from
  std::string card_sha256 = {};
  std::string name = {}, version = "1.0.0", summary = {}, intended_use = {}, limits = {}, citation = {};
  std::string licence = {}, data_licence = {};
  ModelSpec model = {};
  TensorCards inputs = {}, outputs = {};
  std::vector<std::string> classes = {}, groups = {}, capabilities = {};
  Json preprocess = Json::array();
  WeightsCard weights = {};
  std::optional<BaseCard> base = {};
  std::map<std::string, FileCard> files = {};
  std::map<std::string, MetricCard> metrics = {};
  Json training = Json::object();  // data, seed, epochs, steps, seconds, software, device, transfer
  std::string base_model = {};
  std::optional<TestVector> test_vector = {};
  static constexpr auto fields() {
    using C = Card;
    return std::tuple{field("format_version", &C::format_version, "of this file", at_least(1)),
                      field("card_sha256", &C::card_sha256, "of this file without these 64 digits"),
                      field("name", &C::name, "the entry's name"),
                      field("version", &C::version, "of the entry, as 1.0.0"),
                      field("summary", &C::summary, "one sentence"),
                      field("intended_use", &C::intended_use, "what it is for"),
                      field("limits", &C::limits, "what it is not for, and where it fails"),
                      field("citation", &C::citation, "whom to cite"),
                      field("licence", &C::licence, "of the weights"),
                      field("data_licence", &C::data_licence, "of the training data"),
                      field("model", &C::model, "the description that rebuilds the model"),
                      field("inputs", &C::inputs, "name → what the model takes, after preprocessing"),
                      field("outputs", &C::outputs, "name → what it gives"),
                      field("classes", &C::classes, "names of the labels"),
                      field("groups", &C::groups, "layer groups, from input to output"),
                      field("capabilities", &C::capabilities, "what the model offers"),
                      field("preprocess", &C::preprocess, "fitted preprocessing"),
                      field("weights", &C::weights, "the weights file"),
                      field("base", &C::base, "the entry with those weights that the file has not"),
                      field("files", &C::files, "name → every other file of the entry but this one"),
                      field("metrics", &C::metrics, "name → value, on which data, how sure"),
                      field("training", &C::training, "where the weights come from"),
                      field("base_model", &C::base_model, "what it was transferred from"),
                      field("test_vector", &C::test_vector, "one input with its output")};
  }
};

constexpr std::int64_t card_format = 2;
constexpr const char* card_file = "model.json";

// Of this format version or an older one, whose content is told in the words of this one. FileError for anything that
// is not a card, is of a newer version, or names a file outside the folder.
Card read_card(const std::filesystem::path& folder);

// FileError, beginning with `file`, for a base that is no entry's name, a path say, or without a checksum.
void check_base(const BaseCard& base, const std::string& file);

// The file in an entry's folder that a card names. FileError: a name that is a path, no such file, a link that leads
// out of the folder.
std::filesystem::path file_of(const std::filesystem::path& folder, const std::string& name, const std::string& where);

Json card_json(const Card& card);           // in this format version
std::string card_text(const Card& card);    // model.json, to be read by people too, with its own checksum
std::string to_markdown(const Card& card);  // README.md of the entry
Json card_schema();                         // JSON schema (draft 7): zoo/model.schema.json

// Holds the card's JSON, in this version's words, against the schema by a validator that knows nothing of ours.
// FileError, beginning with `file`.
void check_schema(const Json& card, const std::string& file);
// FileError where the text of a card is not the one that its own checksum was made of.
void check_card_checksum(const std::string& text, const Card& card, const std::string& file);
// A card's JSON of any known version in the words of this one; its format_version stays.
Json upgraded_card(Json card);

// What an entry is good for, from what its model offers: classify, regress, reconstruct, generate, sequence, encode.
std::vector<std::string> tasks_of(const Card& card);
std::vector<std::string> known_tasks();

// Letters, digits, - _ and . inside: a name that is a folder's name everywhere.
bool is_entry_name(std::string_view name);

}  // namespace vaetl::zoo
