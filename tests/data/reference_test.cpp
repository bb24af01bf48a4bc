// References as text and as JSON, what a reading leaves out, and the reader that travels with the preprocessing.
#include "vaetl/data/reference.hpp"

#include <ATen/ATen.h>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"

namespace vaetl::reference_test {
namespace {

using testing::expect_error;

Fields input_of(const at::Tensor& input) {
  Fields fields;
  fields.set("input", input);
  return fields;
}

data::Reference from(const Json& json) {
  data::Reference reference;
  Codec<data::Reference>::read(json, "data.open", reference, {});
  return reference;
}

TEST(Reference, TextHoldsNamePathAndOptions) {
  const auto plain = data::parse_reference("fashion-mnist");
  EXPECT_EQ(plain.name, "fashion-mnist");
  EXPECT_EQ(plain.path, "");
  const auto full = data::parse_reference("csv:/a:b/c.csv?target=-1&header=false&test=x y.csv&size=[2, 3]&as=\"1\"");
  EXPECT_EQ(full.name, "csv");
  EXPECT_EQ(full.path, "/a:b/c.csv");
  EXPECT_EQ(full.options, Json::parse(R"({"target":-1,"header":false,"test":"x y.csv","size":[2,3],"as":"1"})"));
  EXPECT_EQ(data::parse_reference(full.text()), full);
}

TEST(Reference, WhatTheTextUsesItselfIsEscaped) {
  const auto reference = from({{"name", "csv"}, {"path", "50%?.csv"}, {"target", "a&b=c"}, {"strip", "7"}});
  EXPECT_EQ(reference.text(), "csv:50%25%3F.csv?target=a%26b=c&strip=\"7\"");
  const auto again = data::parse_reference(reference.text());
  EXPECT_EQ(again.path, "50%?.csv");
  EXPECT_EQ(again.options, reference.options);
}

TEST(Reference, JsonIsTextOrAnObject) {
  EXPECT_EQ(from("idx:/d").path, "/d");
  EXPECT_EQ(from({{"name", "adult"}, {"target", "income"}}).text(), "adult?target=income");
  expect_error<ConfigError>([] { from(3); }, {"data.open", "KIND:PATH", "found"});
  expect_error<ConfigError>([] { from({{"path", "x"}}); }, {"data.open.name", "found none"});
  expect_error<ConfigError>([] { data::parse_reference("csv:"); }, {"a path after \"csv:\""});
  expect_error<ConfigError>([] { data::parse_reference("csv:a?target"); }, {"key=value", "\"target\"", "csv:a?target"});
  expect_error<ConfigError>([] { data::open("idx:/d?size=3"); }, {"data", "unknown key \"size\""});
}

TEST(Skips, AreToldInOrderAndFatalWhereTheReadingIsStrict) {
  std::vector<std::string> told;
  const Reading reading{.skipped = [&](const Problem& problem) { told.push_back(problem.where); }};
  Skips skips(reading);
  skips.add({"a.png", "a picture", "an empty file", {}});
  skips.add({"b.png", "a picture", "text", {}});
  EXPECT_EQ(told, (std::vector<std::string>{"a.png", "b.png"}));
  EXPECT_EQ(skips.count(), 2);
  skips.check_left(1, "folder");
  expect_error<DataError>([&] { skips.check_left(0, "folder"); }, {"a.png", "an empty file", "2 examples of folder"});
  const Reading strict{.strict = true};
  expect_error<DataError>([&] { Skips(strict).add({"a.png", "a picture", "text", {}}); }, {"a.png", "found text"});
}

TEST(HoldOut, OverlappingExamplesAreHeldOutFromTheEndWithAGap) {
  const auto data = Dataset::from_tensors(input_of(at::arange(20, at::kFloat).view({20, 1})), {.overlap = 3});
  const Parts parts = hold_out(data, 0.25, 7);
  EXPECT_EQ(testing::values_of(parts.held.all().input().to(at::kLong).flatten()),
            (std::vector<std::int64_t>{15, 16, 17, 18, 19}));
  EXPECT_EQ(parts.rest.size(), 12);  // 0 … 11: 12, 13 and 14 share values with 15
  expect_error<DataError>([&] { hold_out(data, 0.9, 0); }, {"a gap of 3", "found 20"});
  expect_error<DataError>([&] { fold(data, 0, 2, 0); }, {"windows of a series"});
}

TEST(Preprocess, CarriesHowFilesWereRead) {
  const Json reader{{"name", "csv"}, {"header", false}};
  const auto data =
      Dataset::from_tensors(input_of(at::ones({4, 2})), {.reader = reader, .preprocess = Json::array({"standardise"})});
  const Preprocess fitted = Preprocess::standard(data, {});
  EXPECT_EQ(fitted.reader(), reader);
  EXPECT_EQ(fitted.json()[0]["name"], "read");
  EXPECT_EQ(fitted.json()[1]["name"], "standardise");
  const Preprocess again = Preprocess::from_json(fitted.json());
  EXPECT_EQ(again.reader(), reader);
  Fields fields = input_of(at::ones({1, 2}));
  again.apply(fields);
  EXPECT_EQ(fields.input().abs().max().item<float>(), 0);
  EXPECT_TRUE(Preprocess().reader().is_null());
}

TEST(Preprocess, TokenIdsStayIntegers) {
  Fields fields = input_of(at::arange(6, at::kInt).view({2, 3}));
  Preprocess().apply(fields);
  EXPECT_EQ(fields.input().scalar_type(), at::kLong);
  const FieldInfo ids{{3}, at::kInt, 0, 5}, unit{{3}, at::kFloat, 0, 1};
  EXPECT_TRUE(Preprocess::standard(DatasetInfo{.fields = {{"input", ids}}}, {{{"input", unit}}}).empty());
}

}  // namespace
}  // namespace vaetl::reference_test
