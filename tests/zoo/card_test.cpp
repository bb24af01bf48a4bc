// Cards of every format version, what they say of inputs, outputs, metrics and files, and their schema.
#include "support/fields_cover.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/index.hpp"
#include "vaetl/zoo/places.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::card_test {
namespace {

using ZooCardFile = ZooTest;
using Names = std::vector<std::string>;

fs::path committed_format_1() { return fs::path(zoo::source_zoo) / "../tests/zoo/format-1"; }

TEST(ZooCardParts, AreDescribed) {
  expect_fields_cover<zoo::TensorCard>();
  expect_fields_cover<zoo::IntervalCard>();
  expect_fields_cover<zoo::MetricCard>();
  expect_fields_cover<zoo::FileCard>();
  expect_fields_cover<zoo::IndexedEntry>();
}

std::vector<std::string> shape_of(const zoo::TensorCard& tensor) {
  std::vector<std::string> sizes;
  for (const auto& size : tensor.shape) sizes.push_back(size.name.empty() ? std::to_string(size.size) : size.name);
  return sizes;
}

TEST_F(ZooCardFile, AnEntryOfFormat1IsReadAndComputes) {
  const auto verification = zoo::verify(committed_format_1());
  EXPECT_TRUE(verification.passed()) << verification.text();
  const Pretrained old = zoo::load(committed_format_1().string());
  EXPECT_EQ(old.card.format_version, 1);
  EXPECT_EQ(shape_of(old.card.inputs.at("input")), (Names{"N", "1", "28", "28"}));
  EXPECT_EQ(old.card.metrics.at("accuracy").value, 0.6351);
  EXPECT_EQ(old.card.metrics.at("accuracy").split, "test");
  EXPECT_TRUE(old.card.files.empty());
  // Written anew it is of the present version, with the same weights.
  const fs::path anew = zoo::save("anew", *old.model, {},
                                  {.classes = old.card.classes, .weights = committed_format_1() / "model.safetensors"});
  EXPECT_EQ(zoo::read_card(anew).format_version, 2);
  EXPECT_EQ(zoo::read_card(anew).weights.sha256, old.card.weights.sha256);
  EXPECT_TRUE(zoo::verify(anew).passed()) << zoo::verify(anew).text();
}

TEST_F(ZooCardFile, AFormat1CardIsStillHeldAgainstItsModel) {
  const fs::path copy = root() / "copy";
  fs::copy(committed_format_1(), copy);
  edit_card(copy, [](Json& card) { card["inputs"]["input"]["shape"] = {1, 28, 27}; });
  expect_error<FileError>([&] { zoo::load(copy.string()); }, {"inputs", "as the model has"});
  edit_card(copy, [](Json& card) {
    card["inputs"]["input"]["shape"] = {1, 28, 28};
    card["metrics"]["accuracy"] = "good";
  });
  expect_error<FileError>([&] { zoo::load(copy.string()); }, {"metrics.accuracy", "an object"});
}

TEST_F(ZooCardFile, TellsInputsAndOutputs) {
  const zoo::Card card = zoo::read_card(save_classifier());
  const zoo::TensorCard &input = card.inputs.at("input"), &logits = card.outputs.at("logits");
  EXPECT_EQ(zoo::to_text(input), "float32 (N, 1, 8, 8)");
  EXPECT_EQ(input.layout, "NCHW");
  EXPECT_EQ(input.low, 0.0);
  EXPECT_EQ(input.high, 1.0);
  EXPECT_EQ(shape_of(logits), (Names{"N", "3"}));
  EXPECT_EQ(logits.layout, "NC");
  EXPECT_EQ(logits.classes, (Names{"disc", "box", "star"}));
  EXPECT_FALSE(logits.low);
  EXPECT_EQ(shape_of(card.outputs.at("features")), (Names{"N", "16"}));
  EXPECT_EQ(card.outputs.size(), 2u);

  const auto vae = small_model("conv_vae", {{"latent", 5}});
  const auto outputs = zoo::outputs_of(*vae, {});
  EXPECT_EQ(zoo::to_text(outputs.at("generated")), "float32 (N, 1, 8, 8)");
  EXPECT_EQ(shape_of(outputs.at("features")), (Names{"N", "5"}));
  EXPECT_FALSE(zoo::inputs_of(*vae).contains("noise")) << "it encodes";
}

TEST_F(ZooCardFile, ARowIsStepsForWhoReadsSteps) {
  const auto rows = build({"lstm", {{"input", {28, 28}}, {"hidden", 8}, {"classes", 3}}});
  EXPECT_EQ(zoo::inputs_of(*rows).at("input").layout, "NTC");
  const auto flat = build({"mlp", {{"input", {28, 28}}, {"widths", {4}}, {"classes", 3}}});
  EXPECT_EQ(zoo::inputs_of(*flat).at("input").layout, "NHW");
}

TEST_F(ZooCardFile, TellsMetricsAndWhatAPersonSays) {
  const zoo::SaveOptions options{.intended_use = "Tests.",
                                 .limits = "Nothing | else.",
                                 .citation = "Nobody 2020",
                                 .metrics = {{"accuracy",
                                              {.value = 0.9,
                                               .data = "shapes",
                                               .split = "test",
                                               .examples = 1200,
                                               .interval = zoo::IntervalCard{0.88, 0.92, 0.95, "by hand"}}}}};
  const fs::path entry = zoo::save("shapes", *small_classifier(), finished_run(), options);
  const zoo::Card card = zoo::read_card(entry);
  EXPECT_EQ(card.metrics.at("accuracy").interval->high, 0.92);
  EXPECT_EQ(card.limits, "Nothing | else.");
  const std::string page = read_file(entry / "README.md");
  for (const char* part :
       {"## Intended use\n\nTests.\n", "## Limits\n\nNothing \\| else.\n", "## Citation\n\nNobody 2020\n",
        "| accuracy | 0.9 | 0.88 to 0.92 (95 %) | shapes, test split, 1,200 examples | by hand |"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
  }
  edit_card(entry, [](Json& json) { json["metrics"]["accuracy"]["interval"]["low"] = 0.91; });
  expect_error<FileError>([&] { zoo::read_card(entry); }, {"metrics.accuracy.interval", "one with 0.9 in it"});
}

// Every byte of every file, but for those of the weights: a step through each, and the last.
TEST_F(ZooCardFile, AFlippedByteInAnyFileIsCaughtAndNamed) {
  write_atomically(root() / "picture.png", "not quite a picture");
  write_atomically(root() / "licence.txt", "Do as you like.\n");
  const fs::path entry = zoo::save("shapes", *small_classifier(), finished_run(),
                                   {.preview = root() / "picture.png", .licence_file = root() / "licence.txt"});
  ASSERT_TRUE(zoo::verify(entry).passed()) << zoo::verify(entry).text();
  for (const char* name : {"model.json", "README.md", "recipe.json", "preview.png", "LICENSE", "model.safetensors"}) {
    const std::string whole = read_file(entry / name);
    const std::size_t step = whole.size() / 23 + 1;
    for (std::size_t at = 0; at < whole.size(); at += step) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
      write_atomically(entry / name, bytes);
      const auto verification = zoo::verify(entry);
      EXPECT_FALSE(verification.passed()) << name << " at " << at;
      EXPECT_NE(verification.text().find("/" + std::string(name)), std::string::npos) << verification.text();
    }
    fs::remove(entry / name);
    EXPECT_FALSE(zoo::verify(entry).passed()) << name;
    write_atomically(entry / name, whole);
  }
  EXPECT_TRUE(zoo::verify(entry).passed());
}

TEST_F(ZooCardFile, TheCardsChecksumIsOfTheRestOfIt) {
  const fs::path entry = save_classifier();
  std::string text = read_file(entry / "model.json");
  const std::string told = zoo::read_card(entry).card_sha256;
  text.erase(text.find(told), told.size());
  EXPECT_EQ(sha256_hex(text), told);
  write_atomically(entry / "model.json", text);
  const auto verification = zoo::verify(entry);
  EXPECT_EQ(verification.checks.back().outcome, "failed");
  EXPECT_NE(verification.text().find("own checksum is told in card_sha256, found none"), std::string::npos)
      << verification.text();
  EXPECT_NO_THROW(zoo::load(entry.string())) << "it still computes";
}

TEST_F(ZooCardFile, LinksAndPathsThatLeadOutAreRefused) {
  const fs::path entry = save_classifier();
  for (const char* name : {"model.safetensors", "README.md", "model.json"}) {
    fs::rename(entry / name, root() / name);
    fs::create_symlink(root() / name, entry / name);
    const auto verification = zoo::verify(entry);
    EXPECT_FALSE(verification.passed());
    EXPECT_NE(verification.text().find("expected a file in the entry's folder, found a link to"), std::string::npos)
        << verification.text();
    fs::remove(entry / name);
    fs::rename(root() / name, entry / name);
  }
  for (const char* name : {"../README.md", "/etc/passwd", "..", "a/b", "model.json", "model.safetensors"}) {
    edit_card(entry, [&](Json& card) { card["files"] = {{name, {{"bytes", 1}, {"sha256", std::string(64, 'a')}}}}; });
    expect_error<FileError>([&] { zoo::read_card(entry); }, {"files", "a card cannot name files elsewhere"});
  }
}

TEST_F(ZooCardFile, AHeaderOfAGigabyteIsRefusedBeforeItIsRead) {
  const fs::path entry = save_classifier();
  std::string weights = read_file(entry / "model.safetensors");
  const std::uint64_t huge = std::uint64_t{1} << 30;
  std::memcpy(weights.data(), &huge, sizeof huge);
  write_atomically(entry / "model.safetensors", weights);
  edit_card(entry, [&](Json& card) { card["weights"]["sha256"] = sha256_hex(weights); });
  expect_error<FileError>([&] { zoo::load(entry.string()); }, {"model.safetensors", "header"});
}

TEST_F(ZooCardFile, TheSchemaIsHeldAgainstACardByAnotherValidator) {
  const Json card = read_card_json(save_classifier());
  EXPECT_NO_THROW(zoo::check_schema(card, "model.json"));
  const auto refuses = [&](const std::function<void(Json&)>& edit, std::initializer_list<std::string_view> parts) {
    Json other = card;
    edit(other);
    expect_error<FileError>([&] { zoo::check_schema(other, "model.json"); }, parts);
  };
  refuses([](Json& json) { json.erase("weights"); }, {"model.json: expected what zoo/model.schema.json", "weights"});
  refuses([](Json& json) { json["weights"]["sha256"] = "abc"; }, {"sha256"});
  refuses([](Json& json) { json["summary"] = 3; }, {"summary"});
  refuses([](Json& json) { json["unheard"] = 3; }, {"unheard"});
  refuses([](Json& json) { json["outputs"]["logits"]["shape"][1] = 0; }, {"shape"});
  refuses([](Json& json) { json["training"]["seed"] = "seven"; }, {"seed"});
  refuses([](Json& json) { json["format_version"] = 3; }, {"format_version"});
  EXPECT_NO_THROW(zoo::check_schema(parse_json(read_file(committed_format_1() / "model.json"), {}), "model.json"));

  EXPECT_NE(zoo::verify(root() / "zoo/shapes").text().find("passed    schema"), std::string::npos);
}

TEST(ZooShipped, EveryEntryIsWholeAndOfThePresentFormat) {
  std::size_t count = 0;
  for (const auto& item : fs::directory_iterator(zoo::source_zoo)) {
    if (!item.is_directory()) continue;
    SCOPED_TRACE(item.path().string());
    const auto verification = zoo::verify(item.path());
    EXPECT_TRUE(verification.passed()) << verification.text();
    const zoo::Card card = zoo::read_card(item.path());
    EXPECT_EQ(card.name, item.path().filename());
    EXPECT_EQ(card.format_version, zoo::card_format);
    for (const auto& text : {card.summary, card.licence, card.data_licence, card.intended_use, card.limits}) {
      EXPECT_FALSE(text.empty()) << "a shipped card says what a person has to say";
    }
    EXPECT_FALSE(card.metrics.empty());
    EXPECT_LE(card.weights.bytes, 2'500'000);
    ++count;
  }
  EXPECT_GE(count, 2u);
}

TEST_F(ZooCardFile, TellsItsTasks) {
  EXPECT_EQ(zoo::tasks_of(zoo::read_card(save_classifier())), (Names{"classify", "encode"}));
}

}  // namespace
}  // namespace vaetl::testing::card_test
