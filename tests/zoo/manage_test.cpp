// Entries that are removed, compared, renamed as they are read.
#include <ATen/ATen.h>

#include "vaetl/io/safetensors.hpp"
#include "vaetl/zoo/difference.hpp"
#include "vaetl/zoo/manage.hpp"
#include "vaetl/zoo/places.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::manage_test {
namespace {

using ZooManage = ZooTest;

TEST_F(ZooManage, AnEntryIsRemovedWhole) {
  const fs::path first = save_classifier("first");
  save_classifier("second");
  EXPECT_EQ(zoo::remove("first"), first);
  EXPECT_EQ(std::distance(fs::directory_iterator(root() / "zoo"), {}), 1);
  expect_error<FileError>([] { zoo::remove("first"); }, {"none of that name", "did you mean"});
  write_atomically(root() / "zoo/second/model.json", "{");
  zoo::remove("zoo:second");
  EXPECT_TRUE(fs::is_empty(root() / "zoo"));
}

TEST_F(ZooManage, WhatIsNotTheUsersStays) {
  for (const char* name : {"../zoo", "/etc", "", "a/b"}) {
    expect_error<FileError>([&] { zoo::remove(name); }, {"the name of a zoo entry"});
  }
  expect_error<FileError>([] { zoo::remove("fashion-mnist-simclr"); }, {"an entry of your own", "came with vaetl"});
  EXPECT_TRUE(fs::exists(fs::path(zoo::source_zoo) / "fashion-mnist-simclr/model.json"));
  const fs::path entry = save_classifier();
  make_folder(entry / "thesis");
  expect_error<OutputError>([] { zoo::remove("shapes"); }, {"an entry and nothing else", "the folder thesis"});
  EXPECT_TRUE(fs::exists(entry / "model.json"));
}

TEST_F(ZooManage, ABaseStaysWhileItIsNeeded) {
  const auto base = small_classifier();
  zoo::save("base", *base, {});
  const auto task = clone(*base);
  {
    const at::NoGradGuard no_grad;
    state(*task).at("head.bias").add_(1);
  }
  zoo::save("task", *task, {}, {.base_model = "base", .delta = true});
  expect_error<FileError>([] { zoo::remove("base"); },
                          {"an entry that no other one needs", "the base of task", "--force"});
  zoo::remove("task");
  zoo::remove("base");
  zoo::save("base", *base, {});
  zoo::save("task", *task, {}, {.base_model = "base", .delta = true});
  zoo::remove("base", /*force=*/true);
}

TEST_F(ZooManage, TellsWhatTwoModelsDifferIn) {
  save_classifier("first");
  const auto other = zoo::load("first");
  {
    const at::NoGradGuard no_grad;
    state(*other.model).at("head.bias")[1].add_(0.25);
    state(*other.model).at("head.weight")[0][0].fill_(std::nan(""));
  }
  const Pretrained first = zoo::load("first");
  EXPECT_TRUE(zoo::difference(first, first).equal());
  zoo::Difference found = zoo::difference(first, other);
  EXPECT_TRUE(found.description.empty() && found.metrics.empty());
  ASSERT_EQ(found.tensors.size(), 2u);
  EXPECT_EQ(found.tensors[0].name, "head.bias");
  EXPECT_EQ(found.tensors[0].differing, 1);
  EXPECT_NEAR(found.tensors[0].largest, 0.25, 1e-6);
  EXPECT_TRUE(std::isinf(found.tensors[1].largest));
  EXPECT_EQ(found.equal_tensors, static_cast<std::int64_t>(state(*first.model).size()) - 2);

  zoo::save("wide", *small_model("cnn", {{"classes", 4}, {"batch_norm", false}}), {}, {.summary = "Another."});
  found = zoo::difference(first, zoo::load("wide"));
  const auto key = [&](const std::string& name) {
    const auto at = std::find_if(found.description.begin(), found.description.end(),
                                 [&](const auto& each) { return each.key == name; });
    return at == found.description.end() ? std::string("equal") : at->a.dump() + " " + at->b.dump();
  };
  EXPECT_EQ(key("model.classes"), "3 4");
  EXPECT_EQ(key("model.batch_norm"), "true false");
  EXPECT_EQ(key("summary"), "\"Tells shapes apart.\" \"Another.\"");
  EXPECT_EQ(key("name"), "equal") << "entries have names of their own";
  ASSERT_EQ(found.metrics.size(), 1u);
  EXPECT_EQ(found.metrics[0].key, "metrics.accuracy");
  const auto note = [&](const std::string& name) {
    for (const auto& tensor : found.tensors) {
      if (tensor.name == name) return tensor.note;
    }
    return std::string("equal");
  };
  EXPECT_EQ(note("head.bias"), "float32 (3) and float32 (4)");
  EXPECT_EQ(note("encoder.0.norm.weight"), "only in the first");
}

TEST_F(ZooManage, NamesOfOthersAreMapped) {
  const auto model = small_classifier();
  Weights theirs;
  for (const auto& [name, tensor] : state(*model)) theirs.emplace("net." + name, tensor);
  theirs.emplace("ema.decay", at::ones({1}));
  const fs::path file = root() / "theirs.safetensors";
  write_safetensors(file, theirs);
  const auto load_with = [&](const std::vector<LoadRule>& rules) {
    return zoo::load_file(file, model->spec(), scale_to_unit(), {}, rules);
  };
  const Pretrained loaded = load_with({{.from = "ema.*", .to = ""}, {.from = "net.*", .to = "*"}});
  EXPECT_TRUE(at::equal(state(*loaded.model).at("head.bias"), state(*model).at("head.bias")));
  expect_error<FileError>([&] { load_with({{.from = "net.*", .to = "*"}}); }, {"theirs.safetensors", "ema.decay"});
  expect_error<FileError>([&] { load_with({{.from = "*", .to = "head.bias"}}); },
                          {"one tensor for \"head.bias\"", "make the rules apart"});
  expect_error<ConfigError>([&] { load_with({{.from = "net.*", .to = "*", .on_mismatch = "skip"}}); },
                            {"load \"net.*\"", "from and to alone"});
}

}  // namespace
}  // namespace vaetl::testing::manage_test
