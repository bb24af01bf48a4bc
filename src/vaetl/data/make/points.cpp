#include "vaetl/data/make/points.hpp"

#include "vaetl/data/make/blocks.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl::makers {
namespace {

namespace fs = std::filesystem;

data::Reference table(const fs::path& file, const char* target) {
  return {"csv", file.string(), {{"target", target}, {"test_share", 0.25}}};
}

// Rows (N, F) with the class of each behind them.
void write_rows(AtomicFile& file, const at::Tensor& rows, const at::Tensor& labels) {
  const at::Tensor own = rows.contiguous(), classes = labels.to(at::kLong).contiguous();
  std::string text;
  for (std::int64_t i = 0; i < own.size(0); ++i) {
    for (std::int64_t c = 0; c < own.size(1); ++c) {
      text += fmt::format("{:.7g},", own.const_data_ptr<double>()[i * own.size(1) + c]);
    }
    text += fmt::format("{}\n", classes.const_data_ptr<std::int64_t>()[i]);
  }
  file.write(text);
}

double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

}  // namespace

Made TwoMoons::make(const fs::path& out, const Making& making) const {
  AtomicFile file(out);
  file.write("x,y,moon\n");
  for_blocks(options_.count, making, [&](Block block) {
    const at::Tensor t = block.uniform(1) * M_PI, noise = block.normal(2) * options_.noise;
    const at::Tensor moon = at::arange(block.begin, block.begin + block.count, at::kLong).remainder(2);
    const at::Tensor sign = 1 - 2 * moon.unsqueeze(1), lower = moon.unsqueeze(1);
    const at::Tensor points = at::cat({t.cos() * sign + lower, t.sin() * sign + lower * 0.5}, 1);
    write_rows(file, points + noise, moon);
  });
  file.commit();
  return {{table(out, "moon")}, options_.count, {{"classes", 2}, {"radius", 1}, {"noise", options_.noise}}};
}

void Gaussians::write(const fs::path& out, double along, double across, const Making& making) const {
  AtomicFile file(out);
  for (std::int64_t c = 0; c < options_.dims; ++c) file.write(fmt::format("x{},", c));
  file.write("class\n");
  for_blocks(options_.count, making, [&](Block block) {
    const at::Tensor label = at::arange(block.begin, block.begin + block.count, at::kLong).remainder(2);
    const at::Tensor points = block.normal(options_.dims);
    points.select(1, 0).add_((label.to(at::kDouble) - 0.5) * options_.separation + along);
    points.select(1, 1).add_(across);
    write_rows(file, points, label);
  });
  file.commit();
}

Made Gaussians::make(const fs::path& out, const Making& making) const {
  const double turn = options_.angle * M_PI / 180;
  const double along = options_.shift * std::cos(turn), across = options_.shift * std::sin(turn);
  const double half = options_.separation / 2;
  AtomicFolder folder(out);
  write(folder.path() / "source.csv", 0, 0, making);
  Making other = making;
  other.seed = random_key(making.seed, Purpose::noise, 0, /*step=*/1);  // examples of its own
  write(folder.path() / "target.csv", along, across, other);
  folder.commit();
  const double moved = (normal_below(-half - along) + normal_below(-half + along)) / 2;
  return {{table(out / "source.csv", "class"), table(out / "target.csv", "class")},
          2 * options_.count,
          {{"best_error", normal_below(-half)}, {"source_best_on_target", moved}, {"shift", {along, across}}}};
}

}  // namespace vaetl::makers
