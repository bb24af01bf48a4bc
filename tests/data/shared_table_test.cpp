// Every known set of the shared test data, opened by its name, against numbers that others computed: INDEX.md of the
// shared data and tests/parity/data_sets.json. The table in docs/data-sets.md is what this test finds:
// VAETL_WRITE_DOCS=1 writes it anew.
#include "support.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/fetch.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl::shared_table_test {
namespace {

using testing::Environment;
using Counts = std::vector<std::int64_t>;

struct Part {
  std::int64_t count = 0;
  Counts classes = {};
  std::optional<double> mean = {};  // of the values of all inputs; none of token ids
};

struct Found {
  std::map<std::string, Part> parts = {};  // train, test, and all of both
  std::string example = {};
  std::int64_t vocabulary = 0, window = 0;
};

Counts counts_of(const Dataset& data) {
  const bool labels = data.has("target") && data.info().fields.at("target").shape.empty() && data.classes() > 0;
  return labels ? testing::values_of(at::bincount(data.labels(), {}, data.classes())) : Counts{};
}

// Sum and number of values, without missing ones and without padding.
std::pair<double, double> sum_of(const Dataset& data) {
  if (data.size() == 0) return {0, 0};
  const at::Tensor input = data.column("input");
  if (!at::isFloatingType(input.scalar_type())) return {input.sum(at::kDouble).item<double>(), input.numel()};
  const at::Tensor there = input.isnan().logical_not();
  const double sum = at::nansum(input, at::OptionalIntArrayRef(), false, at::kDouble).item<double>();
  if (!data.has("length")) return {sum, there.sum().item<double>()};
  return {sum, data.column("length").sum().item<double>() * static_cast<double>(input.size(2))};
}

std::string example_of(const Dataset& data) {
  const at::Tensor input = data.gather(at::zeros({1}, at::kLong)).input();
  std::string shape;
  for (const std::int64_t size : input.sizes().slice(1)) shape += (shape.empty() ? "" : " × ") + std::to_string(size);
  const bool ids = input.scalar_type() == at::kInt;
  return shape + (ids ? " token ids" : input.scalar_type() == at::kByte ? " uint8" : " float32");
}

Found look_at(const Splits& splits) {
  Found found{.parts = {}, .example = example_of(splits.train)};
  double sum = 0, values = 0;
  for (const auto& [name, data] : {std::pair{"train", splits.train}, std::pair{"test", splits.test}}) {
    Part part{.count = data.size(), .classes = counts_of(data), .mean = {}};
    const auto [s, n] = sum_of(data);
    if (n > 0 && !found.example.ends_with("ids")) part.mean = s / n;
    Part& all = found.parts["all"];
    all.count += part.count;
    all.classes.resize(part.classes.size());
    for (std::size_t c = 0; c < part.classes.size(); ++c) all.classes[c] += part.classes[c];
    if (part.mean) all.mean = (sum += s) / (values += n);
    found.parts[name] = std::move(part);
  }
  const Json& reader = splits.train.info().reader;
  if (reader.is_object() && reader.contains("vocabulary")) {
    found.vocabulary = static_cast<std::int64_t>(reader["vocabulary"].size());
    found.window = reader.value("window", std::int64_t{0});
  }
  return found;
}

// All that can be found below the shared data, read once.
const std::map<std::string, Found>& found_sets() {
  static const std::map<std::string, Found> found = [] {
    const auto root = testing::shared_data(".");
    std::map<std::string, Found> result;
    if (!root) return result;
    const Environment data("VAETL_DATA", std::filesystem::absolute(*root).lexically_normal().string());
    const Environment home("XDG_DATA_HOME", "/nowhere");
    for (const auto& set : data::known_sets()) {
      if (data::locate(set)) result[set.name] = look_at(data::open(set.name));
    }
    return result;
  }();
  return found;
}

// INDEX.md of the shared data.
const std::map<std::string, std::pair<Counts, Counts>> stated = {
    {"mnist",
     {{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
      {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}}},
    {"fashion-mnist", {Counts(10, 6000), Counts(10, 1000)}},
    {"usps",
     {{1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644}, {359, 264, 198, 166, 200, 160, 170, 147, 166, 177}}},
    {"cifar10-jpeg", {Counts(10, 5000), Counts(10, 1000)}},
    {"cifar10-first4000", {{396, 366, 420, 384, 422, 393, 414, 385, 407, 413}, {}}},
    {"hymenoptera", {{123, 121}, {70, 83}}},
    {"trec", {{1162, 1250, 86, 1223, 835, 896}, {138, 94, 9, 65, 81, 113}}},
    {"ecg5000", {{292, 177, 10, 19, 2}, {2626, 1590, 86, 175, 22}}},
    {"adult", {{24720, 7841}, {12435, 3846}}}};

const Json& reference() {
  static const Json json = Json::parse(read_file("tests/parity/data_sets.json"));
  return json;
}

TEST(SharedTable, WhatTheSetsHoldIsWhatOthersComputed) {
  if (found_sets().empty()) GTEST_SKIP() << "no data under VAETL_TEST_DATA (default ../shared/data)";
  const Json& expected = reference();
  for (const auto& [name, found] : found_sets()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(expected.contains(name));
    if (name == "tiny-shakespeare") {  // whole windows of each part, and the character after each
      EXPECT_GE(found.vocabulary, expected[name]["distinct"]);
      EXPECT_LE(found.vocabulary, expected[name]["distinct"].get<int>() + 2);
      const std::int64_t tokens = found.parts.at("all").count * found.window;
      EXPECT_NEAR(tokens, expected[name]["characters"].get<double>(), 2.0 * static_cast<double>(found.window) + 2);
      continue;
    }
    for (const auto& [key, part] : expected[name].items()) {
      SCOPED_TRACE(key);
      EXPECT_EQ(found.parts.at(key).count, part["count"].get<std::int64_t>());
      EXPECT_EQ(found.parts.at(key).classes, part["classes"].get<Counts>());
      ASSERT_EQ(found.parts.at(key).mean.has_value(), !part["mean"].is_null());
      // The reference has six digits; float32 inputs bear 2⁻²⁴ each. Resized pictures are those of another program.
      const double mean = part["mean"].is_null() ? 0 : part["mean"].get<double>();
      const double bound = name == "hymenoptera" ? 0.05 : 1e-6 + 1e-7 * std::abs(mean);
      EXPECT_NEAR(found.parts.at(key).mean.value_or(0), mean, bound);
    }
  }
}

TEST(SharedTable, CountsAreThoseStated) {
  if (found_sets().empty()) GTEST_SKIP() << "no data under VAETL_TEST_DATA (default ../shared/data)";
  for (const auto& [name, counts] : stated) {
    if (!found_sets().contains(name)) continue;
    const auto& parts = found_sets().at(name).parts;
    EXPECT_EQ(parts.at("train").classes, counts.first) << name;
    EXPECT_EQ(parts.at("test").classes, counts.second.empty() ? Counts(10, 0) : counts.second) << name;
  }
}

// The table of docs/data-sets.md.

std::string balance(const Counts& counts) {
  if (counts.empty()) return "–";
  if (std::set(counts.begin(), counts.end()).size() == 1) {
    return fmt::format("{} × {}", counts.size(), thousands(counts[0]));
  }
  std::vector<std::string> parts;
  for (const std::int64_t count : counts) parts.push_back(thousands(count));
  return join(parts, " · ");
}

std::string rounded(double mean) { return fmt::format("{:.3f}", std::round(mean * 1000) / 1000 + 0.0); }  // never −0

std::string source(const data::KnownSet& set) {
  if (!set.can_fetch()) return "by hand";
  const auto bytes = static_cast<double>(data::total_bytes(set));
  return bytes < 1e6 ? fmt::format("{:.0f} kB", bytes / 1e3) : fmt::format("{:.1f} MB", bytes / 1e6);
}

std::string row(const data::KnownSet& set, bool drawn) {
  const auto found = found_sets().find(set.name);
  std::string measured = "– | – | – | – | –";
  if (found != found_sets().end()) {
    const Part& part = found->second.parts.at(drawn ? "all" : "train");
    measured = fmt::format("{} | {} | {} | {} | {}", thousands(found->second.parts.at("train").count),
                           thousands(found->second.parts.at("test").count), found->second.example,
                           balance(part.classes), part.mean ? rounded(*part.mean) : "–");
  }
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", set.name, set.summary, measured, set.licence, source(set));
}

std::string table() {
  const Json& expected = reference();
  std::string text =
      "| name | what it is | train | test | an example | examples of each class | mean | licence | to fetch |\n"
      "|---|---|---:|---:|---|---|---:|---|---:|\n";
  for (const auto& set : data::known_sets()) {
    text += row(set, expected.contains(set.name) && expected[set.name].contains("all"));
  }
  return text;
}

TEST(SharedTable, TheDocumentedTableIsTheMeasuredOne) {
  const std::string path = "docs/data-sets.md", begin = "<!-- table -->\n", end = "<!-- end of table -->\n";
  for (const auto& [name, ignored] : reference().items()) {
    if (!found_sets().contains(name)) GTEST_SKIP() << "no " << name << " under VAETL_TEST_DATA (../shared/data)";
  }
  const std::string page = read_file(path);
  const auto first = page.find(begin) + begin.size(), last = page.find(end);
  ASSERT_TRUE(first <= last && last != std::string::npos);
  const std::string written = page.substr(first, last - first), measured = table();
  if (std::getenv("VAETL_WRITE_DOCS") != nullptr) {
    write_atomically(path, page.substr(0, first) + measured + page.substr(last));
  } else {
    EXPECT_EQ(written, measured) << "VAETL_WRITE_DOCS=1 writes the table anew";
  }
}

}  // namespace
}  // namespace vaetl::shared_table_test
