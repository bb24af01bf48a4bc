#include "vaetl/core/random.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

namespace vaetl {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t random_key(std::uint64_t seed, Purpose purpose, std::int64_t epoch, std::int64_t step,
                         std::int64_t rank) {
  std::uint64_t key = mix(seed);
  for (auto part : {static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(epoch),
                    static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(rank)}) {
    key = mix(key ^ part);
  }
  return key;
}

at::Generator make_generator(std::uint64_t key) { return at::make_generator<at::CPUGeneratorImpl>(key); }

void seed(std::uint64_t seed) { at::manual_seed(seed); }

}  // namespace vaetl
