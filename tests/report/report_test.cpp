#include "report/support.hpp"

namespace vaetl::testing::report_test {
namespace {

TEST(Report, SeveralFoldersBeginWithAComparison) {
  const TemporaryFolder parent;
  Json other = run_json();
  other["name"] = "other";
  other["metrics"] = {{"accuracy", 0.5}, {"cross_entropy", 1.25}};
  const std::string html = render_report(
      {write_sweep(parent, "s", sweep_json()), write_run(parent, "a", run_json()), write_run(parent, "b", other)},
      "All of it");
  Page page = check(html);
  EXPECT_TRUE(page.text.starts_with("All of it")) << page.text;
  for (const char* part : {"<title>All of it</title>", "<a href=\"#part-1\">few-labels</a>", "id=\"part-3\"",
                           "elbo</th>", "accuracy (%)</th>", "cross_<wbr/>entropy</th>", "1.250</td>"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(page.count["polyline"], 2 + 3 + 3 + 3 * 2);  // of the parts, and of both runs over each other
}

TEST(Report, TheSameInputGivesTheSameBytes) {
  const TemporaryFolder parent;
  const std::vector<std::filesystem::path> folders = {write_run(parent, "a", run_json()),
                                                      write_sweep(parent, "s", sweep_json())};
  EXPECT_EQ(render_report(folders), render_report(folders));
  EXPECT_NE(render_report(folders), render_report({folders[1], folders[0]}));
}

TEST(Report, RefusesOtherFolders) {
  const TemporaryFolder parent;
  make_folder_in(parent, "empty");
  expect_error<FileError>([&] { render_report({parent.path() + "/empty"}); },
                          {"empty: expected a run folder", "neither file"});
  expect_error<FileError>([&] { render_report({parent.path() + "/absent"}); }, {"absent", "no such folder"});
  expect_error<ConfigError>([] { render_report({}); }, {"at least one"});
}

TEST(Report, NamesFileAndKeyOfWhatIsWrong) {
  const TemporaryFolder parent;
  const std::string folder = write_run(parent, "a", run_json());
  auto with = [&](const std::string& text) {
    parent.file("a/run.json", text);
    render_report({folder});
  };
  expect_error<FileError>([&] { with("{\"name\": "); }, {"run.json", "line 1"});
  expect_error<FileError>([&] { with("[]"); }, {"run.json", "expected an object", "an array"});
  expect_error<FileError>([&] { with(R"({"seconds": "long"})"); }, {"run.json: seconds", "a number", "a string"});
  expect_error<FileError>([&] { with(R"({"metrics": {"accuracy": []}})"); },
                          {"run.json: metrics: accuracy", "a number"});
  expect_error<FileError>([&] { with(R"({"model": {"groups": ["stem"]}})"); }, {"groups[0]", "an object", "a string"});
  expect_error<FileError>([&] { with(R"({"name": 3})"); }, {"run.json: name", "a string"});
  expect_error<FileError>([&] { with(std::string(100000, '[')); }, {"run.json"});
  with("{}");
  parent.file("a/pictures/not.png", "GIF89a");
  expect_error<FileError>([&] { render_report({folder}); }, {"not.png", "a PNG picture"});
}

// Numbers beyond reason neither hang nor leave the drawing.
TEST(Report, ExtremeNumbersAreDrawnOrLeftOut) {
  const TemporaryFolder parent;
  const std::string log =
      "{\"step\":1,\"loss\":1e308,\"a\":-1e99,\"b\":5}\n{\"step\":9007199254740993,\"loss\":-1e308,\"a\":1e99,\"b\":5}"
      "\n";
  Page page = check(render_report({write_run(parent, "a", run_json(), log)}));
  EXPECT_EQ(page.count["polyline"], 2);
}

}  // namespace
}  // namespace vaetl::testing::report_test
