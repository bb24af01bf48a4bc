#include "vaetl/recipe/style_transfer.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/transforms/resize.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/taps.hpp"
#include "vaetl/recipe/repair.hpp"
#include "vaetl/train/optimizers.hpp"

namespace vaetl::recipe {
namespace {

const std::string style_by = "style transfer";
constexpr double least_energy = 1e-12;  // of what a layer makes of a picture that leaves it silent
constexpr std::int64_t least_side = 16;
constexpr std::int64_t least_content_share = 8, least_style_share = 16;  // of the picture's side

// A side of a picture (C, H, W) whose longer one shall have this length.
std::int64_t scaled_side(const at::Tensor& picture, std::int64_t side, std::int64_t size) {
  const std::int64_t longer = std::max(picture.size(1), picture.size(2));
  return std::max<std::int64_t>(1, (side * size + longer / 2) / longer);
}

at::Tensor scaled_to(const at::Tensor& picture, std::int64_t size) {
  return transforms::resize_images(picture.unsqueeze(0), scaled_side(picture, picture.size(1), size),
                                   scaled_side(picture, picture.size(2), size), "bicubic");
}

std::int64_t shorter_side(const at::Tensor& maps) { return std::min(maps.size(2), maps.size(3)); }

// F Fᵀ / M of maps (1, C, H, W).
at::Tensor correlations(const at::Tensor& maps) {
  const at::Tensor rows = maps.flatten(2)[0];
  return rows.matmul(rows.t()) / rows.size(1);
}

at::Tensor unevenness(const at::Tensor& shades) {
  return shades.diff(1, 2).square().mean() + shades.diff(1, 3).square().mean();
}

using Maps = std::map<std::string, at::Tensor>;

// A copy of the model for pictures of one size, of which only what it makes of them is wanted.
class Viewer {
 public:
  Viewer(const Model& model, const Shades& shades, const at::Tensor& picture, std::vector<std::string> patterns)
      : model_(model_at_size(model, picture.size(2), picture.size(3), style_by)),
        shades_(shades),
        patterns_(std::move(patterns)) {
    for (const at::Tensor& weight : model_->parameters()) weight.requires_grad_(false);
  }

  // Groups that the encoder runs and whose output are maps, from input to output.
  std::vector<std::string> groups(const at::Tensor& shares) const {
    const Maps maps = view(shares);
    std::vector<std::string> result = nn::Taps(*model_, patterns_, style_by).groups();
    std::erase_if(result, [&](const std::string& group) { return !maps.contains(group); });
    return result;
  }

  // shares from black to white (1, C, H, W) → those groups' maps (1, C, H, W).
  Maps view(const at::Tensor& shares) const {
    const nn::Taps taps(*model_, patterns_, style_by);
    Fields fields;
    fields.set("input", shades_.black + shares * (shades_.white - shades_.black));
    require<Encoder>(*model_, style_by).encode(fields);
    Maps result;
    for (const std::string& group : taps.groups()) {
      if (taps.has(group) && taps[group].dim() == 4) result[group] = taps[group];
    }
    return result;
  }

 private:
  std::shared_ptr<Model> model_;
  const Shades& shades_;
  std::vector<std::string> patterns_;
};

// Which groups the losses read.
struct Chosen {
  std::string content;
  std::vector<std::string> style;
  std::vector<std::string> all() const {
    std::vector<std::string> result = style;
    result.push_back(content);
    return result;
  }
};

[[noreturn]] void refuse_groups(const std::string& found) {
  throw ConfigError({style_by, "layer groups, or layers of them, that the encoder runs and that put out maps", found,
                     "choose others, or a convolutional network"});
}

// Every layer that a group's path names, but for heads.
std::vector<std::string> layers_of(const Model& model) {
  const auto modules = model.named_modules({}, /*include_self=*/false);
  std::vector<std::string> layers;
  for (const LayerGroup& group : model.groups()) {
    if (is_head(group.name) || is_adapter(group.name)) continue;
    for (const std::string& path : group.prefixes) {
      if (modules.contains(path)) layers.push_back(path);
    }
  }
  return layers;
}

std::vector<std::string> maps_of(const Model& model, const Shades& shades, const at::Tensor& picture,
                                 const std::vector<std::string>& patterns) {
  const at::NoGradGuard no_grad;
  const auto groups = Viewer(model, shades, picture, patterns).groups(picture);
  if (groups.empty()) refuse_groups(join(patterns));
  return groups;
}

// Of each size of maps, down to these shares of the picture's side, the last layer.
Chosen usual_layers(const Model& model, const Shades& shades, const at::Tensor& picture) {
  const at::NoGradGuard no_grad;
  const Viewer viewer(model, shades, picture, layers_of(model));
  const Maps maps = viewer.view(picture);
  Chosen chosen;
  std::int64_t last = 0;
  for (const std::string& layer : viewer.groups(picture)) {
    const std::int64_t side = shorter_side(maps.at(layer));
    if (side * least_style_share < shorter_side(picture)) continue;
    if (side == last) chosen.style.pop_back();
    chosen.style.push_back(layer);
    last = side;
    if (side * least_content_share >= shorter_side(picture)) chosen.content = layer;
  }
  if (chosen.content.empty()) refuse_groups("none of an eighth of the picture's side");
  return chosen;
}

Chosen choose_layers(const Model& model, const Shades& shades, const at::Tensor& picture, const StyleOptions& options) {
  Chosen chosen;
  if (options.content_layer.empty() || options.style_layers.empty()) chosen = usual_layers(model, shades, picture);
  if (!options.style_layers.empty()) chosen.style = maps_of(model, shades, picture, options.style_layers);
  if (options.content_layer.empty()) return chosen;
  const auto found = maps_of(model, shades, picture, {options.content_layer});
  if (found.size() > 1) throw ConfigError({"content layer", "one", join(found), "name one of them"});
  chosen.content = found.front();
  return chosen;
}

// What x is compared with.
struct Wanted {
  at::Tensor content;  // P
  Maps style;          // A
};

Wanted wanted_of(const Model& model, const Shades& shades, const Chosen& chosen, const at::Tensor& content,
                 const at::Tensor& style) {
  const at::NoGradGuard no_grad;
  Wanted wanted{Viewer(model, shades, content, {chosen.content}).view(content).at(chosen.content), {}};
  for (const auto& [group, maps] : Viewer(model, shades, style, chosen.style).view(style)) {
    wanted.style[group] = correlations(maps);
  }
  return wanted;
}

struct LossTensors {
  at::Tensor content, style, smooth, total;
  StyleLosses values() const {
    return {content.item<double>(), style.item<double>(), smooth.item<double>(), total.item<double>()};
  }
};

LossTensors losses_of(const at::Tensor& x, const Viewer& viewer, const Chosen& chosen, const Wanted& wanted,
                      const StyleOptions& options) {
  const Maps maps = viewer.view(x);
  LossTensors losses;
  losses.content = (maps.at(chosen.content) - wanted.content).square().mean() /
                   wanted.content.square().mean().clamp_min(least_energy);
  losses.style = at::zeros({}, x.options());
  for (const std::string& group : chosen.style) {
    const at::Tensor& a = wanted.style.at(group);
    losses.style =
        losses.style + (correlations(maps.at(group)) - a).square().sum() / a.square().sum().clamp_min(least_energy);
  }
  losses.style = losses.style / static_cast<double>(chosen.style.size());
  losses.smooth = unevenness(x);
  losses.total = losses.content + options.style_weight * losses.style + options.smoothness * losses.smooth;
  return losses;
}

void check_picture(const at::Tensor& picture, const Shades& shades, std::int64_t size, const char* which) {
  if (picture.dim() == 3 && picture.scalar_type() == at::kByte && picture.size(0) == shades.channels()) {
    const std::int64_t side = scaled_side(picture, std::min(picture.size(1), picture.size(2)), size);
    if (side >= least_side) return;
    throw DataError({std::string(which), fmt::format("a picture whose shorter side has {} pixels at least", least_side),
                     fmt::format("{} when it is scaled", side), "cut it, or make it larger"});
  }
  throw DataError({std::string(which),
                   fmt::format("a picture uint8 ({}, H, W)", shades.channels()),
                   shape_text(picture.sizes().vec()),
                   {}});
}

StyleLosses checked_losses(const StyleLosses& losses, std::int64_t step) {
  if (std::isfinite(losses.total)) return losses;
  throw DivergedError({fmt::format("style transfer, step {}", step), "a finite loss", fmt::format("{}", losses.total),
                       "make the style's weight smaller"});
}

// Adam with a rate that falls to 0 along half a cosine; values stay between black and white.
void optimise(at::Tensor& x, std::int64_t steps, double rate,
              const std::function<at::Tensor(std::int64_t step)>& loss) {
  x.requires_grad_();
  optim::Adam adam({.lr = rate});
  adam.set_parameters({{.names = {"picture"}, .parameters = {x}}});
  for (std::int64_t step = 0; step < steps; ++step) {
    x.mutable_grad().reset();
    loss(step).backward();
    const at::NoGradGuard no_grad;
    adam.step(0.5 * (1 + std::cos(M_PI * static_cast<double>(step) / static_cast<double>(steps))));
    x.clamp_(0, 1);
  }
}

}  // namespace

Styled transfer_style(const Model& model, const at::Tensor& content, const at::Tensor& style,
                      const StyleOptions& options,
                      const std::function<void(std::int64_t, const StyleLosses&)>& progress) {
  require_capability(model, Encoder::capability, style_by);
  const Shades shades = shades_of(model, style_by);
  check_picture(content, shades, options.size, "content");
  check_picture(style, shades, options.size, "style");
  const auto shares_of = [&](const at::Tensor& picture) {
    return scaled_to(picture, options.size).to(shades.black.options()).div_(255);
  };
  at::Tensor x = shares_of(content);
  const Chosen chosen = choose_layers(model, shades, x, options);
  const Wanted wanted = wanted_of(model, shades, chosen, x, shares_of(style));
  const Viewer viewer(model, shades, x, chosen.all());
  Styled styled{
      .picture = {}, .before = {}, .after = {}, .content_layer = chosen.content, .style_layers = chosen.style};
  const auto look = [&](std::int64_t step) {
    const LossTensors losses = losses_of(x, viewer, chosen, wanted, options);
    styled.after = checked_losses(losses.values(), step);
    if (step == 0) styled.before = styled.after;
    if (progress) progress(step, styled.after);
    return losses.total;
  };
  optimise(x, options.steps, options.rate, look);
  const at::NoGradGuard no_grad;
  look(options.steps);
  styled.picture = x.detach().mul(255).round_().to(at::kCPU).to(at::kByte)[0];
  return styled;
}

}  // namespace vaetl::recipe
