// Whatever varies is a pure function of (seed, purpose, epoch, step, rank): order, augmentation, noise. Resume restores
// numbers, not generators. Models draw from the default generator, which the Trainer seeds for each update; the feed
// seeds a generator of its own for each batch.
#pragma once
#include <ATen/core/Generator.h>

#include <cstdint>

namespace vaetl {

enum class Purpose : std::uint64_t { init = 1, order, augment, noise, evaluate, split };

std::uint64_t random_key(std::uint64_t seed, Purpose purpose, std::int64_t epoch = 0, std::int64_t step = 0,
                         std::int64_t rank = 0);

// A CPU generator of its own, seeded with the key.
at::Generator make_generator(std::uint64_t key);

// Seeds LibTorch's default generators (CPU and, where present, CUDA): construction of models follows it.
void seed(std::uint64_t seed);

}  // namespace vaetl
