#include "vaetl/data/make/sines.hpp"

#include <fmt/ranges.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/make/blocks.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl::makers {
namespace {

namespace fs = std::filesystem;

std::span<const double> row_of(const at::Tensor& rows, std::int64_t i) {
  return {rows.const_data_ptr<double>() + i * rows.size(1), static_cast<std::size_t>(rows.size(1))};
}

std::string ts_header(std::int64_t length, std::int64_t classes) {
  std::string text = fmt::format(
      "@problemName sines\n@timeStamps false\n@missing false\n@univariate true\n@equalLength true\n"
      "@seriesLength {}\n@classLabel true",
      length);
  for (std::int64_t k = 1; k <= classes; ++k) text += fmt::format(" {}", k);
  return text + "\n@data\n";
}

}  // namespace

Made Sines::make_classes(const fs::path& out, const Making& making) const {
  AtomicFile file(out);
  file.write(ts_header(options_.length, options_.classes));
  const at::Tensor time = at::arange(options_.length, at::kDouble).unsqueeze(0) * (2 * M_PI / options_.length);
  const auto step = std::max<std::int64_t>(1, (std::int64_t{1} << 20) / options_.length);  // series in memory at once
  for_blocks(options_.count, making, [&](Block block) {
    const at::Tensor label = at::arange(block.begin, block.begin + block.count, at::kLong).remainder(options_.classes);
    const at::Tensor draw = block.uniform(2);
    for (std::int64_t first = 0; first < block.count; first += step) {
      const std::int64_t count = std::min(step, block.count - first);
      const at::Tensor waves = label.narrow(0, first, count).unsqueeze(1) + 2, part = draw.narrow(0, first, count);
      const at::Tensor noise = at::randn({count, options_.length}, block.generator, at::kDouble) * options_.noise;
      const at::Tensor phase = part.narrow(1, 1, 1) * (2 * M_PI), amplitude = part.narrow(1, 0, 1) + 0.5;
      const at::Tensor rows = (amplitude * (waves * time + phase).sin() + noise).contiguous();
      for (std::int64_t i = 0; i < count; ++i) {
        const auto k = label.const_data_ptr<std::int64_t>()[first + i] + 1;
        file.write(fmt::format("{:.6g}:{}\n", fmt::join(row_of(rows, i), ","), k));
      }
    }
  });
  file.commit();
  std::vector<std::int64_t> waves(static_cast<std::size_t>(options_.classes));
  std::iota(waves.begin(), waves.end(), 2);
  return {{{"ts", out.string(), {{"test_share", 0.25}}}},
          options_.count,
          {{"waves", waves}, {"noise", options_.noise}, {"amplitude", {0.5, 1.5}}}};
}

Made Sines::make_series(const fs::path& out, const Making& making) const {
  // Periods between 8 and 128 moments, evenly on a logarithmic scale.
  auto generator = make_generator(random_key(making.seed, Purpose::init));
  const at::Tensor draw = at::rand({options_.components, 3}, generator, at::kDouble);
  const at::Tensor period = draw.narrow(1, 0, 1).mul(std::log(16.0)).exp().mul(8);
  const at::Tensor amplitude = draw.narrow(1, 1, 1) + 0.5, phase = draw.narrow(1, 2, 1) * (2 * M_PI);
  AtomicFile file(out);
  file.write("time,value\n");
  for_blocks(options_.count, making, [&](Block block) {
    const at::Tensor time = at::arange(block.begin, block.begin + block.count, at::kDouble).unsqueeze(0);
    const at::Tensor sines = amplitude * (time * (2 * M_PI) / period + phase).sin();
    const at::Tensor values = (sines.sum(0) + block.normal(1).squeeze(1) * options_.noise).contiguous();
    for (std::int64_t i = 0; i < block.count; ++i) {
      file.write(fmt::format("{},{:.7g}\n", block.begin + i, values.const_data_ptr<double>()[i]));
    }
  });
  file.commit();
  Json components = Json::array();
  for (std::int64_t c = 0; c < options_.components; ++c) {
    components.push_back({{"period", period[c].item<double>()},
                          {"amplitude", amplitude[c].item<double>()},
                          {"phase", phase[c].item<double>()}});
  }
  return {{{"series", out.string(), {{"window", 64}, {"horizon", 8}}}},
          options_.count,
          {{"best_rmse", options_.noise}, {"components", components}}};
}

Made Sines::make(const fs::path& out, const Making& making) const {
  const bool classes = options_.task == "classes";
  const std::string ending = classes ? ".ts" : ".csv";
  if (out.extension() != ending) {
    throw ConfigError({"out", "a name that ends with " + ending, quote(out.string()), {}});
  }
  return classes ? make_classes(out, making) : make_series(out, making);
}

}  // namespace vaetl::makers
