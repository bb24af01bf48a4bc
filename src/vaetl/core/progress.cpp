#include "vaetl/core/progress.hpp"

#include "vaetl/core/text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace vaetl {
namespace {

constexpr std::chrono::milliseconds redraw_interval(100);
constexpr double least_measured = 0.2;  // seconds before a rate means something
constexpr int widest_bar = 30, narrowest_bar = 6;

// Columns of a UTF-8 text, never fewer than a terminal uses: all from U+1000 on count as wide.
int columns_of(unsigned char c) { return (c & 0xc0) == 0x80 ? 0 : (c >= 0xe1 ? 2 : 1); }
int columns(std::string_view text) {
  int count = 0;
  for (unsigned char c : text) count += columns_of(c);
  return count;
}

std::string fit(std::string_view text, int width) {
  int used = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    used += columns_of(static_cast<unsigned char>(text[end]));
    if (used > width) break;
  }
  return std::string(text.substr(0, end));
}

int current_width(std::FILE* stream, int fallback) {
  winsize size{};
  const bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : fallback;
}

std::string rate_text(double rate) {
  if (rate >= 100) return fmt::format("{:.0f}", rate);
  return rate >= 1 ? fmt::format("{:.1f}", rate) : fmt::format("{:.2g}", rate);
}

std::string bar(int width, double share, bool colour) {
  const int filled = static_cast<int>(std::lround(share * (width - 2)));
  const std::string done(static_cast<std::size_t>(filled), '='),
      rest(static_cast<std::size_t>(width - 2 - filled), ' ');
  return colour ? fmt::format("[\x1b[32m{}\x1b[0m{}]", done, rest) : fmt::format("[{}{}]", done, rest);
}

void write(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

ProgressStyle detect_style(std::FILE* stream) {
  ProgressStyle style;
  const char* term = std::getenv("TERM");
  const char* no_colour = std::getenv("NO_COLOR");  // no-color.org: present and not empty
  style.terminal = ::isatty(::fileno(stream)) != 0 && term && *term && std::string_view(term) != "dumb";
  style.colour = style.terminal && !(no_colour && *no_colour);
  style.width = current_width(stream, style.width);
  return style;
}

ProgressBar::ProgressBar(std::string label, std::int64_t total, std::string unit, std::FILE* stream,
                         ProgressStyle style)
    : label_(one_line(std::move(label))), unit_(std::move(unit)), total_(total), stream_(stream), style_(style) {
  if (!style_.terminal) drawn_ = begin_;
}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::start_at(std::int64_t done) {
  first_ = done_ = done;
  begin_ = Clock::now();
}

void ProgressBar::update(std::int64_t done, const std::string& note) {
  if (finished_) return;
  started_ = true;
  done_ = done;
  const auto since = Clock::now() - drawn_;
  const std::chrono::duration<double> plain(style_.plain_seconds);
  const bool due = style_.terminal ? since >= redraw_interval : since >= plain;
  note_ = note;
  if (due) draw(false);
}

void ProgressBar::print(const std::string& line) {
  write(stream_, (shown_ ? "\r\x1b[K" : "") + line + "\n");
  if (shown_) draw(false);
}

void ProgressBar::finish() {
  if (finished_) return;
  finished_ = true;
  if (started_) draw(true);
}

// "45%  120/300 steps  12.3/s  1m15s left  loss 0.31", or "in 1m40s" at the end.
std::string ProgressBar::status(double seconds, bool last) const {
  const std::string units = unit_ + "s";
  std::string text = total_ > 0
                         ? fmt::format("{:3d}%  {}/{} {}", std::clamp<std::int64_t>(100 * done_ / total_, 0, 100),
                                       done_, total_, units)
                         : fmt::format("{} {}", done_, units);
  const double rate = seconds >= least_measured ? static_cast<double>(done_ - first_) / seconds : 0;
  if (rate > 0) text += fmt::format("  {}/s", rate_text(rate));
  if (last) {
    text += "  in " + duration(seconds);
  } else if (rate > 0 && total_ > 0) {
    text += fmt::format("  {} left", duration(static_cast<double>(std::max<std::int64_t>(0, total_ - done_)) / rate));
  }
  return note_.empty() ? text : text + "  " + one_line(note_);
}

std::string ProgressBar::terminal_line(double seconds, bool last) const {
  const int room = std::max(1, current_width(stream_, style_.width) - 1);  // a full last column would wrap
  const std::string text = status(seconds, last);
  const int width = std::min(widest_bar, room - columns(label_) - columns(text) - 2);
  if (total_ <= 0 || width < narrowest_bar) return fit(label_ + " " + text, room);
  const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
  return fmt::format("{} {} {}", label_, bar(width, share, style_.colour), text);
}

void ProgressBar::draw(bool last) {
  drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(drawn_ - begin_).count();
  if (style_.terminal) {
    write(stream_, "\r" + terminal_line(seconds, last) + "\x1b[K" + (last ? "\n" : ""));
    shown_ = !last;
  } else {
    write(stream_, label_ + " " + status(seconds, last) + "\n");
  }
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f}s", std::max(0.0, seconds));
  const auto s = std::llround(std::min(seconds, 1e15));
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  const auto minutes = std::llround(static_cast<double>(s) / 60);
  if (minutes < 48 * 60) return fmt::format("{}h{:02}m", minutes / 60, minutes % 60);
  const auto hours = std::llround(static_cast<double>(s) / 3600);
  return fmt::format("{}d{:02}h", hours / 24, hours % 24);
}

}  // namespace vaetl
