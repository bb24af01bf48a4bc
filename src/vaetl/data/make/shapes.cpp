#include "vaetl/data/make/shapes.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/parallel.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/packed.hpp"

namespace vaetl::makers {
namespace {

constexpr std::int64_t shape_count = 3, grey_factors = 5, samples = 4;  // samples of a pixel's side
constexpr double reach = 0.25, margin = 1.15;  // of the largest shape, in sides; what its corners need beyond

struct Factors {
  std::int64_t shape = 0;
  double scale = 1, rotation = 0, x = 0, y = 0, hue = 0;
};

Factors draw(std::uint64_t seed, std::int64_t index) {
  auto generator = make_generator(random_key(seed, Purpose::noise, index));
  const at::Tensor uniform = at::rand({6}, generator, at::kDouble);
  const double* u = uniform.const_data_ptr<double>();
  return {static_cast<std::int64_t>(u[0] * shape_count), 0.5 + u[1] / 2, u[2] * 2 * M_PI, u[3], u[4], u[5]};
}

// In the shape's own coordinates, where it reaches about 1 from its middle; v points down.
bool inside(std::int64_t shape, double u, double v) {
  if (shape == 0) return std::max(std::abs(u), std::abs(v)) <= 0.8;
  if (shape == 1) return u * u + 4 * v * v <= 1;
  const double x = 1.2 * u, y = -1.2 * v, ring = x * x + y * y - 1;
  return ring * ring * ring - x * x * y * y * y <= 0;
}

// Fully saturated, 0 … 1.
std::array<double, 3> rgb(double hue) {
  std::array<double, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double at = std::fmod(hue * 6 + (c == 0 ? 0 : c == 1 ? 4 : 2), 6);
    colour[c] = std::clamp(std::abs(at - 3) - 1, 0.0, 1.0);
  }
  return colour;
}

class Drawn final : public Source {
 public:
  Drawn(std::int64_t size, std::int64_t side, bool colour, std::uint64_t seed)
      : size_(size), side_(side), channels_(colour ? 3 : 1), factors_(grey_factors + (colour ? 1 : 0)), seed_(seed) {
    info_.name = "shapes";
    info_.licence = "none needed: made by a program";
    info_.classes = {"square", "ellipse", "heart"};
    info_.fields["input"] = {{channels_, side, side}, at::kByte, 0, 255};
    info_.fields["target"] = {{}, at::kLong, 0, shape_count - 1};
    info_.fields["factors"] = {{factors_}, at::kFloat, 0, 0};
  }
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return size_; }
  bool decodes() const override { return true; }

  Fields gather(const at::Tensor& index) const override {
    const at::Tensor own = index.contiguous();
    const std::int64_t count = own.size(0), bytes = channels_ * side_ * side_;
    const at::Tensor input = at::zeros({count, channels_, side_, side_}, at::kByte);
    const at::Tensor target = at::empty({count}, at::kLong), factors = at::empty({count, factors_}, at::kFloat);
    parallel_for(count, [&](std::int64_t i) {
      const Factors f = draw(seed_, own.const_data_ptr<std::int64_t>()[i]);
      target.mutable_data_ptr<std::int64_t>()[i] = f.shape;
      const double all[] = {static_cast<double>(f.shape), f.scale, f.rotation, f.x, f.y, f.hue};
      std::copy_n(all, factors_, factors.mutable_data_ptr<float>() + i * factors_);
      paint(f, input.mutable_data_ptr<std::uint8_t>() + i * bytes);
    });
    Fields fields;
    fields.set("input", input);
    fields.set("target", target);
    fields.set("factors", factors);
    return fields;
  }

 private:
  void paint(const Factors& f, std::uint8_t* pixels) const {
    const auto side = static_cast<double>(side_);
    const double radius = reach * f.scale * side, edge = reach * margin * side;
    const double cx = edge + f.x * (side - 2 * edge), cy = edge + f.y * (side - 2 * edge);
    const double cosine = std::cos(f.rotation) / radius, sine = std::sin(f.rotation) / radius;
    const auto colour = channels_ == 3 ? rgb(f.hue) : std::array{1.0, 1.0, 1.0};
    const auto low = [&](double c) { return std::max<std::int64_t>(0, std::int64_t(c - margin * radius)); };
    const auto high = [&](double c) { return std::min(side_, std::int64_t(c + margin * radius) + 1); };
    for (std::int64_t y = low(cy); y < high(cy); ++y) {
      for (std::int64_t x = low(cx); x < high(cx); ++x) {
        int covered = 0;
        for (std::int64_t s = 0; s < samples * samples; ++s) {
          const double dx = static_cast<double>(x) + (static_cast<double>(s % samples) + 0.5) / samples - cx;
          const double dy = static_cast<double>(y) + (static_cast<double>(s / samples) + 0.5) / samples - cy;
          covered += inside(f.shape, cosine * dx + sine * dy, cosine * dy - sine * dx) ? 1 : 0;
        }
        for (std::int64_t c = 0; c < channels_; ++c) {
          const double value = 255.0 * colour[static_cast<std::size_t>(c)] * covered / (samples * samples);
          pixels[(c * side_ + y) * side_ + x] = static_cast<std::uint8_t>(std::lround(value));
        }
      }
    }
  }

  std::int64_t size_, side_, channels_, factors_;
  std::uint64_t seed_;
  DatasetInfo info_ = {};
};

}  // namespace

Made Shapes::make(const std::filesystem::path& out, const Making& making) const {
  const Dataset all(std::make_shared<Drawn>(options_.count, options_.side, options_.colour, making.seed));
  const auto held = std::llround(options_.test_share * static_cast<double>(options_.count));
  const auto part = [&](std::int64_t begin, std::int64_t end) { return all.select(at::arange(begin, end, at::kLong)); };
  data::pack(Splits{part(0, options_.count - held), part(0, 0), part(options_.count - held, options_.count)}, out,
             making.progress);
  std::vector<std::string> names = {"shape", "scale", "rotation", "x", "y", "hue"};
  if (!options_.colour) names.pop_back();
  return {{{"packed", out.string()}}, options_.count, {{"factors", names}, {"classes", all.info().classes}}};
}

}  // namespace vaetl::makers
