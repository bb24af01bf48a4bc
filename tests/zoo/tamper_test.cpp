// Whatever is changed in an entry is told, and by which check.
#include "vaetl/io/safetensors.hpp"
#include "vaetl/io/sha256.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::tamper_test {
namespace {

class ZooTamper : public ZooTest {
 protected:
  void SetUp() override {
    entry_ = save_classifier();
    original_ = read_file(entry_ / "model.json");
  }
  // Loading a card with this change is a FileError whose message holds the parts.
  void refuses(const std::function<void(Json&)>& edit, std::initializer_list<std::string_view> parts,
               std::source_location where = std::source_location::current()) {
    write_atomically(entry_ / "model.json", original_);
    edit_card(entry_, edit);
    expect_error<FileError>([&] { zoo::load("shapes"); }, parts, where);
    EXPECT_FALSE(zoo::verify(entry_).passed());
  }
  // Other weights, with a card that vouches for them.
  void replace_weights(const std::map<std::string, at::Tensor>& tensors) {
    write_safetensors(entry_ / "model.safetensors", tensors);
    edit_card(entry_, [&](Json& card) {
      card["weights"]["sha256"] = sha256_file(entry_ / "model.safetensors");
      card["weights"]["bytes"] = fs::file_size(entry_ / "model.safetensors");
      card["weights"]["tensors"] = tensors.size();
    });
  }
  std::map<std::string, at::Tensor> weights() const {
    std::map<std::string, at::Tensor> copy;
    for (const auto& [name, tensor] : read_safetensors(entry_ / "model.safetensors").tensors)
      copy[name] = tensor.clone();
    return copy;
  }
  fs::path entry_;
  std::string original_;
};

TEST_F(ZooTamper, AnyFlippedByteOfTheWeightsIsCaught) {
  const fs::path file = entry_ / "model.safetensors";
  const std::string whole = read_file(file);
  const std::size_t step = whole.size() / 61 + 1;
  for (std::size_t at = 0; at < whole.size(); at += step) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_atomically(file, bytes);
    expect_error<FileError>([&] { zoo::load("shapes"); }, {"model.safetensors: expected sha256", "damaged"});
  }
  write_atomically(file, whole.substr(0, whole.size() - 1));
  expect_error<FileError>([&] { zoo::load("shapes"); },
                          {fmt::format("expected {} bytes, found {} bytes", whole.size(), whole.size() - 1)});
  fs::remove(file);
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"no such file"});
}

TEST_F(ZooTamper, TheCardMustDescribeTheWeights) {
  refuses([](Json& card) { card["classes"][1] = "bag"; },
          {"classes", "[\"disc\",\"bag\",\"star\"]", "as in the weights"});
  refuses([](Json& card) { card["model"]["activation"] = "tanh"; }, {"model", "tanh", "as in the weights"});
  refuses([](Json& card) { card["model"]["channels"] = {4, 9}; }, {"model", "[4,9]", "as in the weights"});
  refuses([](Json& card) { card["preprocess"][0]["to"] = {-1, 1}; }, {"preprocess", "as in the weights"});
  refuses([](Json& card) { card["inputs"]["input"]["shape"] = {"N", 1, 9, 9}; }, {"inputs", "as the model has"});
  refuses([](Json& card) { card["groups"].push_back("tail"); }, {"groups", "tail", "as the model has"});
  refuses([](Json& card) { card["capabilities"] = {"Encoder"}; }, {"capabilities", "as the model has"});
  refuses([](Json& card) { card["weights"]["parameters"] = 1; }, {"weights.parameters", "found 1"});
  refuses([](Json& card) { card["weights"]["tensors"] = 3; }, {"weights.tensors", "as in the file, found 3"});
  refuses([](Json& card) { card["weights"]["bytes"] = 3; }, {"model.safetensors: expected 3 bytes"});
  refuses([](Json& card) { card["weights"]["sha256"] = std::string(64, 'a'); }, {"expected sha256 aaaa"});
}

TEST_F(ZooTamper, OnlyCardsOfAKnownFormatAreRead) {
  refuses([](Json& card) { card["format_version"] = 99; },
          {"format_version: expected version 1 to 2, found 99", "a newer vaetl wrote this card: update"});
  refuses([](Json& card) { card["format_version"] = "1"; }, {"format_version: expected version 1 to 2, found \"1\""});
  refuses([](Json& card) { card.erase("format_version"); }, {"format_version: expected version 1 to 2, found none"});
  refuses([](Json& card) { card["clases"] = 3; }, {"model.json", "clases", "did you mean \"classes\"?"});
  refuses([](Json& card) { card["summary"] = 3; }, {"model.json: summary", "a string"});
  refuses([](Json& card) { card.erase("model"); }, {"model: expected a value, found none"});
  refuses([](Json& card) { card["name"] = "../x"; }, {"name: expected letters"});
  refuses([](Json& card) { card["preprocess"] = 3; }, {"preprocess: expected an array"});
  refuses([](Json& card) { card["training"] = 3; }, {"training: expected an object"});
  refuses([](Json& card) { card = Json::array(); }, {"expected an object"});
}

TEST_F(ZooTamper, ACardNamesNoFileElsewhere) {
  for (const char* file : {"../model.safetensors", "a/b", "/etc/passwd", "..", ".", "", "model\\x", "a\nb"}) {
    refuses([&](Json& card) { card["weights"]["file"] = file; },
            {"weights.file", "a card cannot name files elsewhere"});
  }
}

TEST_F(ZooTamper, SizesAndSumsAreSane) {
  refuses([](Json& card) { card["weights"]["bytes"] = std::int64_t{1} << 62; }, {"weights.bytes"});
  refuses([](Json& card) { card["weights"]["bytes"] = 0; }, {"weights.bytes: expected 1 to"});
  refuses([](Json& card) { card["weights"]["tensors"] = -1; }, {"weights.tensors"});
  refuses([](Json& card) { card["weights"]["sha256"] = "abc"; }, {"weights.sha256: expected 64 hexadecimal digits"});
  refuses([](Json& card) { card["weights"]["sha256"] = std::string(64, 'A'); }, {"weights.sha256"});
  refuses(
      [](Json& card) {
        card["inputs"]["input"]["shape"] = {"N", 1 << 20, 1 << 20, 1 << 20};
      },
      {"inputs.input.shape"});
}

TEST_F(ZooTamper, TheTestVectorIsComputedAgain) {
  refuses([](Json& card) { card["test_vector"]["output"][0] = 1e3; },
          {"test_vector", "logits within", "a difference of"});
  refuses([](Json& card) { card["test_vector"]["output"].push_back(1); },
          {"test_vector.output: expected 3 values, found 4"});
  refuses([](Json& card) { card["test_vector"]["output"] = Json::array(); }, {"test_vector.output"});
  refuses([](Json& card) { card["test_vector"]["input"].push_back(1); }, {"test_vector.input", "65 values"});
  refuses([](Json& card) { card["test_vector"]["shape"] = {1, 64}; }, {"test_vector", "expected input of shape"});
  refuses([](Json& card) { card["test_vector"]["of"] = "features"; },
          {"test_vector.of: expected logits, found features"});
  refuses([](Json& card) { card["test_vector"]["tolerance"] = -1; }, {"test_vector.tolerance"});
}

TEST_F(ZooTamper, OtherWeightsUnderTheCardAreCaughtByWhatTheyCompute) {
  auto tensors = weights();
  tensors["head.bias"] += 0.5;
  replace_weights(tensors);
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"test_vector", "a difference of 0.5"});
}

TEST_F(ZooTamper, NamesAndShapesAreStrict) {
  auto tensors = weights();
  tensors["extra"] = at::zeros({1});
  replace_weights(tensors);
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"model.safetensors", "extra besides"});
  tensors.erase("extra");
  tensors["head.bias"] = at::zeros({4});
  replace_weights(tensors);
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"head.bias: shape (4) in the file, (3) in the model"});
  tensors.erase("head.bias");
  replace_weights(tensors);
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"no head.bias"});
}

TEST_F(ZooTamper, WithoutMetadataTheCardIsHeldAgainstTheModel) {
  replace_weights(weights());
  edit_card(entry_, [](Json& card) { card["classes"] = {"a", "b"}; });
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"classes: expected 3 names", "found 2"});
  edit_card(entry_, [](Json& card) {
    card["classes"] = Json::array();
    card["outputs"]["logits"].erase("classes");
    card["preprocess"] = Json::array({"scal"});
  });
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"model.json", "preprocess", "did you mean \"scale\"?"});
  edit_card(entry_, [](Json& card) { card["model"]["name"] = "cn"; });
  expect_error<FileError>([&] { zoo::load("shapes"); }, {"model.json", "a known model", "did you mean"});
}

TEST_F(ZooTamper, ACardThatIsNoJsonIsAFileError) {
  for (const std::string& text :
       {std::string("{"), std::string(), std::string(200000, '['), std::string("{\"a\":1,\"a\":2}")}) {
    write_atomically(entry_ / "model.json", text);
    expect_error<FileError>([&] { zoo::load("shapes"); }, {"model.json"});
  }
}

TEST_F(ZooTamper, VerifyTellsEveryCheck) {
  const auto whole = zoo::verify(entry_);
  EXPECT_TRUE(whole.passed()) << whole.text();
  ASSERT_EQ(whole.checks.size(), 10u);
  EXPECT_NE(whole.text().find("passed    test vector    differs by"), std::string::npos) << whole.text();
  edit_card(entry_, [](Json& card) { card["weights"]["sha256"] = std::string(64, '0'); });
  const auto broken = zoo::verify(entry_);
  EXPECT_FALSE(broken.passed());
  EXPECT_EQ(broken.checks[2].name, "checksum");
  EXPECT_EQ(broken.checks[2].outcome, "failed");
  EXPECT_EQ(broken.checks[3].outcome, "not done");
  EXPECT_EQ(broken.json().at("passed"), false);
  EXPECT_EQ(broken.json().at("checks").size(), 10u);
  EXPECT_EQ(zoo::verify(root() / "nowhere").checks[0].outcome, "failed");
}

}  // namespace
}  // namespace vaetl::testing::tamper_test
