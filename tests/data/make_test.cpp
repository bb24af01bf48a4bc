#include "vaetl/data/make.hpp"

#include <ATen/ATen.h>
#include <sys/stat.h>

#include "tests/data/support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sound.hpp"

namespace vaetl::make_test {
namespace {

using namespace testing;

Made make_set(const std::string& name, const Json& options, const fs::path& out, std::uint64_t seed = 0) {
  return vaetl::make<Maker>(name, options)->make(out, {.seed = seed});
}

const Json none = Json::object();

std::string bytes_below(const fs::path& path) {
  if (fs::is_regular_file(path)) return read_file(path);
  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.insert(entry.path());
  }
  std::string all;
  for (const auto& file : files) all += fs::relative(file, path).string() + read_file(file);
  return all;
}

TEST(Make, TheSameSeedMakesTheSameBytes) {
  const std::vector<std::tuple<std::string, Json, std::string>> sets = {
      {"two-moons", {{"count", 5000}}, "csv"},
      {"gaussians", {{"count", 50}, {"dims", 3}}, "folder"},
      {"shapes", {{"count", 20}, {"side", 16}}, "packed"},
      {"sines", {{"count", 20}, {"length", 16}}, "ts"},
      {"sines", {{"task", "forecast"}, {"count", 50}}, "csv"}};
  const Folder folder;
  for (const auto& [name, options, ending] : sets) {
    const auto place = [&](const char* which) { return folder.path() / (std::string(which) + "." + ending); };
    make_set(name, options, place("a"), 3);
    make_set(name, options, place("b"), 3);
    make_set(name, options, place("c"), 4);
    EXPECT_EQ(bytes_below(place("a")), bytes_below(place("b"))) << name;
    EXPECT_NE(bytes_below(place("a")), bytes_below(place("c"))) << name;
    for (const char* which : {"a", "b", "c"}) fs::remove_all(place(which));
  }
}

TEST(Make, MoonsWithoutNoiseAreHalfCircles) {
  const Folder folder;
  const Made made = make_set("two-moons", {{"count", 400}, {"noise", 0}}, folder.path() / "m.csv");
  const Splits splits = data::open(made.open[0]);
  EXPECT_EQ(splits.train.size() + splits.test.size(), 400);
  const at::Tensor points = splits.train.column("input").to(at::kDouble), moon = splits.train.labels().unsqueeze(1);
  const at::Tensor x = at::where(moon.eq(0), points.narrow(1, 0, 1), 1 - points.narrow(1, 0, 1));
  const at::Tensor y = at::where(moon.eq(0), points.narrow(1, 1, 1), 0.5 - points.narrow(1, 1, 1));
  EXPECT_LT((x.square() + y.square() - 1).abs().max().item<double>(),
            2e-6);  // read as float32: 2⁻²⁴ of each coordinate, twice in each square
  EXPECT_GE(y.min().item<double>(), -1e-6);
  EXPECT_GT(x.std().item<double>(), 0.5);  // over all of the circle: its standard deviation is √½
}

double error_of_sign(const at::Tensor& first, const at::Tensor& labels) {
  return first.gt(0).to(at::kLong).ne(labels).to(at::kDouble).mean().item<double>();
}

TEST(Make, GaussiansErrAsTheySay) {
  const Folder folder;
  const Json options = {{"count", 20000}, {"separation", 2}, {"shift", 1}, {"angle", 60}};
  const Made made = make_set("gaussians", options, folder.path() / "g");
  const double best = made.truth["best_error"], moved = made.truth["source_best_on_target"];
  EXPECT_NEAR(best, 0.158655, 1e-6);                      // Φ(−1)
  EXPECT_NEAR(moved, (0.0668072 + 0.3085375) / 2, 1e-6);  // Φ(−1.5), Φ(−0.5)
  for (std::size_t domain = 0; domain < 2; ++domain) {
    data::Reference reference = made.open[domain];
    reference.options.erase("test_share");
    const Dataset data = data::open(reference).train;
    const at::Tensor points = data.column("input");
    const double expected = domain == 0 ? best : moved;
    const double four_sigmas = 4 * std::sqrt(expected * (1 - expected) / 20000);
    EXPECT_NEAR(error_of_sign(points.select(1, 0), data.labels()), expected, four_sigmas);
    const double across = domain == 0 ? 0 : std::sin(M_PI / 3);
    EXPECT_NEAR(points.select(1, 1).mean().item<double>(), across, 4 / std::sqrt(20000.0));
  }
}

TEST(Make, ShapesAreWhereTheirFactorsSay) {
  const Folder folder;
  const Made made = make_set("shapes", {{"count", 60}, {"side", 64}}, folder.path() / "s.packed");
  const Splits splits = data::open(made.open[0]);
  EXPECT_EQ(splits.train.size(), 48);
  EXPECT_EQ(splits.test.size(), 12);
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"square", "ellipse", "heart"}));
  const Fields all = splits.train.all();
  const at::Tensor weight = all.input().to(at::kDouble).amax(1) / 255;  // of a saturated hue one channel is full
  const at::Tensor axis = at::arange(64, at::kDouble) + 0.5;
  for (std::int64_t i = 0; i < splits.train.size(); ++i) {
    const at::Tensor mask = weight[i], factors = all["factors"][i].to(at::kDouble);
    const auto factor = [&](std::int64_t f) { return factors[f].item<double>(); };
    const double area = mask.sum().item<double>(), radius = 16 * factor(1);
    const auto shape = all.target()[i].item<std::int64_t>();
    EXPECT_EQ(factor(0), shape);
    if (shape == 2) continue;  // a heart's middle is not that of its curve
    const double known = (shape == 0 ? 1.6 * 1.6 : M_PI / 2) * radius * radius;
    // Each pixel of the edge is off by 1/32 at most where 16 samples cover it by halves; the edge has about 6 r pixels.
    EXPECT_NEAR(area, known, 6 * radius * 0.125) << i;
    const double edge = 16 * 1.15, x = edge + factor(3) * (64 - 2 * edge), y = edge + factor(4) * (64 - 2 * edge);
    EXPECT_NEAR((mask.sum(0) * axis).sum().item<double>() / area, x, 0.1) << i;
    EXPECT_NEAR((mask.sum(1) * axis).sum().item<double>() / area, y, 0.1) << i;
  }
}

TEST(Make, GreyShapesHaveNoHue) {
  const Folder folder;
  const Made made = make_set("shapes", {{"count", 10}, {"colour", false}}, folder.path() / "s.packed");
  const auto info = data::open(made.open[0]).train.info();
  EXPECT_EQ(info.fields.at("input").shape, (std::vector<std::int64_t>{1, 32, 32}));
  EXPECT_EQ(info.fields.at("factors").shape, std::vector<std::int64_t>{5});
  EXPECT_EQ(made.truth["factors"].size(), 5u);
}

TEST(Make, SinesHaveTheWavesOfTheirClass) {
  const Folder folder;
  const Made made = make_set("sines", {{"count", 40}, {"noise", 0}, {"classes", 4}}, folder.path() / "s.ts");
  const Dataset train = data::open(made.open[0]).train;
  EXPECT_EQ(train.size(), 28);  // of 10 of each class 3 are held out: 2.5 is rounded up
  const at::Tensor power = at::abs(at::fft_rfft(train.column("input").squeeze(2).to(at::kDouble)));
  EXPECT_TRUE(at::equal(power.argmax(1), train.labels() + 2));
}

TEST(Make, TheForecastErrsByTheNoiseAlone) {
  const Folder folder;
  const Made made =
      make_set("sines", {{"task", "forecast"}, {"count", 6000}, {"noise", 0.2}}, folder.path() / "s.csv", 5);
  const auto table = data::open("csv:" + (folder.path() / "s.csv").string() + "?target=value&task=values").train;
  const at::Tensor time = table.column("input").select(1, 0).to(at::kDouble);
  at::Tensor rest = table.column("target").select(1, 0).to(at::kDouble).clone();
  for (const Json& part : made.truth["components"]) {
    const double period = part["period"], amplitude = part["amplitude"], phase = part["phase"];
    rest -= amplitude * (time * (2 * M_PI / period) + phase).sin();
  }
  EXPECT_NEAR(rest.std().item<double>(), 0.2, 4 * 0.2 / std::sqrt(2 * 6000.0));
  EXPECT_GT(data::open(made.open[0]).test.size(), 0);
}

TEST(Make, WhatCannotBeMade) {
  const Folder folder;
  expect_error<ConfigError>([&] { make_set("sines", none, folder.path() / "s.csv"); }, {"ends with .ts"});
  expect_error<ConfigError>([&] { make_set("two-moon", none, folder.path() / "m.csv"); }, {"two-moon", "two-moons"});
  expect_error<ConfigError>([&] { make_set("two-moons", {{"nois", 1}}, folder.path() / "m.csv"); }, {"nois", "noise"});
  expect_error<ConfigError>([&] { make_set("shapes", {{"side", 4}}, folder.path() / "s"); }, {"side", "4"});
  expect_error<OutputError>([&] { make_set("two-moons", none, folder.path() / "none" / "m.csv"); }, {"none"});
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Make, EndedWorkLeavesNothing) {
  struct Ended {};
  const Folder folder;
  const Making making{.progress = [](std::int64_t, std::int64_t) { throw Ended(); }};
  for (const auto& [name, out] :
       {std::pair("two-moons", "m.csv"), {"gaussians", "g"}, {"shapes", "s"}, {"sines", "s.ts"}}) {
    EXPECT_THROW(vaetl::make<Maker>(name, none)->make(folder.path() / out, making), Ended) << name;
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

// In the place of espeak-ng: notes its arguments and gives a ramp of half a second.
void write_speaker(const Folder& folder) {
  write_wav(folder.path() / "speech.wav", at::arange(11025, at::kShort), 22050);
  const auto program = folder.write("espeak-ng",
                                    "#!/bin/sh\necho \"$@\" >> \"${0%/*}/said\"\n"
                                    "while [ \"$1\" != -w ]; do shift; done\ncp \"${0%/*}/speech.wav\" \"$2\"\n");
  ::chmod(program.c_str(), 0755);
}

TEST(Make, SpokenDigitsByAProgram) {
  const Folder folder;
  write_speaker(folder);
  const Environment path("PATH", folder.path().string() + ":" + std::getenv("PATH"));
  const Json options = {{"count", 20}, {"train_voices", {"en-us"}}, {"test_voices", {"en+f3"}}, {"test_share", 0.5}};
  const Made made = make_set("spoken-digits", options, folder.path() / "digits", 1);
  const std::string said = read_file(folder.path() / "said");
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 20);
  EXPECT_TRUE(said.starts_with("-v en-us -s "));
  EXPECT_NE(said.find(" nine\n"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder.path() / "digits" / "raw.wav"));
  const Splits splits = data::open(made.open[0]);
  EXPECT_EQ(splits.train.size(), 10);
  EXPECT_EQ(splits.test.size(), 10);
  EXPECT_EQ(splits.train.info().classes, readers::numbered_classes(10));
  EXPECT_EQ(splits.train.info().fields.at("input").shape, std::vector<std::int64_t>{8000});
  for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "digits" / "test")) {
    EXPECT_TRUE(entry.is_directory() || entry.path().string().find("-en+f3-s") != std::string::npos) << entry.path();
  }
}

TEST(Make, SpokenDigitsThatCannotBeSpoken) {
  const Folder folder;
  const auto make_digits = [&](const Json& options) { make_set("spoken-digits", options, folder.path() / "digits"); };
  {
    const Environment path("PATH", folder.path().string());
    expect_error<ConfigError>([&] { make_digits(none); }, {"espeak-ng along PATH", "apt-get install espeak-ng"});
    const auto program = folder.write("espeak-ng", "#!/bin/sh\nexit 1\n");
    ::chmod(program.c_str(), 0755);
    expect_error<ConfigError>([&] { make_digits(none); }, {"a voice that espeak-ng has", "en-us"});
    fs::remove(program);
  }
  expect_error<ConfigError>([&] { make_digits({{"train_voices", {"../x"}}}); }, {"train_voices", "../x"});
  expect_error<ConfigError>([&] { make_digits({{"train_voices", {"-x"}}}); }, {"train_voices", "-x"});
  expect_error<ConfigError>([&] { make_digits({{"train_voices", {"en"}}, {"test_voices", {"en"}}}); }, {"test_voices"});
  expect_error<ConfigError>([&] { make_digits({{"slowest", 300}}); }, {"slowest", "300"});
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace vaetl::make_test
