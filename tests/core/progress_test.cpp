#include "vaetl/core/progress.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "vaetl/core/json.hpp"

namespace vaetl::progress_test {
namespace {

// A stream in memory that shows what was written.
class Capture {
 public:
  Capture() : stream_(open_memstream(&data_, &size_)) {}
  ~Capture() {
    std::fclose(stream_);
    std::free(data_);
  }
  std::FILE* stream() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {data_, size_};
  }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

// Both ends of a pseudo-terminal of a width.
class Terminal {
 public:
  explicit Terminal(unsigned short width) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = width;
    if (openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) throw std::runtime_error("no pseudo-terminal");
    stream_ = fdopen(slave_, "w");
  }
  ~Terminal() {
    std::fclose(stream_);
    close(master_);
  }
  std::FILE* stream() { return stream_; }

 private:
  int master_ = -1, slave_ = -1;
  std::FILE* stream_ = nullptr;
};

class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Variable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

std::size_t count(const std::string& text, char c) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), c));
}

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end; begin <= text.size(); begin = end + separator.size()) {
    end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
  }
  return parts;
}

std::string without_colour(std::string text) {
  for (const std::string code : {"\x1b[32m", "\x1b[0m", "\x1b[K", "\n"}) {
    for (auto at = text.find(code); at != text.npos; at = text.find(code)) text.erase(at, code.size());
  }
  return text;
}

constexpr ProgressStyle terminal = {.terminal = true, .colour = false, .width = 80, .plain_seconds = 10};

TEST(Duration, IsShort) {
  const std::vector<std::pair<double, std::string>> cases = {
      {0.4, "0.4s"},   {0, "0.0s"},        {-1, "0.0s"},      {9.94, "9.9s"},    {9.96, "10s"},
      {59.4, "59s"},   {59.6, "1m00s"},    {75, "1m15s"},     {3599.6, "1h00m"}, {7320, "2h02m"},
      {7199, "2h00m"}, {172700, "47h58m"}, {172800, "2d00h"}, {360000, "4d04h"}, {1e300, "11574074074d02h"},
      {INFINITY, "?"}, {NAN, "?"}};
  for (const auto& [seconds, text] : cases) EXPECT_EQ(duration(seconds), text) << seconds;
}

TEST(Progress, ATerminalShowsBarShareRateAndTimeLeft) {
  Capture out;
  ProgressBar bar("epoch 1/3", 200, "step", out.stream(), terminal);
  std::this_thread::sleep_for(std::chrono::milliseconds(210));
  bar.update(50, "loss 0.31");
  const std::string text = out.text();
  EXPECT_EQ(text.find("\repoch 1/3 ["), 0u) << text;
  for (const char* part : {"] ", " 25%  50/200 steps  ", "/s  ", " left  loss 0.31\x1b[K"}) {
    EXPECT_NE(text.find(part), text.npos) << part << " in " << text;
  }
  EXPECT_EQ(text.find("\x1b[32m"), text.npos);
  EXPECT_EQ(count(text, '\n'), 0u);
}

TEST(Progress, RedrawsAtMostTenTimesASecond) {
  Capture out;
  const auto begin = std::chrono::steady_clock::now();
  ProgressBar bar("train", 1000000, "step", out.stream(), terminal);
  std::int64_t done = 0;
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(250)) bar.update(++done);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::size_t drawn = count(out.text(), '\r');
  EXPECT_GE(drawn, 2u);
  EXPECT_LE(drawn, 1 + static_cast<std::size_t>(seconds / 0.1));
}

TEST(Progress, EveryLineFitsTheWidth) {
  const std::string notes[] = {"", "loss 0.31", std::string(300, 'n'), "ünï 日本語 日本語 日本語", "a\nb\tc"};
  for (int width : {1, 5, 20, 40, 60, 80, 200}) {
    for (const auto& note : notes) {
      Capture out;
      {
        ProgressBar bar("pretrain", 1234567, "image", out.stream(), {true, true, width, 10});
        bar.update(1234, note);
      }
      for (const auto& line : split(out.text(), "\r")) {
        const std::string plain = without_colour(line);
        const auto characters =
            std::count_if(plain.begin(), plain.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; });
        const auto wide = std::count_if(plain.begin(), plain.end(), [](unsigned char c) { return c >= 0xe3; });
        EXPECT_LE(characters + wide, std::max(1, width - 1)) << plain;
        EXPECT_TRUE(Json::accept(Json(plain).dump(-1, ' ', false, Json::error_handler_t::replace)));
        EXPECT_EQ(Json(plain).dump(-1, ' ', false, Json::error_handler_t::replace).find("\uFFFD"), std::string::npos)
            << "cut inside a character";
      }
    }
  }
}

TEST(Progress, FollowsTheTerminalsWidth) {
  Terminal narrow(40);
  const Variable term("TERM", "xterm"), colours("NO_COLOR", nullptr);
  const ProgressStyle style = detect_style(narrow.stream());
  EXPECT_TRUE(style.terminal);
  EXPECT_TRUE(style.colour);
  EXPECT_EQ(style.width, 40);
}

TEST(Progress, NoColorAndDumbTerminals) {
  Terminal out(80);
  {
    const Variable term("TERM", "xterm"), colours("NO_COLOR", "1");
    EXPECT_TRUE(detect_style(out.stream()).terminal);
    EXPECT_FALSE(detect_style(out.stream()).colour);
  }
  {
    const Variable term("TERM", "xterm"), colours("NO_COLOR", "");
    EXPECT_TRUE(detect_style(out.stream()).colour) << "an empty NO_COLOR does not count";
  }
  const Variable colours("NO_COLOR", nullptr);
  for (const char* name : {"dumb", ""}) {
    const Variable term("TERM", name);
    EXPECT_FALSE(detect_style(out.stream()).terminal);
    EXPECT_FALSE(detect_style(out.stream()).colour);
  }
  const Variable term("TERM", nullptr);
  EXPECT_FALSE(detect_style(out.stream()).terminal);
}

TEST(Progress, AFileIsNoTerminal) {
  const Variable term("TERM", "xterm");
  std::FILE* file = std::tmpfile();
  const ProgressStyle style = detect_style(file);
  std::fclose(file);
  EXPECT_FALSE(style.terminal);
  EXPECT_FALSE(style.colour);
  EXPECT_EQ(style.width, 80);
}

TEST(Progress, ColourIsOnlyInTheBar) {
  Capture out;
  ProgressBar bar("train", 10, "step", out.stream(), {true, true, 80, 10});
  bar.update(5);
  EXPECT_EQ(out.text().find("\rtrain [\x1b[32m==="), 0u) << out.text();
}

TEST(Progress, FinishLeavesACleanLine) {
  Capture out;
  ProgressBar bar("train", 10, "step", out.stream(), terminal);
  bar.update(1);
  bar.update(10, "loss 0.1");
  bar.finish();
  const std::string text = out.text();
  EXPECT_TRUE(text.ends_with("loss 0.1\x1b[K\n")) << text;
  EXPECT_NE(text.find("100%  10/10 steps"), text.npos);
  EXPECT_NE(text.find("  in 0.0s"), text.npos) << text;
  bar.finish();
  bar.update(11);
  EXPECT_EQ(out.text(), text) << "a finished bar writes no more";
}

TEST(Progress, TheDestructorFinishes) {
  Capture out;
  { ProgressBar("train", 10, "step", out.stream(), terminal).update(3); }
  EXPECT_TRUE(out.text().ends_with("\n"));
}

TEST(Progress, WritesNothingBeforeTheFirstUpdate) {
  Capture out;
  { ProgressBar bar("train", 10, "step", out.stream(), terminal); }
  EXPECT_EQ(out.text(), "");
}

TEST(Progress, PlainLinesAreFewAndTheLastIsThere) {
  Capture out;
  {
    ProgressBar bar("train", 100, "step", out.stream(), {.plain_seconds = 3600});
    for (int i = 1; i <= 100; ++i) bar.update(i, "loss 0.5");
  }
  const std::string text = out.text();
  EXPECT_EQ(count(text, '\n'), 1u) << text;
  EXPECT_EQ(text.find("train 100%  100/100 steps"), 0u) << text;
  EXPECT_EQ(text.find_first_of("\r\x1b"), text.npos);
}

TEST(Progress, PlainLinesComeAtTheInterval) {
  Capture out;
  ProgressBar bar("train", 100, "step", out.stream(), {.plain_seconds = 0.02});
  bar.update(1);
  EXPECT_EQ(out.text(), "");
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  bar.update(2);
  bar.update(3);
  EXPECT_EQ(count(out.text(), '\n'), 1u);
  EXPECT_NE(out.text().find("2/100 steps"), std::string::npos) << out.text();
}

TEST(Progress, PrintPutsALineAboveTheBar) {
  Capture out;
  ProgressBar bar("train", 10, "step", out.stream(), terminal);
  bar.print("before");
  bar.update(1);
  bar.print("a line");
  EXPECT_EQ(out.text().find("before\n\rtrain"), 0u);
  EXPECT_NE(out.text().find("\r\x1b[Ka line\n\rtrain"), std::string::npos) << out.text();
}

TEST(Progress, WorkDoneBeforeDoesNotCountInTheRate) {
  Capture out;
  ProgressBar bar("train", 100, "step", out.stream(), {.plain_seconds = 3600});
  bar.start_at(90);
  std::this_thread::sleep_for(std::chrono::milliseconds(210));
  bar.update(91);
  bar.finish();
  const std::string text = out.text();
  const auto at = text.find("steps  ");
  ASSERT_NE(at, text.npos) << text;
  EXPECT_LE(std::stod(text.substr(at + 7)), 1 / 0.2);
  EXPECT_NE(text.find("91%"), text.npos);
}

TEST(Progress, AnInstantJobHasNoRate) {
  Capture out;
  {
    ProgressBar bar("read", 1000000, "row", out.stream(), terminal);
    bar.update(500000);
    bar.update(1000000);
  }
  EXPECT_NE(out.text().find("100%  1000000/1000000 rows  in 0.0s"), std::string::npos) << out.text();
  EXPECT_EQ(out.text().find("/s"), std::string::npos) << out.text();
  EXPECT_EQ(out.text().find(" left"), std::string::npos) << out.text();
}

TEST(Progress, AnUnknownTotalHasNoBar) {
  Capture out;
  {
    ProgressBar bar("count", 0, "row", out.stream(), terminal);
    bar.update(7);
  }
  EXPECT_EQ(out.text().find("\rcount 7 rows"), 0u) << out.text();
  EXPECT_EQ(count(out.text(), '%'), 0u);
}

}  // namespace
}  // namespace vaetl::progress_test
