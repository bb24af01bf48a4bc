// Random numbers for examples in blocks: a block depends on the seed and its own place alone, and memory stays bounded.
#pragma once
#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/data/make.hpp"

namespace vaetl::makers {

struct Block {
  std::int64_t begin = 0, count = 0;
  at::Generator generator;
  at::Tensor uniform(std::int64_t columns) { return at::rand({count, columns}, generator, at::kDouble); }
  at::Tensor normal(std::int64_t columns) { return at::randn({count, columns}, generator, at::kDouble); }
};

template <class Use>
void for_blocks(std::int64_t count, const Making& making, Use&& use) {
  constexpr std::int64_t examples = 4096;
  for (std::int64_t begin = 0; begin < count; begin += examples) {
    const auto key = random_key(making.seed, Purpose::noise, begin / examples);
    use(Block{begin, std::min(examples, count - begin), make_generator(key)});
    if (making.progress) making.progress(std::min(begin + examples, count), count);
  }
}

}  // namespace vaetl::makers
