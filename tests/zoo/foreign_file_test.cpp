// Weights files of PyTorch, and of safetensors without a description.
#include <ATen/ATen.h>

#include "support/torch_stream.hpp"
#include "vaetl/io/safetensors.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::foreign_file_test {
namespace {

using ZooForeign = ZooTest;

TEST_F(ZooForeign, AReferenceHasOptions) {
  const auto parts = zoo::file_reference("a b.pth?key=nets.main&strip_prefix=module.");
  EXPECT_EQ(parts.file, "a b.pth");
  EXPECT_EQ(parts.options.key, "nets.main");
  EXPECT_EQ(parts.options.strip_prefix, "module.");
  EXPECT_EQ(zoo::file_reference("pair.pt?key=0").options.key, "0");
  EXPECT_EQ(zoo::file_reference("plain.pth").file, "plain.pth");
  expect_error<ConfigError>([] { zoo::file_reference("w.pth?strip=module."); },
                            {"model \"w.pth?strip=module.\"", "did you mean \"key\", \"which\" or \"strip_prefix\"?"});
  expect_error<ConfigError>([] { zoo::file_reference("w.pth?module."); },
                            {"model \"w.pth?module.\"", "options after ? such as key=value"});
  write_atomically(root() / "odd?.pth", "x");
  EXPECT_EQ(zoo::file_reference((root() / "odd?.pth").string()).file, root() / "odd?.pth");
}

TEST_F(ZooForeign, TheBytesTellAWeightsFile) {
  const auto model = small_classifier();
  write_atomically(root() / "a.tar", hand::checkpoint(state(*model)));
  write_safetensors(root() / "b.bin", state(*model));
  for (const char* name : {"a.tar", "b.bin"}) {
    EXPECT_EQ(zoo::resolve((root() / name).string()), root() / name);
    EXPECT_TRUE(zoo::read_weights(root() / name).model.name.empty());
  }
  EXPECT_EQ(zoo::resolve((root() / "a.tar").string() + "?key=state_dict"), root() / "a.tar");
  write_atomically(root() / "c.pth", "no weights");
  expect_error<FileError>([&] { zoo::resolve((root() / "c.pth").string()); }, {"a PyTorch file", "another file"});
}

TEST_F(ZooForeign, APytorchFileWithADescriptionIsAModel) {
  const auto model = small_classifier();
  const fs::path file = root() / "w.pth";
  write_atomically(file, hand::checkpoint(state(*model), "module."));
  expect_error<FileError>([&] { zoo::load(file.string()); },
                          {"w.pth: expected metadata that describe the model", "--model JSON"});
  expect_error<FileError>([&] { zoo::load_file(file, model->spec()); },
                          {"w.pth", "the weights of this model and nothing else", "FILE?strip_prefix=module."});
  const Pretrained loaded = zoo::load_file(file, model->spec(), scale_to_unit(), {.strip_prefix = "module."});
  EXPECT_EQ(loaded.model->preprocess(), scale_to_unit());
  const at::Tensor raw = at::randint(256, {2, 1, 8, 8}, at::kByte);
  const Pretrained saved = zoo::load(save_classifier().string());
  EXPECT_TRUE(at::allclose(loaded.predict(raw), saved.predict(raw), 0, 1e-5));
  expect_error<ConfigError>(
      [&] { zoo::load_file(file, model->spec(), Json::array({"scal"}), {.strip_prefix = "module."}); },
      {"did you mean \"scale\"?"});
}

TEST_F(ZooForeign, SafetensorsHavePrefixesAndNoKeys) {
  const auto model = small_classifier();
  Weights prefixed;
  for (const auto& [name, tensor] : state(*model)) prefixed.emplace("net." + name, tensor);
  const fs::path file = root() / "w.safetensors";
  write_safetensors(file, prefixed);
  EXPECT_EQ(zoo::read_weights(file, {.strip_prefix = "net."}).tensors.size(), prefixed.size());
  EXPECT_EQ(zoo::load_file(file, model->spec(), {}, {.strip_prefix = "net."}).model->spec().name, "cnn");
  expect_error<ConfigError>([&] { zoo::read_weights(file, {.key = "model"}); },
                            {"w.safetensors: key", "a file of PyTorch", "a safetensors file"});
}

TEST_F(ZooForeign, ACheckpointsStateDescribesItOrIsBlamed) {
  const auto model = small_classifier();
  const fs::path last = root() / "run/checkpoints/last", file = last / "model.safetensors";
  make_folder(last);
  write_safetensors(file, state(*model));
  const auto load_with = [&](const std::string& state) {
    write_atomically(last / "state.json", state);
    return zoo::load(file.string());
  };
  const Json described{{"name", model->spec().name}, {"options", model->spec().options}};
  const Pretrained loaded = load_with(Json{{"model", described}, {"preprocess", scale_to_unit()}, {"step", 3}}.dump());
  EXPECT_EQ(loaded.model->spec().options, model->spec().options);
  EXPECT_EQ(loaded.model->preprocess(), scale_to_unit());
  const auto blamed = [&](const std::string& state, std::initializer_list<std::string_view> parts) {
    expect_error<FileError>([&] { load_with(state); }, parts);
  };
  blamed("{", {"last/state.json: "});
  blamed("[]", {"last/state.json: ", "expected an object, found "});
  blamed(R"({"model": 3})", {"last/state.json: model: expected an object, found an integer 3"});
  blamed(R"({"model": {"options": {}}})", {"last/state.json: model.name: expected a string, found null"});
  blamed(R"({"model": {"name": 3}})", {"last/state.json: model.name: expected a string, found an integer 3"});
  blamed(R"({"model": {"name": "cnn", "options": 3}})",
         {"last/state.json: model.options: expected an object, found an integer 3"});
  blamed(Json{{"model", described}, {"preprocess", {"scal"}}}.dump(), {"last/state.json: ", "did you mean \"scale\"?"});
}

}  // namespace
}  // namespace vaetl::testing::foreign_file_test
