// The small parts: text as HTML, numbers, ticks.
#include <gtest/gtest.h>

#include "vaetl/report/axis.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/metric_text.hpp"

namespace vaetl::testing::parts_test {
namespace {

TEST(Html, EscapesWhatMeansSomething) {
  EXPECT_EQ(html::escape("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(html::escape("Grüße ± 😀\n"), "Grüße ± 😀\n");
}

TEST(Html, ReplacesWhatIsNoText) {
  const std::string no = "\xef\xbf\xbd";
  EXPECT_EQ(html::escape(std::string("a\0b\x1b", 4)), "a" + no + "b" + no);
  EXPECT_EQ(html::escape("\xff\xc3"), no + no);
  EXPECT_EQ(html::escape("\xc0\xaf"), no + no);                    // an overlong slash
  EXPECT_EQ(html::escape("\xed\xa0\x80"), no + no + no);           // a surrogate
  EXPECT_EQ(html::escape("\xf4\x90\x80\x80"), no + no + no + no);  // beyond the last character
  EXPECT_EQ(html::escape("\xe2\x82"), no + no);                    // cut short
}

TEST(Html, WritesNumbersAsInPrint) {
  EXPECT_EQ(html::number(60000), "60,000");
  EXPECT_EQ(html::number(-1234567), "−1,234,567");
  EXPECT_EQ(html::number(999), "999");
  EXPECT_EQ(html::number(-241.634), "−241.6");
  EXPECT_EQ(html::number(0.0123456), "0.01235");
  EXPECT_EQ(html::number(1234.5678), "1,235");
  EXPECT_EQ(html::number(0), "0");
  EXPECT_EQ(html::decimals(0.0123), 5);
  EXPECT_EQ(html::decimals(0.514), 4);
  EXPECT_EQ(html::decimals(12345), 0);
  EXPECT_EQ(html::number(3.2e-7), "3.2e-07");
  EXPECT_EQ(html::fixed(2.449, 1, true), "+2.4");
  EXPECT_EQ(html::fixed(-0.01, 1, true), "0.0");
  EXPECT_EQ(html::fixed(12345.6, 1), "12,345.6");
  EXPECT_EQ(html::fixed(std::nan(""), 1), "not finite");
}

TEST(MetricText, WritesSharesAsPerCent) {
  EXPECT_EQ(MetricText("accuracy").value(0.72914), "72.9");
  EXPECT_EQ(MetricText("validation.accuracy").with_unit(1), "100.0\u00a0%");
  EXPECT_EQ(MetricText("elbo").with_unit(-241.634), "−241.6");
  EXPECT_EQ(MetricText("accuracy").difference(0.024), "+2.4");
  EXPECT_EQ(MetricText("elbo").difference(-3), "−3");
  EXPECT_EQ(MetricText("elbo", -241.6).value(3.25), "3.2");
  EXPECT_EQ(MetricText("cross_entropy", 0.86).value(0.0123), "0.0123");
}

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> result;
  for (const auto& tick : axis.ticks()) result.push_back(tick.label);
  return result;
}

TEST(Axis, TicksAtRoundNumbers) {
  EXPECT_EQ(labels(Axis::round(0, 2350, 0, 100, 5)), (std::vector<std::string>{"0", "500", "1,000", "1,500", "2,000"}));
  EXPECT_EQ(labels(Axis::round(0.31, 0.74, 0, 100, 5)), (std::vector<std::string>{"0.4", "0.5", "0.6", "0.7"}));
  EXPECT_EQ(labels(Axis::round(-20000, 20000, 0, 100, 4)),
            (std::vector<std::string>{"−20k", "−10k", "0", "10k", "20k"}));
  const Axis axis = Axis::round(10, 30, 200, 100, 5);
  EXPECT_EQ(axis.place(10), 200);
  EXPECT_EQ(axis.place(15), 175);
}

TEST(Axis, OneValueHasRoomAroundIt) {
  const Axis axis = Axis::round(5, 5, 0, 100, 5);
  EXPECT_NEAR(axis.place(5), 50, 1e-9);
  EXPECT_GE(axis.ticks().size(), 2u);
}

TEST(Axis, TicksAtValuesKeepClearOfEachOther) {
  const Axis axis = Axis::at_values({1, 10, 11, 100}, true, 0, 400);
  EXPECT_EQ(labels(axis), (std::vector<std::string>{"1", "10", "100"}));
  EXPECT_EQ(axis.place(1), 0);
  EXPECT_NEAR(axis.place(10), 200, 1e-9);
  EXPECT_EQ(labels(Axis::at_values({7}, false, 0, 400)), std::vector<std::string>{"7"});
}

}  // namespace
}  // namespace vaetl::testing::parts_test
