// Sound and series from models: files that the readers take, units, names, errors.
#include "vaetl/recipe/generate_sound.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sound.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/recipe/generate_series.hpp"

namespace vaetl::testing::generate_sound_test {
namespace {

namespace fs = std::filesystem;

const Json log_mel{{"name", "log_mel"}, {"rate", 8000}, {"fft", 128},   {"window", 128},
                   {"hop", 32},         {"mels", 12},   {"mean", {-6}}, {"std", {2}}};

Json with_reader(const Json& reader, const Json& transforms) {
  Json all = Json::array({{{"name", "read"}, {"reader", reader}}});
  for (const Json& each : transforms) all.push_back(each);
  return all;
}

std::shared_ptr<Model> vae(const std::vector<std::int64_t>& input, Json preprocess, std::int64_t conditions = 0) {
  seed(4);
  auto model = make<models::Vae>(
      {.input = input, .widths = {8}, .latent = 2, .likelihood = "gaussian", .conditions = conditions});
  model->set_preprocess(std::move(preprocess));
  model->eval();
  return model;
}

// Clips of 1000 samples: 32 frames.
std::shared_ptr<Model> speaker(std::int64_t conditions = 0) {
  return vae({1, 12, 32}, with_reader({{"name", "sound"}, {"rate", 8000}, {"seconds", 0.125}}, Json::array({log_mel})),
             conditions);
}

TEST(GenerateSound, IsAskedOfThePreprocessing) {
  EXPECT_TRUE(recipe::sees_sound(*speaker()));
  EXPECT_FALSE(recipe::sees_sound(*vae({1, 12, 32}, Json())));
  EXPECT_FALSE(recipe::sees_sound(*vae({1, 12, 32}, Json::array({{{"name", "scale"}}}))));
  EXPECT_FALSE(recipe::sees_sound(*vae({1, 12, 32}, Json::array({{{"name", "scale"}}, log_mel}))));
  expect_error<ConfigError>(
      [&] {
        recipe::clips_of(*vae({1, 12, 32}, Json()), at::zeros({1, 1, 12, 32}), 0);
      },
      {"trained on pictures of sound"});
  expect_error<DataError>([&] { recipe::clips_of(*speaker(), at::full({1, 1, 12, 32}, NAN), 0); }, {"finite values"});
}

TEST(GenerateSound, ClipsAreAsLongAsThoseThatWereRead) {
  const auto model = speaker();
  const at::Tensor pictures = recipe::generate(*model, {.count = 19}).values;
  const recipe::Clips clips = recipe::clips_of(*model, pictures, 5);
  EXPECT_EQ(clips.samples.sizes(), (at::IntArrayRef{19, 1000}));
  EXPECT_EQ(clips.rate, 8000);
  EXPECT_GT(clips.samples.abs().max().item<double>(), 0);
  // Parts do not show: a clip's phases are those of its place.
  EXPECT_TRUE(at::allclose(recipe::clips_of(*model, pictures.slice(0, 0, 17), 5).samples, clips.samples.slice(0, 0, 17),
                           1e-4, 1e-6));
  // Without a reader, as short as its frames allow.
  EXPECT_EQ(recipe::clips_of(*vae({1, 12, 32}, Json::array({log_mel})), pictures, 5).samples.size(1), 31 * 32);
}

TEST(GenerateSound, FilesAreWhatTheReaderTakes) {
  const TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "new", file = fs::path(folder.path()) / "new.wav";
  const auto model = speaker(3);
  const recipe::Generated made = recipe::generate(*model, {.count = 20});
  recipe::write_sounds(out, *model, made, {"low", "a/b", ".."}, 5);
  EXPECT_TRUE(fs::exists(out / "low" / "00.wav") && fs::exists(out / "a_b" / "01.wav") &&
              fs::exists(out / "2" / "02.wav"));
  const Dataset read = data::open("sound:" + out.string()).train;
  EXPECT_EQ(read.size(), 20);
  EXPECT_EQ(read.info().classes, (std::vector<std::string>{"2", "a_b", "low"}));
  EXPECT_EQ(read.column("input").size(1), 1000);
  recipe::write_sound(file, *model, made, 5);
  const Sound all = read_sound(file);
  EXPECT_EQ(all.rate, 8000);
  const at::Tensor one_by_one = all.samples.view({20, 1000});
  EXPECT_TRUE(at::equal(one_by_one[19], read_sound(out / "a_b" / "19.wav").samples.squeeze(0)));
  expect_error<OutputError>([&] { recipe::write_sounds(out, *model, made, {}, 5); }, {"new or empty"});
}

TEST(GenerateSeries, RowsInTheDatasOwnUnits) {
  const TemporaryFolder folder;
  const fs::path file = fs::path(folder.path()) / "new.csv";
  const Json units{{"name", "standardise"}, {"mean", {100, 100, 100}}, {"std", {10, 10, 10}}};
  const auto model = vae({3}, Json::array({units}), 2);
  const recipe::Generated made{.values = at::tensor({0.0, 1.0, -1.0, 0.5, 0.25, 2.0}, at::kFloat).view({2, 3}),
                               .condition = at::tensor({1, 0}, at::kLong)};
  recipe::write_series(file, *model, made, {"calm", "wild, at times"});
  EXPECT_EQ(read_file(file), "class,t0,t1,t2\n\"wild, at times\",100,110,90\ncalm,105,102.5,120\n");
  recipe::write_series(file, *vae({1, 2}, Json()),
                       {.values = at::tensor({1.5, 2.0}, at::kFloat).view({1, 1, 2}), .condition = {}}, {});
  EXPECT_EQ(read_file(file), "t0.0,t0.1\n1.5,2\n");
  recipe::write_series(file, *vae({2, 1}, Json()),
                       {.values = at::tensor({1.5, 2.0}, at::kFloat).view({1, 2, 1}), .condition = {}}, {});
  EXPECT_EQ(read_file(file), "t0,t1\n1.5,2\n");
}

TEST(GenerateSeries, IsOfSeriesAlone) {
  EXPECT_TRUE(recipe::sees_series(*vae({3}, Json())));
  EXPECT_TRUE(recipe::sees_series(*vae({4, 2}, Json())));
  EXPECT_FALSE(recipe::sees_series(*vae({1, 4, 2}, Json())));
  const Json columns{{"name", "columns"}, {"columns", {{{"kind", "numeric"}}, {{"kind", "numeric"}}}}};
  EXPECT_FALSE(recipe::sees_series(*vae({2}, Json::array({columns}))));
  expect_error<ConfigError>(
      [] {
        recipe::write_series("new.csv", *vae({1, 4, 2}, Json()), {}, {});
      },
      {"a model of series", ".npy"});
}

}  // namespace
}  // namespace vaetl::testing::generate_sound_test
