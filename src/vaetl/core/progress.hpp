// Progress of long work for people: a bar with rate and time left on a terminal, plain lines elsewhere. It belongs to
// the apps; the library never makes one by itself.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace vaetl {

struct ProgressStyle {
  bool terminal = false;      // redraw one line, at most ten times a second
  bool colour = false;        // NO_COLOR and non-terminals switch it off
  int width = 80;             // columns; a stream that is a terminal is asked again at each redraw
  double plain_seconds = 10;  // between plain lines
};

// Reads the terminal behind `stream`, NO_COLOR, TERM=dumb and its width.
ProgressStyle detect_style(std::FILE* stream);

class ProgressBar {
 public:
  // A total of 0 is an unknown one: no bar, no time left. Nothing is written before the first update, no rate in the
  // first fifth of a second.
  ProgressBar(std::string label, std::int64_t total, std::string unit = "step", std::FILE* stream = stderr)
      : ProgressBar(std::move(label), total, std::move(unit), stream, detect_style(stream)) {}
  ProgressBar(std::string label, std::int64_t total, std::string unit, std::FILE* stream, ProgressStyle style);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void start_at(std::int64_t done);  // work done before, by a resumed run: it does not count in the rate
  void update(std::int64_t done, const std::string& note = {});
  void print(const std::string& line);  // a line above the bar
  void finish();                        // the last state, then a new line; the destructor does it too

 private:
  using Clock = std::chrono::steady_clock;
  std::string status(double seconds, bool last) const;
  std::string terminal_line(double seconds, bool last) const;
  void draw(bool last);

  std::string label_, unit_, note_;
  std::int64_t total_ = 0, done_ = 0, first_ = 0;
  std::FILE* stream_;
  ProgressStyle style_;
  Clock::time_point begin_ = Clock::now(), drawn_ = {};
  bool finished_ = false;
  bool started_ = false;  // there was an update
  bool shown_ = false;    // the terminal's last line is the bar
};

// 75 → "1m15s", 0.4 → "0.4s", 7320 → "2h02m".
std::string duration(double seconds);

}  // namespace vaetl
