#include "recipe/toy.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl::testing {
namespace {

constexpr std::int64_t classes = 4;

Dataset make_set(std::int64_t per_class, bool random_labels, const std::string& split, std::uint64_t seed) {
  auto generator = make_generator(seed);
  const std::int64_t count = classes * per_class;
  const at::Tensor target = at::arange(count, at::kLong).remainder(classes);
  at::Tensor input = at::randint(0, 120, {count, 1, 8, 8}, generator, at::TensorOptions(at::kByte));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t label = i % classes;
    input[i][0].slice(0, 4 * (label / 2), 4 * (label / 2) + 4).slice(1, 4 * (label % 2), 4 * (label % 2) + 4).add_(120);
  }
  Fields fields;
  fields.set("input", input);
  fields.set("target", random_labels ? target.index_select(0, at::randperm(count, generator, at::kLong)) : target);
  return Dataset::from_tensors(fields, {.name = "toy", .split = split, .classes = {"a", "b", "c", "d"}});
}

}  // namespace

Splits toy_splits(const ToyOptions& options) {
  const Dataset train = make_set(options.train_per_class, options.random_train_labels, "train", 1);
  const Dataset test = make_set(options.test_per_class, options.random_test_labels, "test", 2);
  return {train, train.select(at::empty({0}, at::kLong)), test};
}

std::shared_ptr<recipe::DataCache> toy_cache(const ToyOptions& options) {
  auto cache = std::make_shared<recipe::DataCache>();
  cache->put("toy", toy_splits(options));
  return cache;
}

Json toy_recipe() {
  return parse_json(R"({
    "name": "toy", "seed": 3,
    "data": {"open": "toy"},
    "model": {"name": "mlp", "input": [1, 8, 8], "widths": [8], "classes": 4},
    "objective": "cross_entropy",
    "trainer": {"steps": 12, "batch_size": 16, "log_every": 4, "optimizer": {"name": "adamw", "lr": 0.01}},
    "evaluate": ["accuracy"]
  })",
                    "toy");
}

Json toy_vae_recipe() {
  return parse_json(R"({
    "name": "toy-vae", "seed": 1,
    "data": {"open": "toy", "labels": false, "augment": [{"name": "shift", "pixels": 1}]},
    "model": {"name": "vae", "input": [1, 8, 8], "widths": [8], "latent": 3},
    "objective": "elbo",
    "trainer": {"steps": 6, "batch_size": 16, "optimizer": {"name": "adamw", "lr": 0.01}},
    "evaluate": ["elbo"]
  })",
                    "toy vae");
}

std::string file_bytes(const std::string& path) { return read_file(path); }

}  // namespace vaetl::testing
