#include "vaetl/data/check.hpp"

#include <ATen/ATen.h>

#include "tests/data/support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/check/near_pictures.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/packed.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::check_test {
namespace {

using namespace testing;
using data::Finding;

at::Tensor noise(std::int64_t count, std::int64_t channels, std::int64_t side, std::uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randint(0, 256, {count, channels, side, side}, generator, at::kByte);
}

// Pictures with structure at many scales, so that some come near others.
at::Tensor smooth(std::int64_t count, std::int64_t channels, std::int64_t side, std::uint64_t seed) {
  const at::Tensor coarse = noise(count, channels, 4, seed).to(at::kFloat);
  return at::upsample_bilinear2d(coarse, {side, side}, /*align_corners=*/true).round().to(at::kByte);
}

Dataset labelled(const at::Tensor& input, std::vector<std::int64_t> labels, std::vector<std::string> classes) {
  Fields fields;
  fields.set("input", input);
  fields.set("target", long_tensor(std::move(labels)));
  return Dataset::from_tensors(fields, {.classes = std::move(classes)});
}

Splits splits_of(const Dataset& train, const Dataset& test) {
  return {train, readers::none_of(train, "validation"), test};
}

const Finding* find(const std::vector<Finding>& findings, const std::string& kind, const std::string& split = {}) {
  for (const Finding& finding : findings) {
    if (finding.kind == kind && (split.empty() || finding.split == split)) return &finding;
  }
  return nullptr;
}

std::vector<std::string> kinds(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) names.push_back(finding.kind);
  return names;
}

TEST(Check, EqualPicturesConflictsAndLeaks) {
  at::Tensor train = noise(6, 1, 8, 1), test = noise(4, 1, 8, 2);
  train[3].copy_(train[1]);  // the same label
  train[5].copy_(train[0]);  // another label
  test[2].copy_(train[4]);
  const auto findings =
      data::check(splits_of(labelled(train, {0, 1, 0, 1, 0, 1}, {"a", "b"}), labelled(test, {0, 1, 0, 1}, {"a", "b"})));
  EXPECT_EQ(kinds(findings), (std::vector<std::string>{"conflicts", "leaks", "duplicates"}));
  const Finding* duplicates = find(findings, "duplicates", "train");
  EXPECT_EQ(duplicates->count, 2);
  EXPECT_FALSE(duplicates->error);
  ASSERT_EQ(duplicates->examples.size(), 2u);
  EXPECT_EQ(duplicates->examples[0][0].index, 0);
  EXPECT_EQ(duplicates->examples[0][1].index, 5);
  EXPECT_EQ(duplicates->examples[1][1].index, 3);
  EXPECT_EQ(find(findings, "conflicts")->count, 1);
  EXPECT_EQ(find(findings, "conflicts")->examples[0][1].index, 5);
  const Finding* leak = find(findings, "leaks", "train, test");
  ASSERT_NE(leak, nullptr);
  EXPECT_TRUE(leak->error);
  EXPECT_EQ(leak->examples[0][0].index, 4);
  EXPECT_EQ(leak->examples[0][1].index, 2);
  EXPECT_EQ(leak->examples[0][1].split, "test");
}

TEST(Check, EqualRowsOfATableAreWarnings) {
  const at::Tensor rows = at::tensor({1.0f, 2.0f, 1.0f, 3.0f, 1.0f, 2.0f, 1.0f, 4.0f}).view({4, 2});
  const auto train = labelled(rows, {0, 1, 1, 0}, {"a", "b"});
  const auto findings = data::check(splits_of(train, labelled(rows.narrow(0, 0, 2), {0, 1}, {"a", "b"})));
  for (const char* kind : {"duplicates", "conflicts", "leaks"}) {
    ASSERT_NE(find(findings, kind), nullptr) << kind;
    EXPECT_FALSE(find(findings, kind)->error) << kind;
  }
  ASSERT_NE(find(findings, "constant_columns"), nullptr);
  EXPECT_EQ(find(findings, "constant_columns")->text, "columns with one value in every example: 0");
}

TEST(Check, LabelsAndValues) {
  const at::Tensor rows = at::arange(404, at::kFloat).view({404, 1});
  std::vector<std::int64_t> labels(404, 0);
  labels[0] = 1, labels[1] = 2, labels[2] = 2, labels[3] = 2;
  const std::vector<std::string> classes = {"many", "one", "three", "none"};
  at::Tensor bad = rows.narrow(0, 0, 3).clone() + 0.5;
  bad[0] = INFINITY, bad[1] = NAN;
  const auto findings = data::check(splits_of(labelled(rows, labels, classes), labelled(bad, {0, 0, 2}, classes)));
  EXPECT_EQ(find(findings, "absent_class", "train")->text, "no example of none");
  EXPECT_TRUE(find(findings, "absent_class", "train")->error);
  EXPECT_FALSE(find(findings, "absent_class", "test")->error);
  EXPECT_EQ(find(findings, "few_examples", "train")->text, "a single example of one");
  EXPECT_EQ(find(findings, "imbalance")->count, 400);
  EXPECT_EQ(find(findings, "not_finite", "test")->count, 1);  // NaN is a missing value of a table
  EXPECT_EQ(find(findings, "missing", "test")->count, 1);
}

std::vector<std::int64_t> rows_of(const Finding* finding) {
  std::vector<std::int64_t> rows;
  if (finding == nullptr) return rows;
  for (const auto& group : finding->examples) rows.push_back(group.at(0).index);
  return rows;
}

TEST(Check, SaysWhichRowsHaveBadValues) {
  at::Tensor rows = at::rand({400, 3});
  for (const std::int64_t i : {7, 9, 100, 200, 300, 399}) rows[i].fill_(NAN);
  rows[17][1] = -INFINITY;
  auto findings = data::check(splits_of(labelled(rows, std::vector<std::int64_t>(400, 0), {"a"}),
                                        labelled(rows.narrow(0, 0, 9), std::vector<std::int64_t>(9, 0), {"a"})));
  EXPECT_EQ(find(findings, "not_finite")->text, "1 values of \"input\" are NaN or infinite");
  EXPECT_EQ(rows_of(find(findings, "not_finite", "train")), (std::vector<std::int64_t>{17}));
  EXPECT_EQ(find(findings, "missing", "train")->text, "18 values are missing, in the columns 0, 1, 2");
  EXPECT_EQ(find(findings, "missing", "train")->count, 6);
  EXPECT_EQ(rows_of(find(findings, "missing", "train")), (std::vector<std::int64_t>{7, 9, 100, 200, 300}));
  EXPECT_EQ(rows_of(find(findings, "missing", "test")), (std::vector<std::int64_t>{7}));
  EXPECT_EQ(find(findings, "out_of_range"), nullptr);

  // Token ids that the vocabulary lacks, in a large set that is visited part by part.
  constexpr std::int64_t many = 300000;
  DatasetInfo info;
  info.fields["input"] = {{20}, at::kInt, 0, 49};
  Fields fields;
  at::Tensor ids = at::randint(0, 50, {many, 20}, at::kInt);
  ids[3][19] = 50, ids[3][0] = 51, ids[many - 1][7] = -1;
  fields.set("input", ids);
  const Dataset tokens = Dataset::from_tensors(fields, info);
  findings = data::check(splits_of(tokens, readers::none_of(tokens, "test")), {.near = false});
  ASSERT_NE(find(findings, "out_of_range"), nullptr);
  EXPECT_TRUE(find(findings, "out_of_range")->error);
  EXPECT_EQ(find(findings, "out_of_range")->count, 2);
  EXPECT_EQ(find(findings, "out_of_range")->text, "3 values of \"input\" lie outside 0 … 49");
  EXPECT_EQ(rows_of(find(findings, "out_of_range")), (std::vector<std::int64_t>{3, many - 1}));
}

TEST(Check, NothingIsFoundInSoundData) {
  const auto findings = data::check(splits_of(labelled(noise(20, 3, 8, 1), std::vector<std::int64_t>(20, 0), {"a"}),
                                              labelled(noise(20, 3, 8, 2), std::vector<std::int64_t>(20, 0), {"a"})));
  EXPECT_EQ(kinds(findings), std::vector<std::string>{});
}

// By the definition, in double precision.
double correlation(const at::Tensor& a, const at::Tensor& b) {
  const std::int64_t h = a.size(1) - 2, w = a.size(2) - 2;
  double best = -1;
  const auto unit = [](const at::Tensor& part) {
    const at::Tensor values = part.to(at::kDouble).flatten();
    const at::Tensor centred = values - values.mean();
    return centred / centred.norm();
  };
  const at::Tensor ua = unit(a.slice(1, 1, 1 + h).slice(2, 1, 1 + w));
  const at::Tensor ub = unit(b.slice(1, 1, 1 + h).slice(2, 1, 1 + w));
  for (std::int64_t dy = 0; dy < 3; ++dy) {
    for (std::int64_t dx = 0; dx < 3; ++dx) {
      const bool half = dy == 2 || (dy == 1 && dx == 2);  // the other moves are these seen from the other side
      const at::Tensor moved_a = unit(a.slice(1, dy, dy + h).slice(2, dx, dx + w));
      const at::Tensor moved_b = unit(b.slice(1, dy, dy + h).slice(2, dx, dx + w));
      if (dy == 1 && dx == 1) best = std::max(best, ua.dot(ub).item<double>());
      if (half) best = std::max({best, moved_a.dot(ub).item<double>(), moved_b.dot(ua).item<double>()});
    }
  }
  return best;
}

TEST(NearPictures, FindsWhatComparingAllWithAllFinds) {
  const at::Tensor pictures = smooth(50, 1, 9, 5);
  std::map<std::pair<std::int64_t, std::int64_t>, double> all;
  for (std::int64_t a = 0; a < 50; ++a) {
    for (std::int64_t b = a + 1; b < 50; ++b) all[{a, b}] = correlation(pictures[a], pictures[b]);
  }
  for (const double limit : {0.7, 0.85}) {
    const auto pairs = data::near_pictures(pictures, limit).pairs;
    for (const auto& pair : pairs) EXPECT_NEAR(pair.correlation, all.at({pair.a, pair.b}), 1e-9);
    const auto expected = std::count_if(all.begin(), all.end(), [&](const auto& each) { return each.second >= limit; });
    EXPECT_EQ(static_cast<std::ptrdiff_t>(pairs.size()), expected) << limit;
    EXPECT_GT(expected, 0) << limit;
  }
}

std::set<std::int64_t> twins(const at::Tensor& originals, const at::Tensor& changed) {
  std::set<std::int64_t> found;
  for (const auto& pair : data::near_pictures(at::cat({originals, changed}), 0.99).pairs) {
    EXPECT_EQ(pair.b, pair.a + originals.size(0)) << "two different pictures are no twins";
    found.insert(pair.a);
  }
  return found;
}

at::Tensor brighter(const at::Tensor& pictures, double factor) {
  return pictures.to(at::kFloat).mul(factor).round().clamp(0, 255).to(at::kByte);
}

TEST(NearPictures, StoredAsJpegByPillow) {
  const TensorFile file = read_safetensors("tests/parity/near_pictures.safetensors");
  const at::Tensor pictures = file.tensors.at("pictures");
  for (const char* name : {"jpeg95", "jpeg75"}) {
    EXPECT_EQ(static_cast<std::int64_t>(twins(pictures, file.tensors.at(name)).size()), pictures.size(0)) << name;
  }
}

TEST(NearPictures, DigitsMovedAndBrighter) {
  const auto folder = shared_data("mnist");
  if (!folder) GTEST_SKIP() << "shared data are absent";
  const at::Tensor digits = data::open("idx:" + folder->string()).test.column("input").narrow(0, 0, 500).contiguous();
  const at::Tensor moved = at::roll(digits, {1, -1}, {2, 3});
  for (const at::Tensor& changed : {moved, brighter(digits, 1.05), brighter(digits, 0.95)}) {
    EXPECT_EQ(twins(digits, changed).size(), 500u);
  }
}

TEST(NearPictures, ManyEqualOnesEndTheSearch) {
  const auto found = data::near_pictures(smooth(1, 1, 9, 3).expand({600, 1, 9, 9}), 0.99);
  EXPECT_LE(found.pairs.size(), 5u * 8 * 600);
  EXPECT_TRUE(data::near_pictures(at::zeros({50, 1, 9, 9}, at::kByte), 0.99).pairs.empty());
}

TEST(Check, NearPicturesOfBothSplits) {
  at::Tensor train = smooth(30, 3, 40, 11), test = smooth(10, 3, 40, 12);  // larger than what is compared
  train[7].copy_(brighter(train[2], 0.95));
  test[4].copy_(brighter(train[20], 1.02));
  const std::vector<std::int64_t> many(30, 0), few(10, 0);
  const auto splits = splits_of(labelled(train, many, {"a"}), labelled(test, few, {"a"}));
  const auto findings = data::check(splits);
  ASSERT_EQ(kinds(findings), (std::vector<std::string>{"near_duplicates", "near_leaks"}));
  EXPECT_EQ(findings[0].examples[0][0].index, 2);
  EXPECT_EQ(findings[0].examples[0][1].index, 7);
  EXPECT_EQ(findings[1].split, "train, test");
  EXPECT_EQ(findings[1].examples[0][1].index, 4);
  EXPECT_TRUE(data::check(splits, {.near = false}).empty());
}

TEST(Check, ConstantPicturesAreNotNearEachOther) {
  at::Tensor pictures = noise(10, 1, 8, 4);
  pictures[3].fill_(0), pictures[6].fill_(255);
  const auto findings = data::check(splits_of(labelled(pictures, std::vector<std::int64_t>(10, 0), {"a"}),
                                              labelled(noise(2, 1, 8, 5), {0, 0}, {"a"})));
  ASSERT_EQ(kinds(findings), std::vector<std::string>{"constant_pictures"});
  EXPECT_EQ(findings[0].count, 2);
}

TEST(Check, TextsThatDifferInSignsAndUnknownWords) {
  const Folder folder;
  const auto file =
      folder.write("train.tsv", "a\tHello, World!\na\thello world\nb\tsomething else\nb\tsomething else\n");
  folder.write("test.tsv", "a\tHELLO WORLD...\nb\tsomething else\nb\tnever seen words\n");
  const auto report = data::check(data::parse_reference("lines:" + file.string() + "?test=test.tsv"));
  EXPECT_EQ(find(report.findings, "duplicates", "train")->count, 1);
  EXPECT_EQ(find(report.findings, "leaks")->count, 1);
  EXPECT_EQ(find(report.findings, "near_duplicates", "train")->count, 1);
  EXPECT_EQ(find(report.findings, "near_leaks"), nullptr) << "the dots of HELLO WORLD... are an unknown word";
  EXPECT_EQ(find(report.findings, "not_compared")->count, 2);
  EXPECT_FALSE(report.passed());
}

TEST(Check, ProblemsOfReadingAreListed) {
  const Folder folder;
  const auto file = folder.write("t.csv", "x,y\n1,a\n2,b,c\n3,a\n4,b\n5,b\n");
  const auto report = data::check(data::parse_reference("csv:" + file.string() + "?target=y"));
  EXPECT_EQ(report.left_out, 1);
  EXPECT_EQ(report.examples, 4);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].where.find("t.csv:3"), std::string::npos) << report.problems[0].where;
  EXPECT_EQ(report.findings[0].kind, "left_out");
  EXPECT_FALSE(report.passed());
  expect_error<DataError>([] { data::check(data::parse_reference("csv:/nowhere/t.csv")); }, {"/nowhere/t.csv"});
}

TEST(Check, APackedFileIsHeldAgainstItsChecksums) {
  const Folder folder;
  const auto file = folder.path() / "set.packed";
  data::pack(labelled(noise(20, 1, 8, 6), std::vector<std::int64_t>(20, 0), {"a"}), file);
  const auto reference = data::parse_reference("packed:" + file.string());
  EXPECT_TRUE(data::check(reference).findings.empty());
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(-100, std::ios::end);
  const char other = static_cast<char>(stream.peek() ^ 1);
  stream.seekp(-100, std::ios::end);
  stream.put(other);
  stream.close();
  const auto report = data::check(reference);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].kind, "damaged");
  EXPECT_FALSE(report.passed());
}

TEST(Check, OfManyPicturesSomeAreCompared) {
  const auto train = labelled(smooth(40, 1, 9, 21), std::vector<std::int64_t>(40, 0), {"a"});
  const auto findings =
      data::check(splits_of(train, readers::none_of(train, "test")), {.correlation = 0.8, .most_pictures = 30});
  ASSERT_NE(find(findings, "near_duplicates"), nullptr);
  EXPECT_NE(find(findings, "near_duplicates")->text.find("10 pictures were not compared"), std::string::npos);
}

}  // namespace
}  // namespace vaetl::check_test
