#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "vaetl/report/scatter_layout.hpp"

namespace vaetl {
namespace {

using scatter::Colour;
using scatter::Place;

constexpr std::int64_t letter_width = 3, letter_height = 5, letter_scale = 2;

// Letters of 3×5 pixels, a digit a row from the top, whose bits are its pixels: 4 is left, 1 is right.
const std::map<char, std::string_view> letters = {
    {'A', "25755"}, {'B', "65656"}, {'C', "34443"}, {'D', "65556"}, {'E', "74647"},  {'F', "74644"}, {'G', "34553"},
    {'H', "55755"}, {'I', "72227"}, {'J', "11152"}, {'K', "55655"}, {'L', "44447"},  {'M', "57755"}, {'N', "65555"},
    {'O', "25552"}, {'P', "65644"}, {'Q', "25563"}, {'R', "65655"}, {'S', "34216"},  {'T', "72222"}, {'U', "55557"},
    {'V', "55552"}, {'W', "55775"}, {'X', "55255"}, {'Y', "55222"}, {'Z', "71247"},  {'0', "75557"}, {'1', "26227"},
    {'2', "71747"}, {'3', "71717"}, {'4', "55711"}, {'5', "74717"}, {'6', "74757"},  {'7', "71122"}, {'8', "75757"},
    {'9', "75717"}, {'-', "00700"}, {'_', "00007"}, {'.', "00002"}, {',', "00024"},  {':', "02020"}, {'/', "11244"},
    {'+', "02720"}, {'(', "24442"}, {')', "21112"}, {'&', "25357"}, {'\'', "22000"}, {'=', "07070"}, {'%', "51245"},
    {'#', "57575"}, {'?', "71202"}, {'!', "22202"}};

// A white sheet that is drawn upon.
class Sheet {
 public:
  Sheet(std::int64_t width, std::int64_t height)
      : width_(width), height_(height), pixels_(at::full({3, height, width}, 255, at::kFloat)) {}

  void disc(const Place& at, double radius, const Colour& colour, double opacity) {
    const auto low = [](double value) { return static_cast<std::int64_t>(std::floor(value)); };
    for (std::int64_t y = low(at.y - radius - 1); y <= low(at.y + radius + 1); ++y) {
      for (std::int64_t x = low(at.x - radius - 1); x <= low(at.x + radius + 1); ++x) {
        const double far = std::hypot(static_cast<double>(x) + 0.5 - at.x, static_cast<double>(y) + 0.5 - at.y);
        blend(x, y, colour, opacity * std::clamp(radius + 0.5 - far, 0.0, 1.0));
      }
    }
  }

  // Its middle line is at y.
  void text(const Place& at, const std::string& text) {
    auto x = static_cast<std::int64_t>(at.x);
    const auto top = static_cast<std::int64_t>(at.y) - letter_height * letter_scale / 2;
    for (const char each : text) {
      if ((static_cast<unsigned char>(each) & 0xc0) == 0x80) continue;  // a further byte of one character
      const auto upper = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
      if (each != ' ') letter(letters.contains(upper) ? letters.at(upper) : letters.at('?'), x, top);
      x += (letter_width + 1) * letter_scale;
    }
  }

  at::Tensor pixels() const { return pixels_.round().to(at::kByte); }

 private:
  void letter(std::string_view rows, std::int64_t left, std::int64_t top) {
    for (std::int64_t y = 0; y < letter_height * letter_scale; ++y) {
      const int bits = rows[static_cast<std::size_t>(y / letter_scale)] - '0';
      for (std::int64_t x = 0; x < letter_width * letter_scale; ++x) {
        if (bits >> (letter_width - 1 - x / letter_scale) & 1) blend(left + x, top + y, {26, 31, 38}, 1);
      }
    }
  }

  void blend(std::int64_t x, std::int64_t y, const Colour& colour, double opacity) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_ || opacity == 0) return;
    for (std::int64_t c = 0; c < 3; ++c) {
      float& value = pixels_.mutable_data_ptr<float>()[(c * height_ + y) * width_ + x];
      value += static_cast<float>(opacity * (colour[static_cast<std::size_t>(c)] - static_cast<double>(value)));
    }
  }

  std::int64_t width_, height_;
  at::Tensor pixels_;
};

}  // namespace

at::Tensor scatter_picture(const Scatter& plot) {
  Sheet sheet(static_cast<std::int64_t>(scatter::width(plot)), static_cast<std::int64_t>(scatter::side));
  const std::vector<Place> all = scatter::places(plot);
  for (std::size_t i = 0; i < all.size(); ++i) sheet.disc(all[i], scatter::radius, scatter::colour_of(plot, i), 0.75);
  const auto names = scatter::has_legend(plot) ? scatter::legend(plot) : std::vector<std::string>();
  for (std::size_t line = 0; line < names.size(); ++line) {
    const Place at = scatter::legend_place(line);
    if (names[line] == plot.names[line]) {
      sheet.disc(at, scatter::swatch, scatter::colour(line, plot.names.size()), 1);
    }
    sheet.text({at.x + 14, at.y}, names[line]);
  }
  return sheet.pixels();
}

}  // namespace vaetl
