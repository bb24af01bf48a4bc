#include "vaetl/recipe/pictures.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/variational.hpp"
#include "vaetl/recipe/pixels.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t columns = 10, most_rows = 20;

std::string class_name(const DatasetInfo& info, std::int64_t label) {
  const auto i = static_cast<std::size_t>(label);
  return i < info.classes.size() ? info.classes[i] : std::to_string(label);
}

class Album {
 public:
  Album(std::filesystem::path folder, const Model& model) : folder_(std::move(folder)), model_(model) {}
  // images (N, C, H, W) as the model sees them
  void add(const std::string& file, const at::Tensor& images, const std::string& caption) {
    if (captions_.empty()) make_folder(folder_);
    write_png(folder_ / file, image_grid(to_pixels(model_, images), columns));
    captions_[file] = caption;
  }
  void finish() const {
    if (!captions_.empty()) write_atomically(folder_ / "captions.json", captions_.dump(2) + "\n");
  }

 private:
  std::filesystem::path folder_;
  const Model& model_;
  Json captions_ = Json::object();
};

// A model that is made for classes cannot be asked about examples without.
bool lacks_conditions(const Model& model, const Dataset& data) {
  return offers(model, Conditional::capability) && !data.has("condition") && !data.has("target");
}

// The chosen examples, preprocessed, on the model's device: their inputs, and where the model is conditional and they
// have labels, their conditions.
Fields fields_of(Model& model, const Dataset& data, const at::Tensor& index) {
  std::vector<at::Tensor> inputs, conditions;
  const bool conditional = offers(model, Conditional::capability) && !lacks_conditions(model, data);
  visit(model, data.select(index), [&](Pass& pass) {
    inputs.push_back(pass.fields().input());
    if (conditional) conditions.push_back(pass.condition());
  });
  Fields fields;
  fields.set("input", at::cat(inputs));
  if (conditional) fields.set("condition", at::cat(conditions));
  return fields;
}

at::Tensor inputs_of(Model& model, const Dataset& data, const at::Tensor& index) {
  return fields_of(model, data, index).input();
}

// Codes that the decoder understands; undefined where the model has none.
at::Tensor codes_of(Model& model, const Fields& fields) {
  if (auto* variational = dynamic_cast<Variational*>(&model)) return variational->posterior(fields).mean;
  auto* encoder = dynamic_cast<Encoder*>(&model);
  auto* decoder = dynamic_cast<Decoder*>(&model);
  const bool fits = encoder && decoder && encoder->feature_size() == decoder->latent_size();
  return fits ? encoder->encode(fields) : at::Tensor();
}

void draw_reconstructions(Model& model, const Dataset& test, Album& album) {
  const Fields fields = fields_of(model, test, spread(test.size(), columns));
  const at::Tensor codes = codes_of(model, fields);
  if (!codes.defined()) return;
  const at::Tensor decoded = require<Decoder>(model).decode(codes, condition_of(model, fields))->mean();
  album.add("reconstructions.png", at::cat({fields.input(), decoded}),
            "Test images above, what the model makes of them from its latent code below.");
}

void draw_latent_walk(Model& model, const Dataset& test, Album& album) {
  const std::int64_t rows = std::min<std::int64_t>(6, test.size() / 2);
  if (rows == 0) return;
  const Fields fields = fields_of(model, test, spread(test.size(), 2 * rows));
  const at::Tensor codes = codes_of(model, fields), condition = condition_of(model, fields);
  if (!codes.defined()) return;
  const at::Tensor ends = codes.reshape({rows, 2, 1, -1});
  const at::Tensor share = at::linspace(0, 1, columns, codes.options()).reshape({1, columns, 1});
  const at::Tensor path = at::lerp(ends.select(1, 0), ends.select(1, 1), share).reshape({rows * columns, -1});
  // A conditional decoder keeps the class of the image that a row starts from.
  const at::Tensor along = condition.defined() ? condition.slice(0, 0, {}, 2).repeat_interleave(columns) : condition;
  album.add("latent_walk.png", require<Decoder>(model).decode(path, along)->mean(),
            "Each row walks in equal steps from the latent code of one test image to another's.");
}

// Of a conditional generator a row a class.
void draw_samples(Model& model, const DatasetInfo& info, std::uint64_t seed, Album& album) {
  auto* generator = dynamic_cast<Generator*>(&model);
  if (!generator) return;
  const bool conditional = offers(model, Conditional::capability);
  const std::int64_t rows = conditional ? std::min(most_rows, require<Conditional>(model).conditions()) : columns;
  auto random = make_generator(random_key(seed, Purpose::evaluate));
  const c10::Device device = device_of(model);
  const at::Tensor z = at::randn({rows * columns, generator->noise_size()}, random, at::TensorOptions()).to(device);
  if (!conditional) {
    album.add("samples.png", generator->generate(z), "Images generated from random latent codes.");
    return;
  }
  const at::Tensor classes = at::arange(rows, at::TensorOptions(device).dtype(at::kLong)).repeat_interleave(columns);
  std::vector<std::string> names;
  for (std::int64_t row = 0; row < rows; ++row) names.push_back(class_name(info, row));
  album.add("samples.png", generator->generate(z, classes),
            fmt::format("Images generated from random latent codes, a row a class: {}.", join(names)));
}

// The evidence lower bound of each test image, one sample each.
at::Tensor elbo_of_each(Model& model, const Dataset& test, std::uint64_t seed) {
  auto& variational = require<Variational>(model);
  vaetl::seed(random_key(seed, Purpose::evaluate));
  std::vector<at::Tensor> values;
  visit(model, test, [&](Pass& pass) {
    const Gaussian& posterior = pass.posterior();
    const at::Tensor z = posterior.rsample();
    const auto likelihood = variational.decode(z, pass.condition());
    const at::Tensor kl = kl_to_prior(variational, posterior, z, pass.condition());
    values.push_back((nn::log_prob_of(*likelihood, pass.fields(), "pictures") - kl).to(at::kCPU));
  });
  return at::cat(values);
}

void draw_odd_ones(Model& model, const Dataset& test, std::uint64_t seed, Album& album) {
  if (!offers(model, Variational::capability)) return;
  const at::Tensor order = elbo_of_each(model, test, seed).argsort();
  const std::int64_t count = std::min<std::int64_t>(2 * columns, test.size() / 2 / columns * columns);
  if (count == 0) return;
  const at::Tensor typical = order.slice(0, (test.size() - count) / 2, (test.size() - count) / 2 + count);
  album.add(
      "odd_ones.png", inputs_of(model, test, at::cat({order.slice(0, 0, count), typical})),
      fmt::format("The {} test images that the model finds least likely (lowest ELBO) above, {} typical ones below.",
                  count, count));
}

struct Mistakes {
  at::Tensor index, target, called;  // the most confident first
  std::int64_t all = 0, examples = 0;
};

Mistakes find_mistakes(const Predictions& found) {
  const at::Tensor wrong = at::nonzero(found.called != found.target).squeeze(1);
  const at::Tensor confidence = found.confidence.index_select(0, wrong);
  const at::Tensor order = confidence.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  const at::Tensor shown = wrong.index_select(0, order.slice(0, 0, 3 * columns));
  return {found.index.index_select(0, shown), found.target.index_select(0, shown), found.called.index_select(0, shown),
          wrong.size(0), found.index.size(0)};
}

std::string mistakes_caption(const Mistakes& mistakes, const Dataset& test) {
  std::vector<std::string> pairs;
  for (std::int64_t i = 0; i < mistakes.index.size(0); ++i) {
    pairs.push_back(fmt::format("{} as {}", class_name(test.info(), mistakes.target[i].item<std::int64_t>()),
                                class_name(test.info(), mistakes.called[i].item<std::int64_t>())));
  }
  return fmt::format("The {} most confident of {} mistakes on {} test images, row by row: {}.", pairs.size(),
                     mistakes.all, mistakes.examples, join(pairs));
}

void draw_mistakes(Model& model, const Dataset& test, const Predictions& found, Album& album) {
  const Mistakes mistakes = find_mistakes(found);
  if (mistakes.all == 0) return;
  album.add("mistakes.png", inputs_of(model, test, mistakes.index), mistakes_caption(mistakes, test));
}

}  // namespace

void draw_pictures(Model& model, const Data& data, const std::optional<Predictions>& predictions, std::uint64_t seed,
                   const std::filesystem::path& folder) {
  if (!sees_pictures(model)) return;
  const at::NoGradGuard no_grad;
  Album album(folder, model);
  draw_samples(model, data.train().info(), seed, album);
  if (data.test && !lacks_conditions(model, *data.test)) {
    draw_reconstructions(model, *data.test, album);
    draw_latent_walk(model, *data.test, album);
    draw_odd_ones(model, *data.test, seed, album);
    if (predictions) draw_mistakes(model, *data.test, *predictions, album);
  }
  album.finish();
}

}  // namespace vaetl::recipe
