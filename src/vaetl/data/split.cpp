// Stratified choices: every class is permuted by a key of its own, so that what is drawn from one does not depend on
// how many are drawn, nor on the other classes.
#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/dataset.hpp"

namespace vaetl {
namespace {

enum class Choice : std::int64_t { take = 0, hold_out, fold };  // so that equal seeds do not choose alike

std::string class_text(const DatasetInfo& info, std::size_t label) {
  return label < info.classes.size() ? fmt::format("class {} ({})", label, info.classes[label])
                                     : fmt::format("class {}", label);
}

// The positions of every class in storage order.
std::vector<at::Tensor> positions_by_class(const Dataset& data) {
  const at::Tensor labels = data.labels();
  const at::Tensor order = at::argsort(labels, /*stable=*/true, /*dim=*/0, /*descending=*/false);
  const at::Tensor counts = at::bincount(labels, {}, data.classes());
  return order.split_with_sizes(std::vector<std::int64_t>(counts.const_data_ptr<std::int64_t>(),
                                                          counts.const_data_ptr<std::int64_t>() + counts.numel()));
}

std::vector<at::Tensor> strata(const Dataset& data) {
  if (data.classes() > 0) return positions_by_class(data);
  return {at::arange(data.size(), at::kLong)};
}

std::string stratum_text(const Dataset& data, std::size_t stratum) {
  return data.classes() > 0 ? class_text(data.info(), stratum) : "the data";
}

at::Tensor shuffled(const at::Tensor& positions, std::uint64_t seed, Choice choice, std::size_t stratum) {
  const auto key =
      random_key(seed, Purpose::split, static_cast<std::int64_t>(choice), static_cast<std::int64_t>(stratum));
  return positions.index_select(0, at::randperm(positions.size(0), make_generator(key), at::kLong));
}

Parts divide(const Dataset& data, const std::vector<at::Tensor>& held) {
  at::Tensor mask = at::zeros({data.size()}, at::kBool);
  for (const auto& positions : held) mask.index_fill_(0, positions, true);
  return {data.select(mask.logical_not()), data.select(mask)};
}

void require_examples(const Dataset& data) {
  if (data.size() == 0)
    throw DataError({data.info().name.empty() ? "dataset" : data.info().name, "examples", "none", {}});
}

// Neighbours share values: the held-out examples are the last, and none before them shares a value with them.
Parts hold_out_last(const Dataset& data, double fraction) {
  const std::int64_t size = data.size(), gap = data.info().overlap;
  const auto count = std::max<std::int64_t>(1, std::llround(fraction * static_cast<double>(size)));
  if (size - gap - count < 1) {
    throw DataError({"hold_out",
                     fmt::format("more than {} examples, for a gap of {} between the parts", gap + count, gap),
                     fmt::format("{}", size), "use shorter windows or a smaller share"});
  }
  return {data.select(at::arange(size - gap - count, at::kLong)),
          data.select(at::arange(size - count, size, at::kLong))};
}

}  // namespace

Dataset Dataset::take_per_class(std::int64_t count, std::uint64_t seed) const {
  if (count < 1) throw ConfigError({"take_per_class", "at least 1", fmt::format("{}", count), {}});
  std::vector<at::Tensor> chosen;
  const auto classes = positions_by_class(*this);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (classes[c].size(0) < count) {
      throw DataError({"take_per_class", fmt::format("{} examples of every class", count),
                       fmt::format("{} of {}", classes[c].size(0), class_text(info(), c)), "take fewer"});
    }
    chosen.push_back(shuffled(classes[c], seed, Choice::take, c).narrow(0, 0, count));
  }
  if (chosen.empty()) throw DataError({"take_per_class", "labelled examples", "none", {}});
  return select(std::get<0>(at::cat(chosen).sort()));
}

Parts hold_out(const Dataset& data, double fraction, std::uint64_t seed) {
  if (!(fraction > 0 && fraction < 1)) {
    throw ConfigError({"hold_out", "a share between 0 and 1", fmt::format("{}", fraction), {}});
  }
  require_examples(data);
  if (data.info().overlap > 0) return hold_out_last(data, fraction);
  std::vector<at::Tensor> held;
  const auto groups = strata(data);
  for (std::size_t c = 0; c < groups.size(); ++c) {
    const std::int64_t size = groups[c].size(0);
    if (size == 0) continue;
    if (size == 1) {
      throw DataError({"hold_out", "at least 2 examples of every class", "1 of " + stratum_text(data, c),
                       "add examples, or hold nothing out"});
    }
    const auto share = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(size)));
    const std::int64_t count = std::clamp<std::int64_t>(share, 1, size - 1);
    held.push_back(shuffled(groups[c], seed, Choice::hold_out, c).narrow(0, 0, count));
  }
  return divide(data, held);
}

Parts fold(const Dataset& data, std::int64_t index, std::int64_t count, std::uint64_t seed) {
  if (count < 2) throw ConfigError({"fold", "at least 2 folds", fmt::format("{}", count), {}});
  if (index < 0 || index >= count) {
    throw ConfigError({"fold", fmt::format("a fold from 0 to {}", count - 1), fmt::format("{}", index), {}});
  }
  require_examples(data);
  if (data.info().overlap > 0) {
    throw DataError({"fold", "examples that share no values", "windows of a series", "hold out a share: validation"});
  }
  std::vector<at::Tensor> held;
  const auto groups = strata(data);
  std::int64_t dealt = 0;  // dealing goes on from class to class, so that the folds differ by one example at most
  for (std::size_t c = 0; c < groups.size(); ++c) {
    const std::int64_t size = groups[c].size(0);
    if (size == 0) continue;
    if (size < count) {
      throw DataError({"fold", fmt::format("at least {} examples of every class", count),
                       fmt::format("{} of {}", size, stratum_text(data, c)), "use fewer folds"});
    }
    const std::int64_t first = (index - dealt % count + count) % count;
    held.push_back(shuffled(groups[c], seed, Choice::fold, c).slice(0, first, size, count));
    dealt += size;
  }
  return divide(data, held);
}

}  // namespace vaetl
