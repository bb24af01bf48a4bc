// Sound folders and lists, what is left out of them, and log-mel spectrograms against tests/parity/mel.py.
#include "vaetl/data/readers/sound.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/transforms/log_mel.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/io/sound.hpp"

namespace vaetl::sound_test {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::Folder;
using testing::long_tensor;
using testing::values_of;

// A sound of `size` equal samples.
void put(const Folder& folder, const std::string& name, std::int64_t size, int value, std::int64_t rate = 8000) {
  const fs::path file = folder.path() / name;
  fs::create_directories(file.parent_path());
  write_wav(file, at::full({size}, value, at::kShort), rate);
}

struct Read {
  Splits splits;
  std::vector<Problem> problems = {};
};

Read open(const std::string& reference, Json fitted = {}) {
  std::vector<Problem> problems;
  Reading reading;
  reading.skipped = [&](const Problem& problem) { problems.push_back(problem); };
  reading.fitted = std::move(fitted);
  return {data::open(reference, reading), std::move(problems)};
}

TEST(SoundFiles, Options) {
  testing::expect_fields_cover<readers::SoundFiles::Options>();
  testing::expect_defaults_round_trip<readers::SoundFiles::Options>();
  expect_error<ConfigError>([] { data::open("sound:a?test=b&test_share=0.1"); }, {"sound.test_share"});
}

TEST(SoundFiles, LengthsRatesAndClasses) {
  const Folder folder;
  put(folder, "train/no/a.wav", 800, 5);
  put(folder, "train/yes/b.wav", 400, 7);
  put(folder, "test/yes/c.wav", 1000, 9);
  put(folder, "test/no/d.wav", 1600, 11, 16000);
  const std::string reference = "sound:" + folder.path().string();
  const Splits splits = open(reference).splits;
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(splits.train.info().reader,
            Json::parse(R"({"name": "sound", "classes": ["no", "yes"], "rate": 8000, "seconds": 0.1})"));
  EXPECT_EQ(values_of(splits.train.column("length")), (std::vector<std::int64_t>{800, 400}));
  const at::Tensor second = splits.train.column("input")[1];
  EXPECT_EQ(second.scalar_type(), at::kShort);
  EXPECT_TRUE(at::equal(second, at::cat({at::full({400}, 7, at::kShort), at::zeros({400}, at::kShort)})));
  EXPECT_EQ(values_of(splits.test.labels()), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(values_of(splits.test.column("length")), (std::vector<std::int64_t>{800, 800}));
  EXPECT_EQ(splits.test.column("input")[0][400].item<int>(), 11);  // resampled
  // Decoded at each use, the same.
  const Splits lazy = open(reference + "?memory=0").splits;
  EXPECT_TRUE(lazy.train.decodes() && !splits.train.decodes());
  EXPECT_TRUE(at::equal(lazy.test.gather(long_tensor({1, 0})).input(), splits.test.column("input").flip(0)));
  EXPECT_EQ(values_of(lazy.test.column("length")), (std::vector<std::int64_t>{800, 800}));
  // Longer sound keeps its middle.
  const auto ramp = at::arange(100, at::kShort);
  write_wav(folder.path() / "train/no/ramp.wav", ramp, 8000);
  const Dataset cut = open(reference + "?seconds=0.0025").splits.train;
  EXPECT_TRUE(at::equal(cut.column("input")[1], ramp.narrow(0, 40, 20)));
}

TEST(SoundFiles, ListsAndTwoChannels) {
  const Folder folder;
  write_wav(folder.path() / "a.wav", at::tensor({100, 200, 300, 400}, at::kShort).view({2, 2}), 8000);
  put(folder, "b.wav", 2, 5);
  const auto list = folder.write("list.csv", "path,word\na.wav,hi\nb.wav,ho\n../c.wav,hi\n");
  const auto [splits, problems] = open("sound:" + list.string() + "?target=word");
  EXPECT_TRUE(at::equal(splits.train.column("input")[0], at::tensor({200, 300}, at::kShort)));
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"hi", "ho"}));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].where, list.string() + ":4");
}

TEST(SoundFiles, BadFilesAreToldAndLeftOut) {
  const Folder folder;
  put(folder, "a/good.wav", 800, 5);
  put(folder, "b/good.wav", 800, 5);
  write_wav(folder.path() / "b/slow.wav", at::ones({60}, at::kShort), 10);
  folder.write("b/lies.wav", [&] {
    std::string bytes = read_maybe_gzip(folder.path() / "b/good.wav", 1 << 20);
    return bytes.substr(0, bytes.size() / 2);
  }());
  folder.write("b/text.wav", "no sound");
  folder.write("b/song.mp3", "ID3");
  fs::create_directories(folder.path() / "c");
  const std::string reference = "sound:" + folder.path().string();
  const auto [splits, problems] = open(reference);
  EXPECT_EQ(splits.train.column("input").sizes(), at::IntArrayRef({2, 800}));
  std::string all;
  for (const auto& p : problems) all += p.where + ": " + p.expected + ", " + p.found + "\n";
  for (const char* part : {"lies.wav: 1600 bytes of samples, as its header says", "text.wav: a WAV or FLAC file",
                           "song.mp3: a WAV or FLAC file", "\"c\"", "slow.wav: a rate that differs from 8000 Hz"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
  }
  EXPECT_EQ(problems.size(), 5u);
  expect_error<DataError>([&] { data::open(data::parse_reference(reference), {.strict = true}); }, {"expected"});
  const Folder empty;
  expect_error<DataError>([&] { data::open("sound:" + empty.path().string()); }, {"sound (.wav, .flac)", "none"});
}

const TensorFile& reference() {
  static const TensorFile file = read_safetensors("tests/parity/mel.safetensors");
  return file;
}

at::Tensor apply(const Preprocess& preprocess, const at::Tensor& sound) {
  Fields fields;
  fields.set("input", sound);
  preprocess.apply(fields);
  return fields.input();
}

// Where the sound is loud, logarithms agree to float32's rounding of 257 products. Beside it, a transform of N values
// leaves an error in each of about 2⁻²⁴ log₂ N of the largest, in the root of the energy.
TEST(LogMel, AgreesWithItsDefinition) {
  const at::Tensor sounds = reference().tensors.at("input");
  const std::pair<const char*, Json> cases[] = {{"slaney", {{"rate", 16000}, {"standardise", "none"}}},
                                                {"htk",
                                                 {{"rate", 16000},
                                                  {"window", 512},
                                                  {"hop", 128},
                                                  {"mels", 23},
                                                  {"low", 60},
                                                  {"high", 7600},
                                                  {"filters", "htk"},
                                                  {"log", "log10"},
                                                  {"floor", 1e-6},
                                                  {"standardise", "none"}}}};
  for (const auto& [name, options] : cases) {
    Json spec = {{"name", "log_mel"}};
    spec.update(options);
    const at::Tensor image = apply(Preprocess::from_json(Json::array({spec})), sounds);
    const at::Tensor wanted = reference().tensors.at(name).unsqueeze(1);
    ASSERT_EQ(image.sizes(), wanted.sizes()) << name;
    const bool natural = std::string(name) == "slaney";
    auto root = [&](const at::Tensor& log) { return log.to(at::kDouble).mul((natural ? 1 : std::log(10)) / 2).exp(); };
    const at::Tensor loudest = root(wanted).amax(2, /*keepdim=*/true);
    const at::Tensor error = (root(image) - root(wanted)).abs();
    EXPECT_TRUE(error.le(loudest * (9 * std::ldexp(1, -24)) + root(wanted) * std::ldexp(257, -24)).all().item<bool>())
        << name;
    EXPECT_LT((image - wanted).abs().mean().item<double>(), std::ldexp(257, -23)) << name;
    EXPECT_EQ(image.min().item<float>(), wanted.min().item<float>()) << name;  // the floor, for silence
  }
}

TEST(LogMel, FitsRateAndMoments) {
  Fields fields;
  fields.set("input", reference().tensors.at("input"));
  fields.set("length", long_tensor({2000, 2000, 900}));
  DatasetInfo info;
  info.reader = {{"name", "sound"}, {"rate", 16000}};
  const Dataset train = Dataset::from_tensors(fields, info);
  for (const char* kind : {"global", "mel"}) {
    const Preprocess fitted = Preprocess::fit({{"log_mel", {{"standardise", kind}}}}, train);
    EXPECT_EQ(fitted.json()[1].at("rate"), 16000);
    EXPECT_EQ(fitted.json()[1].at("mean").size(), std::string(kind) == "mel" ? 40u : 1u);
    EXPECT_FALSE(fitted.raw_shape({1, 40, 13}));
    Fields batch = train.all();
    Preprocess::from_json(fitted.json()).apply(batch);
    EXPECT_EQ(values_of(batch["length"]), (std::vector<std::int64_t>{13, 13, 6}));
    const at::Tensor image = batch.input().to(at::kDouble);
    const at::Tensor mean = std::string(kind) == "mel" ? image.mean({0, 1, 3}) : image.mean();
    const at::Tensor square = std::string(kind) == "mel" ? image.square().mean({0, 1, 3}) : image.square().mean();
    EXPECT_LT(mean.abs().max().item<double>(), 1e-5);
    EXPECT_LT((square - 1).abs().max().item<double>(), 1e-5);
  }
}

TEST(LogMel, RefusesWhatItCannotDo) {
  testing::expect_fields_cover<transforms::LogMel::Options>();
  testing::expect_defaults_round_trip<transforms::LogMel::Options>();
  auto refused = [](const Json& options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { registry<Transform>().make({"log_mel", options}); }, parts);
  };
  refused({{"window", 600}}, {"log_mel.window", "at most fft, 512", "600"});
  refused({{"rate", 16000}, {"mels", 200}}, {"log_mel.mels", "wider than a bin of 31.25 Hz", "fewer mels"});
  refused({{"rate", 8000}, {"high", 5000}}, {"log_mel.high", "half the rate, 4000", "5000"});
  refused({{"mean", {1, 2}}, {"std", {1, 2}}}, {"log_mel.mean", "1 entries", "2"});
  refused({{"mean", {1}}}, {"log_mel.mean", "as many entries as std has"});
  Fields fields;
  fields.set("input", at::zeros({2, 800}));
  const Dataset bare = Dataset::from_tensors(fields);
  expect_error<ConfigError>([&] { Preprocess::fit({{"log_mel"}}, bare); }, {"log_mel.rate", "the data do not tell"});
  const Preprocess unfitted = Preprocess::from_json(Json::array({{{"name", "log_mel"}, {"rate", 8000}}}));
  expect_error<ConfigError>([&] { unfitted.apply(fields); }, {"mean and std", "neither"});
  fields.set("input", at::zeros({2, 1, 800}));
  expect_error<DataError>([&] { unfitted.apply(fields); }, {"input (N, S)", "(2, 1, 800)"});
}

}  // namespace
}  // namespace vaetl::sound_test
