#include "report/support.hpp"

namespace vaetl::testing::run_page_test {
namespace {

TEST(RunPage, TellsWhatWasTrainedAndTheResult) {
  const TemporaryFolder parent;
  const Page page = check(render_report({write_run(parent, "a", run_json())}));
  EXPECT_TRUE(page.shows("conv_vae trained on 60,000 examples of fashion-mnist for 10 epochs (2,350 steps) in 1m23s."));
  EXPECT_TRUE(page.shows("Result: elbo −241.6, accuracy 72.9 %."));
  for (const char* part :
       {"1,068,129", "612 MB", "7,212", "10,000 test examples.", "vaetl-train small-vae.json --out runs/a",
        "\"open\": \"fashion-mnist\"", "stem 320 frozen"}) {
    EXPECT_TRUE(page.shows(part)) << part << " in " << page.text;
  }
}

// loss: train and validation; accuracy: validation alone.
TEST(RunPage, DrawsOneLineASeries) {
  const TemporaryFolder parent;
  Page page = check(render_report({write_run(parent, "a", run_json())}));
  EXPECT_EQ(page.count["polyline"], 3);
  EXPECT_TRUE(page.shows("accuracy (validation)"));
  page = check(render_report({write_run(parent, "b", run_json(), "{\"step\":1,\"loss\":2}\n")}));
  EXPECT_EQ(page.count["polyline"], 0);
  EXPECT_EQ(page.count["path"], 1);
}

TEST(RunPage, TheLossOfASingleTermIsDrawnOnce) {
  const TemporaryFolder parent;
  const std::string log = "{\"step\":1,\"loss\":2,\"contrast\":2}\n{\"step\":2,\"loss\":1,\"contrast\":1}\n";
  Page page = check(render_report({write_run(parent, "a", run_json(), log)}));
  EXPECT_EQ(page.count["polyline"], 1);
  EXPECT_TRUE(page.shows("Training contrast"));
}

TEST(RunPage, AScheduleIsDrawnWhereThereIsOne) {
  const TemporaryFolder parent;
  const std::string first = "{\"step\":1,\"lr_factor\":1}\n";
  const std::string flat =
      render_report({write_run(parent, "a", run_json(), first + "{\"step\":2,\"lr_factor\":1}\n")});
  EXPECT_EQ(flat.find("lr_factor"), std::string::npos);
  const std::string curved =
      render_report({write_run(parent, "a", run_json(), first + "{\"step\":2,\"lr_factor\":0.5}\n")});
  EXPECT_EQ(check(curved).count["polyline"], 1);
}

// Of a thousand points a drawing shows means of neighbours; a step told twice counts once, as told last.
TEST(RunPage, ThinsLongCurvesAndKeepsTheLastWord) {
  const TemporaryFolder parent;
  std::string log;
  for (int step = 1; step <= 1000; ++step) log += fmt::format("{{\"step\":{},\"loss\":{}}}\n", step, 2000.0 / step);
  const std::string page = render_report({write_run(parent, "a", run_json(), log)});
  const std::size_t begin = page.find("points=\"");
  const std::string points = page.substr(begin, page.find('"', begin + 8) - begin);
  EXPECT_EQ(std::count(points.begin(), points.end(), ','), 300);
  const std::string first = "{\"step\":1,\"loss\":5}\n", second = "{\"step\":2,\"loss\":6}\n";
  const std::string once = render_report({write_run(parent, "b", run_json(), first + second)});
  const std::string twice =
      render_report({write_run(parent, "b", run_json(), "{\"step\":1,\"loss\":9}\n" + first + second)});
  EXPECT_EQ(once, twice);
}

TEST(RunPage, ShowsPicturesWithTheirCaptions) {
  const TemporaryFolder parent;
  const std::string folder = write_run(parent, "a", run_json());
  for (const char* name : {"a_last", "samples", "uncaptioned"}) {
    write_png(folder + "/pictures/" + name + ".png", at::zeros({4, 6}, at::kByte));
  }
  parent.file("a/pictures/captions.json",
              R"({"samples.png": "From <noise>", "a_last.png": "Second", "gone.png": "Gone"})");
  const std::string html = render_report({folder});
  Page page = check(html);
  EXPECT_EQ(page.count["img"], 3);
  EXPECT_NE(html.find("width=\"6\" height=\"4\" alt=\"From &lt;noise&gt;\""), std::string::npos);
  EXPECT_TRUE(page.shows("From <noise> Second uncaptioned"));
  EXPECT_FALSE(page.shows("Gone"));
}

TEST(RunPage, TellsOfTransferInterruptionAndResumption) {
  const TemporaryFolder parent;
  Json run = run_json();
  run["status"] = "interrupted";
  run["resumed_from"] = 1200;
  run["transfer"] = {{"from", "zoo:small-vae"}, {"report", "stem    loaded <all>\nhead    initialised"}};
  const std::string html = render_report({write_run(parent, "a", run)});
  Page page = check(html);
  EXPECT_TRUE(page.shows("conv_vae, adapted from zoo:small-vae and trained on"));
  EXPECT_TRUE(page.shows("This run was interrupted; it can be resumed. Resumed from step 1,200."));
  EXPECT_NE(html.find("stem    loaded &lt;all&gt;\nhead    initialised"), std::string::npos);
}

TEST(RunPage, LeavesOutWhatIsMissing) {
  const TemporaryFolder parent;
  make_folder_in(parent, "bare");
  parent.file("bare/run.json", "{}");
  const Page page = check(render_report({parent.path() + "/bare/"}));
  EXPECT_EQ(page.text, "bare A model trained.");
}

TEST(RunPage, EscapesEverything) {
  const TemporaryFolder parent;
  const std::string hostile = "<script>alert('1')</script>&\"\x01";
  Json run = run_json();
  run["name"] = hostile;
  run["command"] = hostile;
  run["metrics"] = {{hostile, 1.5}};
  run["model"] = {{"name", hostile}, {"groups", {{{"name", hostile}}}}};
  run["data"] = {{"name", hostile}, {"licence", hostile}};
  run["transfer"] = {{"from", hostile}, {"report", hostile}};
  run["device"] = hostile;
  const std::string log = Json{{"step", 1}, {hostile, 2}}.dump() + "\n" + Json{{"step", 2}, {hostile, 1}}.dump();
  const std::string folder = write_run(parent, "a", run, log);
  write_png(folder + "/pictures/a.png", at::zeros({2, 2}, at::kByte));
  parent.file("a/pictures/captions.json", Json{{"a.png", hostile}}.dump());
  const std::string html = render_report({folder, folder}, hostile);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_TRUE(check(html).shows("<script>alert('1')</script>&\"\xef\xbf\xbd"));
}

TEST(RunPage, NamesOfFilesNeedNotBeText) {
  const TemporaryFolder parent;
  const std::string folder = make_folder_in(parent, "caf\xe9");
  parent.file("caf\xe9/run.json", "{}");
  write_png(folder + "/pictures/\xff<b>.png", at::zeros({2, 2}, at::kByte));
  EXPECT_TRUE(check(render_report({folder})).shows("caf\xef\xbf\xbd"));
}

TEST(RunPage, ATornLastLineIsPassedOver) {
  const TemporaryFolder parent;
  const std::string whole = render_report({write_run(parent, "a", run_json())});
  EXPECT_EQ(render_report({write_run(parent, "a", run_json(), std::string(log_lines) + "{\"epoch\":3,\"st")}), whole);
  auto render = [&](const std::string& log) { render_report({write_run(parent, "a", run_json(), log)}); };
  expect_error<FileError>([&] { render("{\"step\":1}\n{\"step\":\n{\"step\":3}\n"); }, {"metrics.jsonl, line 2"});
  expect_error<FileError>([&] { render("{\"step\":1}\n\n[]\n"); }, {"metrics.jsonl", "an object", "an array"});
}

// By number, not by name; of many, six from the first to the last.
TEST(RunPage, PicturesOfEpochs) {
  const TemporaryFolder parent;
  const std::string folder = write_run(parent, "a", run_json());
  for (int epoch = 1; epoch <= 11; ++epoch) {
    write_png(folder + "/pictures/epoch-" + std::to_string(epoch) + ".png", at::zeros({2, 2}, at::kByte));
  }
  const std::string page = render_report({folder}, "Run");
  std::vector<std::size_t> places;
  for (const int epoch : {1, 3, 5, 7, 9, 11}) {
    places.push_back(page.find("After epoch " + std::to_string(epoch) + "."));
    EXPECT_NE(places.back(), std::string::npos) << epoch;
  }
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
  EXPECT_EQ(page.find("After epoch 2."), std::string::npos);
  EXPECT_EQ(page.find("After epoch 10."), std::string::npos);
}

}  // namespace
}  // namespace vaetl::testing::run_page_test
