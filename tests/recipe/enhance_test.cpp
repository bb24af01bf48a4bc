// Repairs: those that need no model against scipy and Pillow (tests/parity/enhance.py), and by models of any size.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/picture_quality.hpp"
#include "vaetl/models/conv_autoencoder.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/models/skip_autoencoder.hpp"
#include "vaetl/objectives/picture_corruption.hpp"
#include "vaetl/recipe/classical_repair.hpp"
#include "vaetl/recipe/compare_repairs.hpp"
#include "vaetl/recipe/repair_files.hpp"

namespace vaetl::testing::enhance_test {
namespace {

const at::Tensor& enhance_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/enhance.safetensors");
  return file.tensors.at(name);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

TEST(ClassicalRepair, MedianEqualsScipy) {
  for (const std::int64_t side : {3, 5}) {
    EXPECT_EQ(distance(recipe::median_filtered(enhance_reference("x"), side),
                       enhance_reference("median" + std::to_string(side))),
              0);
  }
}

// Pillow sums float32 in another order: 4 × 4 products of values below 1.
TEST(ClassicalRepair, BicubicEqualsPillow) {
  EXPECT_LE(distance(recipe::enlarged(enhance_reference("x"), 26, 34), enhance_reference("bicubic")), 2e-6);
  EXPECT_EQ(recipe::enlarged(enhance_reference("x"), 25, 33).sizes(), at::IntArrayRef({2, 3, 25, 33}));
}

// Conjugate gradients stop at a millionth of the first residual.
TEST(ClassicalRepair, DiffusionSolvesLaplacesEquation) {
  const at::Tensor missing = enhance_reference("missing").to(at::kBool);
  EXPECT_LE(distance(recipe::diffused(enhance_reference("x"), missing), enhance_reference("diffused")), 1e-5);
  const at::Tensor alone = at::full({1, 1, 4, 4}, 0.5, at::kDouble);
  EXPECT_TRUE(at::equal(recipe::diffused(alone, at::ones_like(alone, at::kBool)), alone)) << "nothing to go on from";
  const at::Tensor line = at::rand({1, 1, 1, 5}, at::kDouble), middle = at::arange(5).eq(2).view({1, 1, 1, 5});
  const at::Tensor filled = recipe::diffused(line, middle);
  EXPECT_NEAR(filled[0][0][0][2].item<double>(), (line[0][0][0][1] + line[0][0][0][3]).item<double>() / 2, 1e-12);
}

std::shared_ptr<Model> restorer(std::vector<std::int64_t> input = {1, 16, 16}) {
  seed(3);
  auto model = make<models::SkipAutoencoder>({.input = std::move(input), .channels = {4, 6, 8}});
  model->set_preprocess(Json::array({"scale"}));
  model->eval();
  return model;
}

TEST(Shades, AreThoseOfThePreprocessing) {
  const auto model = restorer({3, 16, 16});
  const Json standardise = {{"name", "standardise"}, {"mean", {0.5, 0.4, 0.3}}, {"std", {0.5, 0.25, 0.2}}};
  model->set_preprocess(Json::array({{{"name", "resize"}, {"size", {16, 16}}}, "scale", standardise}));
  const auto shades = recipe::shades_of(*model, "test");
  EXPECT_LE(distance(shades.black.flatten(), at::tensor({-1.0, -1.6, -1.5})), 1e-6);
  EXPECT_LE(distance(shades.white.flatten(), at::tensor({1.0, 2.4, 3.5})), 1e-6);
  const at::Tensor pixels = at::arange(256, at::kByte).repeat({3, 1}).view({1, 3, 16, 16});
  EXPECT_TRUE(at::equal(shades.pixels(shades.seen(pixels)), pixels));
  const auto sees_rows = make<models::Mlp>({.input = {7}});
  expect_error<ConfigError>([&] { recipe::shades_of(*sees_rows, "test"); },
                            {"test: expected a model that sees pictures of 1 or 3 channels, found \"mlp\""});
  model->set_preprocess(Json::array({"binarise"}));
  expect_error<ConfigError>([&] { recipe::shades_of(*model, "test"); }, {"a preprocessing that maps shades linearly"});
}

TEST(Repairer, PartsMakeTheWhole) {
  const auto model = restorer();
  const at::Tensor x = at::rand({1, 1, 100, 75});
  recipe::Repairer whole(*model, "test"), parts(*model, "test", {.part = 32, .margin = 32});
  const at::Tensor expected = whole.repair(x, "x");
  EXPECT_LE(distance(parts.repair(x, "x"), expected), 1e-6) << "it sees less than 32 pixels far";
  recipe::Repairer blind(*model, "test", {.part = 32, .margin = 0});
  EXPECT_GT(distance(blind.repair(x, "x"), expected), 1e-3) << "the margin is needed";
}

TEST(Repairer, SaysWhatItCannotTake) {
  seed(3);
  const auto dense = make<models::ConvAutoencoder>({.input = {1, 16, 16}, .channels = {4}, .latent = 8});
  dense->eval();
  recipe::Repairer repairer(*dense, "test");
  EXPECT_EQ(repairer.repair(at::rand({2, 1, 16, 16}), "x").sizes(), at::IntArrayRef({2, 1, 16, 16}));
  expect_error<DataError>(
      [&] {
        repairer.repair(at::rand({1, 1, 20, 18}), "photo.png");
      },
      {"photo.png: expected pictures of 16×16 pixels, the only ones that the model takes, found "
       "18×20 pixels; scale them before, or take a model of convolutions alone"});
  const auto tiny = restorer();
  recipe::Repairer small(*tiny, "test");
  expect_error<DataError>(
      [&] {
        small.repair(at::rand({1, 1, 3, 40}), "line.png");
      },
      {"line.png: expected a size that the model takes (", "found 40×3 pixels; scale it before"});
  const auto classifier = make<models::Mlp>({.input = {1, 4, 4}});
  expect_error<ConfigError>([&] { recipe::Repairer(*classifier, "test"); }, {"test: expected a model that offers"});
}

Dataset some_pictures(std::int64_t count) {
  at::manual_seed(5);
  Fields fields;
  fields.set("input", at::randint(0, 256, {count, 1, 4, 4}, at::kByte).repeat_interleave(4, 2).repeat_interleave(4, 3));
  return Dataset::from_tensors(fields, {.name = "blocks"});
}

TEST(CompareRepairs, EqualsTheMetricsOfEachPicture) {
  const auto model = restorer();
  const Dataset data = some_pictures(30);
  const at::Tensor clean = data.all().input().to(at::kFloat) / 255;
  const corruptions::Halve halve;
  const auto found = recipe::compare_repairs(*model, data, halve, {.shown = 3});
  ASSERT_EQ(found.methods.size(), 3U);
  EXPECT_EQ(found.methods[1].method, "bicubic");
  const at::Tensor damaged = halve.apply(clean, {}, {});
  const at::Tensor bicubic = recipe::enlarged(corruptions::halved_picture(clean), 16, 16).clamp(0, 1);
  recipe::Repairer repairer(*model, "test");
  const std::vector<at::Tensor> made = {damaged, bicubic, repairer.repair(damaged, "x").clamp(0, 1)};
  for (std::size_t i = 0; i < made.size(); ++i) {
    EXPECT_NEAR(found.methods[i].psnr, metrics::psnr(clean, made[i], 1).mean().item<double>(), 1e-4);
    EXPECT_NEAR(found.methods[i].ssim.value(), metrics::ssim(clean, made[i], 1).mean().item<double>(), 1e-5);
    EXPECT_NEAR(found.methods[i].rmse, (clean - made[i]).square().mean().sqrt().item<double>(), 1e-6);
    EXPECT_LE(distance(found.shown[i + 1], made[i].slice(0, 0, 3)), 1e-6);
  }
  EXPECT_EQ(recipe::comparison_grid(found).sizes(), at::IntArrayRef({1, 4 * 18 + 2, 3 * 18 + 2}));
}

TEST(CompareRepairs, WhatIsThereStays) {
  const auto model = restorer();
  const Dataset data = some_pictures(20);
  const corruptions::Box box({.side = 0.5});
  const auto found = recipe::compare_repairs(*model, data, box, {.seed = 7});
  for (const std::size_t method : {2U, 3U}) {
    const at::Tensor changed = found.shown[method].ne(found.shown[0]).flatten(1).sum(1);
    EXPECT_LE(changed.max().item<std::int64_t>(), 64);
  }
  const auto again = recipe::compare_repairs(*model, data, box, {.seed = 7});
  const auto other = recipe::compare_repairs(*model, data, box, {.seed = 8});
  EXPECT_TRUE(at::equal(again.shown[1], found.shown[1]));
  EXPECT_FALSE(at::equal(other.shown[1], found.shown[1]));
}

TEST(CompareRepairs, DamageIsReadFromTextsAndRecipes) {
  EXPECT_EQ(recipe::damage_from("box?side=0.2", "--damage").options, (Json{{"side", 0.2}, {"fill", 0.5}}));
  expect_error<ConfigError>([] { recipe::damage_from("blur", "--damage"); }, {"--damage", "corruption", "\"blur\""});
  const Json plain = {{"objective", "reconstruction"}};
  EXPECT_FALSE(recipe::trained_damage(plain));
  EXPECT_FALSE(recipe::trained_damage(Json::object()));
  const Json sum = {{"objective", {"sparsity_l1", {{"name", "reconstruction"}, {"corrupt", "halve"}}}}};
  EXPECT_EQ(recipe::trained_damage(sum)->name, "halve");
}

TEST(RepairFiles, OneOrMany) {
  const auto model = restorer();
  const TemporaryFolder folder;
  const std::filesystem::path folder_at = folder.path();
  const std::filesystem::path in = folder_at / "in";
  std::filesystem::create_directories(in / "below");
  const at::Tensor pixels = at::randint(0, 256, {1, 9, 12}, at::kByte);
  write_png(in / "a.png", pixels);
  write_png(in / "below" / "a.png", pixels.slice(1, 0, 8));
  std::vector<std::string> left_out;
  const recipe::RepairFilesCalls calls = {.left_out = [&](const Problem& each) { left_out.push_back(each.where); },
                                          .note = [](const Problem&) {},
                                          .progress = [](std::int64_t) {}};
  const auto done = recipe::repair_files(*model, {in.string(), "absent.png"}, folder_at / "out", {}, calls);
  EXPECT_EQ(done.pictures, 2);
  EXPECT_EQ(done.left_out, 1);
  EXPECT_EQ(left_out, (std::vector<std::string>{"absent.png"}));
  EXPECT_EQ(read_png(folder_at / "out" / "a.png").sizes(), pixels.sizes());
  EXPECT_TRUE(std::filesystem::exists(folder_at / "out" / "a-2.png"));
  const std::vector<std::string> one = {(in / "a.png").string()};
  recipe::repair_files(*model, one, folder_at / "twice.png", {.doubles = true}, calls);
  EXPECT_EQ(read_png(folder_at / "twice.png").sizes(), at::IntArrayRef({1, 18, 24}));
  at::Tensor mask = at::zeros({1, 9, 12}, at::kByte);
  mask.slice(2, 3, 6).fill_(255);
  write_png(folder_at / "mask.png", mask);
  recipe::repair_files(*model, one, folder_at / "filled.png", {.mask = folder_at / "mask.png"}, calls);
  const at::Tensor same = read_png(folder_at / "filled.png").eq(pixels);
  EXPECT_TRUE(same.logical_or(mask.ne(0)).all().item<bool>());
  EXPECT_FALSE(same.all().item<bool>());
  const auto run = [&](const std::vector<std::string>& files, const std::string& out) {
    return [&, files, out] { recipe::repair_files(*model, files, folder_at / out, {}, calls); };
  };
  expect_error<ConfigError>(run({in.string()}, "single.png"), {"--out: expected FOLDER/ for several pictures"});
  expect_error<ConfigError>(run(one, "x.jpg"), {"--out: expected FILE.png or FOLDER/"});
  expect_error<OutputError>(run(one, "out"), {"expected FILE.png, or a folder that is new or empty"});
  expect_error<DataError>(run({"absent.png"}, "none.png"), {"absent.png: expected"});
  EXPECT_FALSE(std::filesystem::exists(folder_at / "single.png"));
}

}  // namespace
}  // namespace vaetl::testing::enhance_test
