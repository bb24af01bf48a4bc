// A run that goes on under other circumstances: a newer version with more options, more time.
#include <gtest/gtest.h>

#include <thread>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/recipe/folder.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::recipe::resume_later_test {
namespace {

using testing::expect_error;
using testing::file_bytes;

namespace fs = std::filesystem;

struct Sleepy final : Callback {
  void on_step(Progress& p) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    p.stop = p.step == stop_at;
  }
  std::int64_t stop_at = -1;
};

RunSettings later_settings(const fs::path& out, const std::string& resume = "auto") {
  return {.out = out, .resume = resume, .device = "cpu", .data = testing::toy_cache()};
}

TEST(ResumeLater, OptionsThatTheRunsVersionLackedHaveTheirDefaults) {
  const testing::TemporaryFolder folder;
  const fs::path out = fs::path(folder.path()) / "run";
  RunSettings cut = later_settings(out);
  const auto stop = std::make_shared<Sleepy>();
  stop->stop_at = 5;
  cut.callbacks = {stop};
  run(parse(testing::toy_recipe()), cut);
  Json old = read_json((out / "recipe.json").string());
  for (const char* option : {"keep", "on_divergence", "max_samples", "validate_at"}) old["trainer"].erase(option);
  write_run_json(out / "recipe.json", old);
  const Outcome rest = run(parse(testing::toy_recipe()), later_settings(out));
  EXPECT_EQ(rest.summary["resumed_from"], 5);
  EXPECT_EQ(rest.summary["status"], "done");
  old["trainer"]["keep"] = 3;
  write_run_json(out / "recipe.json", old);
  expect_error<ConfigError>([&] { run(parse(testing::toy_recipe()), later_settings(out)); },
                            {"another: trainer.keep: \"3\" there, \"0\" here"});
}

TEST(ResumeLater, MoreTimeIsTheSameRun) {
  const testing::TemporaryFolder folder;
  const fs::path base = folder.path();
  run(parse(testing::toy_recipe()), later_settings(base / "whole", "never"));
  Json timed = testing::toy_recipe();
  timed["trainer"]["max_minutes"] = 0.04 / 60;
  RunSettings slow = later_settings(base / "timed");
  slow.callbacks = {std::make_shared<Sleepy>()};
  const Outcome part = run(parse(timed), slow);
  EXPECT_EQ(part.summary["status"], "done");
  EXPECT_EQ(part.summary["ended"], "max_minutes");
  EXPECT_LT(part.summary["steps"], 12);
  EXPECT_TRUE(fs::exists(base / "timed" / "model"));
  EXPECT_EQ(run(parse(timed), later_settings(base / "timed")).summary["complete"], true);

  timed["trainer"]["max_minutes"] = 10;
  const Outcome rest = run(parse(timed), later_settings(base / "timed"));
  EXPECT_EQ(rest.summary["resumed_from"], part.summary["steps"]);
  EXPECT_TRUE(rest.summary["ended"].is_null());
  EXPECT_EQ(file_bytes(base / "timed" / "model" / "model.safetensors"),
            file_bytes(base / "whole" / "model" / "model.safetensors"));
}

}  // namespace
}  // namespace vaetl::recipe::resume_later_test
