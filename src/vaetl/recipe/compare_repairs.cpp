#include "vaetl/recipe/compare_repairs.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/query.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/metrics/picture_quality.hpp"
#include "vaetl/objectives/picture_corruption.hpp"
#include "vaetl/recipe/classical_repair.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/evaluation_mode.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t values_together = 1 << 22;  // bounds memory

struct Classical {
  std::string name;
  at::Tensor (*repair)(const at::Tensor& damaged, const at::Tensor& missing);
};

Classical classical_for(Damage damage) {
  switch (damage) {
    case Damage::missing:
      return {"diffusion", diffused};
    case Damage::detail:
      return {"bicubic", [](const at::Tensor& damaged, const at::Tensor&) {
                return enlarged(corruptions::halved_picture(damaged), damaged.size(2), damaged.size(3));
              }};
    case Damage::noise:
      break;
  }
  return {"median 3 × 3", [](const at::Tensor& damaged, const at::Tensor&) { return median_filtered(damaged); }};
}

// Sums of one method over the pictures.
struct Tally {
  std::string method;
  double psnr = 0, ssim = 0, squares = 0;
  std::vector<at::Tensor> shown = {};
};

class Comparing {
 public:
  Comparing(Model& model, const Corruption& corruption, const CompareOptions& options)
      : repairer_(model, "enhance"),
        corruption_(corruption),
        options_(options),
        classical_(classical_for(corruption.damage())),
        input_(model.signature().inputs.at("input")),
        tallies_{{"clean"}, {"damaged"}, {classical_.name}, {"model"}} {}

  void add(const at::Tensor& clean) {
    seed(random_key(options_.seed, Purpose::noise, 0, step_++));
    const at::Tensor noise = corruption_.draw(clean), damaged = corruption_.apply(clean, noise, input_);
    const at::Tensor missing = corruption_.missing(clean, noise);
    at::Tensor repaired = repairer_.repair(damaged, "data");
    if (missing.defined()) repaired = at::where(missing, repaired, damaged);
    const Shades& shades = repairer_.shades();
    const at::Tensor truth = shades.share(clean).cpu(), seen = shades.share(damaged).cpu();
    const at::Tensor gone = missing.defined() ? missing.cpu() : missing;
    const std::vector<at::Tensor> pictures = {truth, seen, classical_.repair(seen, gone).clamp(0, 1),
                                              shades.share(repaired).cpu()};
    for (std::size_t i = 0; i < tallies_.size(); ++i) {
      show(tallies_[i], pictures[i]);
      if (i > 0) count(tallies_[i], truth, pictures[i]);
    }
    done_ += truth.size(0);
    if (options_.progress) options_.progress(done_);
  }

  Comparison result() const {
    Comparison found;
    for (const Tally& tally : tallies_) {
      if (!tally.shown.empty()) found.shown.push_back(at::cat(tally.shown));
      if (&tally == &tallies_.front()) continue;
      const auto all = static_cast<double>(done_);
      found.methods.push_back({tally.method, tally.psnr / all, std::sqrt(tally.squares / all), {}});
      if (structure_) found.methods.back().ssim = tally.ssim / all;
    }
    return found;
  }

 private:
  void count(Tally& tally, const at::Tensor& truth, const at::Tensor& picture) {
    structure_ = std::min(truth.size(2), truth.size(3)) >= metrics::ssim_window;
    tally.psnr += metrics::psnr(truth, picture, 1).sum().item<double>();
    tally.squares += (truth - picture).square().flatten(1).mean(1).sum().item<double>();
    if (structure_) tally.ssim += metrics::ssim(truth, picture, 1).sum().item<double>();
  }

  void show(Tally& tally, const at::Tensor& picture) const {
    if (done_ < options_.shown) tally.shown.push_back(picture.slice(0, 0, options_.shown - done_).clone());
  }

  Repairer repairer_;
  const Corruption& corruption_;
  CompareOptions options_;
  Classical classical_;
  FieldInfo input_;
  std::vector<Tally> tallies_;
  std::int64_t step_ = 0, done_ = 0;
  bool structure_ = false;
};

}  // namespace

Comparison compare_repairs(Model& model, const Dataset& data, const Corruption& corruption,
                           const CompareOptions& options) {
  const EvaluationNoise kept(device_of(model));
  Comparing comparing(model, corruption, options);
  const auto& shape = data.info().fields.at("input").shape;
  const std::int64_t each = std::abs(c10::multiply_integers(shape));
  const std::int64_t together = std::clamp<std::int64_t>(values_together / std::max<std::int64_t>(1, each), 1, 500);
  visit(
      model, data, [&](Pass& pass) { comparing.add(pass.fields().input()); }, together);
  return comparing.result();
}

at::Tensor comparison_grid(const Comparison& comparison) {
  const at::Tensor all = at::cat(comparison.shown);
  return image_grid(all.mul(255).round_().to(at::kByte), comparison.shown.front().size(0));
}

Spec<Corruption> damage_from(const std::string& reference, const std::string& path) {
  const auto mark = reference.find('?');
  Spec<Corruption> damage{.name = reference.substr(0, mark)};
  if (mark != std::string::npos) damage.options = parse_query(reference.substr(mark + 1), path, reference);
  return registry<Corruption>().complete(damage, path);
}

std::optional<Spec<Corruption>> trained_damage(const Json& recipe) {
  const Json objective = recipe.value("objective", Json());
  const Json parts = objective.is_array() ? objective : Json::array({objective});
  for (const Json& part : parts) {
    if (!part.is_object() || !part.contains("corrupt")) continue;
    Spec<Corruption> damage;
    Codec<Spec<Corruption>>::read(part["corrupt"], "objective.corrupt", damage, {});
    return damage;
  }
  return std::nullopt;
}

}  // namespace vaetl::recipe
