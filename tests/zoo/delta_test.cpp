// Entries that hold only what differs from another's weights.
#include "vaetl/io/safetensors.hpp"
#include "vaetl/io/sha256.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::delta_test {
namespace {

using Names = std::vector<std::string>;

// A classifier with adapters over the weights of `base`, as a training with a frozen backbone leaves it.
std::shared_ptr<Model> adapted_to_task(const Model& base, std::uint64_t key) {
  ModelSpec spec = base.spec();
  spec.options["adapters"] = Json::array({{{"name", "lora"}, {"rank", 1}}});
  seed(key);
  auto model = build(spec);
  load(*model, state(base));
  const at::NoGradGuard no_grad;
  for (const auto& item : model->named_parameters()) {
    if (group_of(*model, item.key()) == "head" || is_adapter(item.key())) {
      item.value().add_(at::rand(item.value().sizes()));
    }
  }
  model->set_preprocess(base.preprocess());
  model->eval();
  return model;
}

std::shared_ptr<Model> wide_classifier() {
  return small_model("cnn", {{"channels", {32, 64}}, {"dense", {128}}, {"classes", 3}, {"batch_norm", true}});
}

class ZooDelta : public ZooTest {
 protected:
  ZooDelta() { zoo::save("base", *base_, finished_run()); }
  fs::path save_task(const std::string& name, std::uint64_t key, const std::string& base = "base") {
    return zoo::save(name, *adapted_to_task(*base_, key), finished_run(), {.base_model = base, .delta = true});
  }
  std::shared_ptr<Model> base_ = wide_classifier();
};

TEST_F(ZooDelta, TwoTasksShareABase) {
  const fs::path first = save_task("first", 1), second = save_task("second", 2, "zoo:base");
  const auto whole = fs::file_size(root() / "zoo/base/model.safetensors");
  const at::Tensor raw = at::randint(256, {5, 1, 8, 8}, at::kByte);
  for (const auto& [entry, key] : {std::pair{first, 1}, std::pair{second, 2}}) {
    SCOPED_TRACE(entry.string());
    EXPECT_LT(fs::file_size(entry / "model.safetensors"), whole / 10);
    const auto model = adapted_to_task(*base_, static_cast<std::uint64_t>(key));
    const Pretrained loaded = zoo::load(entry.filename().string());
    for (const auto& [name, tensor] : state(*model)) {
      EXPECT_TRUE(at::equal(state(*loaded.model).at(name), tensor)) << name;
    }
    EXPECT_TRUE(at::equal(loaded.predict(raw), (Pretrained{.model = model}.predict(raw))));
    EXPECT_TRUE(zoo::verify(entry).passed());
  }
}

TEST_F(ZooDelta, HoldsWhatDiffersAndNamesTheBase) {
  const fs::path entry = save_task("task", 1);
  Names held;
  for (const auto& [name, tensor] : read_safetensors(entry / "model.safetensors").tensors) held.push_back(name);
  EXPECT_EQ(held,
            (Names{"adapter.encoder.0.conv.lora_a", "adapter.encoder.0.conv.lora_b", "adapter.encoder.1.conv.lora_a",
                   "adapter.encoder.1.conv.lora_b", "adapter.encoder.2.dense.lora_a", "adapter.encoder.2.dense.lora_b",
                   "head.bias", "head.weight"}));
  const zoo::Card card = zoo::read_card(entry);
  ASSERT_TRUE(card.base);
  EXPECT_EQ(card.base->name, "base");
  EXPECT_EQ(card.base->sha256, sha256_file(root() / "zoo/base/model.safetensors"));
  EXPECT_EQ(card.base_model, "base");
  EXPECT_EQ(card.weights.tensors, 8);
  EXPECT_EQ(card.weights.parameters, parameter_count(*adapted_to_task(*base_, 1)));
}

TEST_F(ZooDelta, ItsWeightsFileFindsTheBaseToo) {
  const fs::path entry = save_task("task", 1);
  const Pretrained loaded = zoo::load((entry / "model.safetensors").string());
  EXPECT_TRUE(at::equal(state(*loaded.model).at("encoder.0.conv.weight"), state(*base_).at("encoder.0.conv.weight")));
  EXPECT_EQ(loaded.card.base->name, "base");
}

TEST_F(ZooDelta, TheBaseMayLieBesideTheEntry) {
  save_task("task", 1);
  fs::rename(root() / "zoo", root() / "elsewhere");
  EXPECT_NO_THROW(zoo::load((root() / "elsewhere/task").string()));
}

TEST_F(ZooDelta, SavedAgainItIsWhole) {
  save_task("task", 1);
  const fs::path whole = zoo::save("whole", *zoo::load("task").model, finished_run());
  fs::remove_all(root() / "zoo/base");
  EXPECT_FALSE(zoo::read_card(whole).base);
  EXPECT_NO_THROW(zoo::load("whole"));
}

TEST_F(ZooDelta, AMissingBaseIsNamed) {
  const fs::path entry = save_task("task", 1);
  fs::remove_all(root() / "zoo/base");
  expect_error<FileError>([&] { zoo::load("task"); },
                          {"task/model.json: base: expected the zoo entry \"base\", which has the rest of the weights",
                           "found none of that name", "put it beside this entry, or into a folder of VAETL_ZOO"});
  EXPECT_FALSE(zoo::verify(entry).passed());
}

TEST_F(ZooDelta, AnotherBaseIsRefused) {
  save_task("task", 1);
  zoo::save("base", *small_classifier(9), finished_run());
  expect_error<FileError>(
      [&] { zoo::load("task"); },
      {"task/model.json: base: expected weights of \"base\" with sha256 ",
       sha256_file(root() / "zoo/base/model.safetensors"), "get the version of it that this entry was made from"});
}

TEST_F(ZooDelta, WhatCannotBeABaseIsRefused) {
  save_task("task", 1);
  const auto refused = [&](const std::string& base, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { save_task("other", 2, base); }, parts);
    EXPECT_FALSE(fs::exists(root() / "zoo/other"));
  };
  refused("", {"zoo::save \"other\": base_model: expected a zoo entry", "found none", "vaetl-zoo add"});
  refused("runs/base", {"\"runs/base\"", "what is no entry yet becomes one by vaetl-zoo add"});
  refused("bass", {"\"bass\""});
  refused("other", {"found \"other\""});
  refused("task", {"\"task\", a delta itself", "name its base \"base\""});
  zoo::save("stranger", *small_classifier(9), finished_run());
  refused("stranger", {"at least a tenth of the values in common with \"stranger\"", "found 0.0 %", "save it whole"});
}

TEST_F(ZooDelta, AWeightsFileNamesAnEntryAndNoPath) {
  const fs::path entry = save_task("task", 1), bare = entry / "bare.safetensors";
  TensorFile content = read_safetensors(entry / "model.safetensors");
  const std::string sha256 = sha256_file(root() / "zoo/base/model.safetensors");
  const auto load_with = [&](const std::string& name, const std::string& sum) {
    content.metadata["vaetl.base"] = Json{{"name", name}, {"sha256", sum}}.dump();
    write_safetensors(bare, content.tensors, content.metadata);
    return zoo::load(bare.string());
  };
  EXPECT_EQ(load_with("base", sha256).card.base->name, "base");
  for (const std::string& name : {(root() / "zoo/base").string(), std::string("../zoo/base")}) {
    expect_error<FileError>([&] { load_with(name, sha256); },
                            {"bare.safetensors: base.name: expected the name of a zoo entry", name,
                             "no card or weights can name files elsewhere"});
  }
  expect_error<FileError>([&] { load_with("base", "12ab"); },
                          {"bare.safetensors: base.sha256: expected 64 hexadecimal digits, found \"12ab\""});
}

TEST_F(ZooDelta, AnEditedBaseIsFound) {
  const fs::path entry = save_task("task", 1);
  edit_card(entry, [](Json& card) { card["base"]["name"] = "../base"; });
  expect_error<FileError>([&] { zoo::load("task"); }, {"base.name", "no card or weights can name files elsewhere"});
  save_task("task", 1);
  edit_card(entry, [](Json& card) { card.erase("base"); });
  expect_error<FileError>([&] { zoo::load("task"); }, {"model.json: base", "the card was edited"});
}

}  // namespace
}  // namespace vaetl::testing::delta_test
