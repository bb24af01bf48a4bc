#include "vaetl/data/shuffle.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t chunks_a_block = 16;

at::Tensor permutation(std::int64_t size, std::uint64_t key) {
  return at::randperm(size, make_generator(key), at::kLong);
}

}  // namespace

Shuffle::Shuffle(std::int64_t size, std::int64_t window, std::uint64_t seed, std::int64_t stream, Expect expect)
    : size_(size), seed_(seed), stream_(stream), expect_(std::move(expect)) {
  const bool windowed = window > 0 && window < size;
  chunk_ = windowed ? std::max<std::int64_t>(1, window / chunks_a_block) : size;
  chunks_ = (size + chunk_ - 1) / chunk_;
  blocks_ = (chunks_ + chunks_a_block - 1) / chunks_a_block;
}

// Part 0 is the order of the chunks, or of all examples where they are one chunk.
std::uint64_t Shuffle::key(std::int64_t pass, std::int64_t part) const {
  return random_key(seed_, Purpose::order, pass, stream_, part);
}

Shuffle::Chunks& Shuffle::chunks(std::int64_t pass) const {
  Chunks& kept = chunk_orders_[static_cast<std::size_t>(pass % 2)];
  if (kept.pass == pass) return kept;
  kept = {pass, permutation(chunks_, key(pass, 0)), 0};
  kept.last_at = kept.order.argmax().item<std::int64_t>();
  return kept;
}

// Every chunk but the last has chunk_ examples.
std::int64_t Shuffle::start_of(const Chunks& chunks, std::int64_t block) const {
  const std::int64_t before = std::min(block * chunks_a_block, chunks_);
  const std::int64_t missing = chunks.last_at < before ? chunks_ * chunk_ - size_ : 0;
  return before * chunk_ - missing;
}

std::vector<Shuffle::Run> Shuffle::runs(const Chunks& chunks, std::int64_t block) const {
  std::vector<Run> result;
  const std::int64_t first = block * chunks_a_block, last = std::min(first + chunks_a_block, chunks_);
  for (std::int64_t i = first; i < last; ++i) {
    const std::int64_t start = chunks.order[i].item<std::int64_t>() * chunk_;
    result.push_back({start, std::min(chunk_, size_ - start)});
  }
  return result;
}

void Shuffle::announce(std::int64_t pass, std::int64_t block) const {
  if (!expect_) return;
  for (const auto& [start, count] : runs(chunks(pass + block / blocks_), block % blocks_)) expect_(start, count);
}

at::Tensor Shuffle::shuffled(std::int64_t pass, std::int64_t block) const {
  if (chunks_ == 1) return permutation(size_, key(pass, 0));
  announce(pass, block);
  announce(pass, block + 1);
  std::vector<at::Tensor> parts;
  for (const auto& [start, count] : runs(chunks(pass), block))
    parts.push_back(at::arange(start, start + count, at::kLong));
  const at::Tensor positions = at::cat(parts);
  return positions.index_select(0, permutation(positions.size(0), key(pass, block + 1)));
}

const Shuffle::Block& Shuffle::block(std::int64_t pass, std::int64_t at) const {
  const Chunks& order = chunks(pass);
  std::int64_t which = at / (chunk_ * chunks_a_block);
  if (at >= start_of(order, which + 1)) ++which;  // the shorter chunk lies before
  const std::int64_t id = pass * blocks_ + which;
  Block& kept = kept_[static_cast<std::size_t>(id % 2)];
  if (kept.key == id) return kept;
  kept = {id, start_of(order, which), shuffled(pass, which)};
  return kept;
}

at::Tensor Shuffle::range(std::int64_t pass, std::int64_t begin, std::int64_t end) const {
  const std::scoped_lock lock(mutex_);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = begin; from < end;) {
    const Block& found = block(pass, from);
    const std::int64_t to = std::min(end, found.start + found.order.size(0));
    parts.push_back(found.order.slice(0, from - found.start, to - found.start));
    from = to;
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace vaetl
