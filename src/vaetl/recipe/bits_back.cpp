#include "vaetl/recipe/bits_back.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "vaetl/core/parallel.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/nn/levels.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/recipe/level_shares.hpp"
#include "vaetl/train/evaluation_mode.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t pictures_a_chain = 64;  // at least: the clean bits of a chain are then about a hundredth
constexpr const char* coding = "compress";

// One thread for what LibTorch computes: how its kernels share out work, and with it the rounding, depends on their
// number.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = at::get_num_threads();
};

const FieldInfo& only_input(const Signature& signature) {
  const auto found = signature.inputs.find("input");
  if (found != signature.inputs.end() && signature.inputs.size() == 1 && found->second.dtype == at::kFloat) {
    return found->second;
  }
  throw ConfigError({coding, "a model of pictures alone", "another signature", "choose a VAE without conditions"});
}

// What the weights carry; before any was fitted, the mapping of bytes to the model's range.
Preprocess preprocess_of_bytes(const Model& model, const FieldInfo& input) {
  if (!model.preprocess().is_null()) return Preprocess::from_json(model.preprocess());
  DatasetInfo bytes;
  bytes.fields["input"] = {.shape = input.shape, .dtype = at::kByte, .low = 0, .high = 255};
  return Preprocess::standard(bytes, model.signature());
}

const nn::OverLevels& levels_in(const Likelihood& likelihood) {
  if (const auto* levels = dynamic_cast<const nn::OverLevels*>(&likelihood)) return *levels;
  throw ConfigError({coding, "a likelihood that gives each level of a pixel a probability", "a density",
                     "train the model with the likelihood beta_binomial or discretised_logistic"});
}

ConfigError wrong_preprocessing() {
  return ConfigError({coding, "preprocessing that takes bytes to the levels of the likelihood, and no more", "another",
                      "train the model on 8 bit pictures with the standard preprocessing"});
}

std::vector<std::int64_t> batch_of(std::int64_t count, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> sizes = {count};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

// One value an example, (N) → (N, shape…).
at::Tensor everywhere(const at::Tensor& values, const std::vector<std::int64_t>& shape) {
  return values.view(batch_of(values.size(0), std::vector<std::int64_t>(shape.size(), 1)))
      .expand(batch_of(values.size(0), shape))
      .contiguous();
}

template <class T>
void hash_values(Sha256& hash, const std::vector<T>& values) {
  hash.update(values.data(), values.size() * sizeof(T));
}

}  // namespace

std::int64_t chains_for(std::int64_t pictures) {
  return std::clamp<std::int64_t>(pictures / pictures_a_chain, 1, most_chains);
}

BitsBack::BitsBack(Model& model, std::int64_t chains)
    : model_(model),
      variational_(require<Variational>(model, coding)),
      preprocess_(preprocess_of_bytes(model, only_input(model.signature()))),
      chains_(chains),
      latent_(variational_.latent_size()) {
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model_);
  check_model();
  learn_levels();
}

void BitsBack::check_model() const {
  if (device_of(model_).type() != at::kCPU) {
    throw ConfigError({coding, "a model on the CPU", "one on another device", "move it there"});
  }
  if (variational_.log_prior(at::zeros({1, latent_})).defined()) {
    throw ConfigError({coding, "the prior N(0, 1)", "one that was learned", "train the model with the prior standard"});
  }
}

// Each level as the byte that it came from, if that leads back to it.
void BitsBack::learn_levels() {
  const std::vector<std::int64_t> shape = only_input(model_.signature()).shape;
  const auto raw_shape = preprocess_.raw_shape(shape);
  if (!raw_shape || std::count(raw_shape->begin(), raw_shape->end(), -1) > 0) throw wrong_preprocessing();
  shape_ = *raw_shape;
  const std::int64_t levels = levels_in(*decode_latents(at::zeros({chains_, latent_}))).levels();
  const at::Tensor all = at::arange(levels, at::kFloat);
  const at::Tensor restored = preprocess_.restore("input", everywhere(all / static_cast<double>(levels - 1), shape));
  byte_of_level_ = restored.flatten(1).select(1, 0).round().clamp(0, 255).to(at::kByte);
  const at::Tensor back = seen(everywhere(byte_of_level_, shape_)).flatten(1) * (levels - 1);
  if (!at::allclose(back, all.unsqueeze(1).expand_as(back), 0, 0.1)) throw wrong_preprocessing();
}

at::Tensor BitsBack::seen(const at::Tensor& bytes) const {
  Fields fields;
  fields.set("input", bytes);
  preprocess_.apply(fields);
  return fields.input();
}

// (N, shape…) → uint8 (N, D), once they are known to lead back to these bytes.
at::Tensor BitsBack::levels_of(const at::Tensor& pictures) const {
  const std::int64_t levels = byte_of_level_.size(0);
  const at::Tensor level = (seen(pictures).flatten(1) * (levels - 1)).round().clamp(0, levels - 1).to(at::kLong);
  const at::Tensor bytes = pictures.flatten(1);
  const at::Tensor lost = byte_of_level_.index({level}).ne(bytes);
  if (!lost.any().item<bool>()) return level.to(at::kByte);
  const std::string known = levels == 2
                                ? fmt::format("{} or {}", byte_of_level_[0].item<int>(), byte_of_level_[1].item<int>())
                                : "as its levels are";
  throw DataError({"pictures", "pixels that the model tells apart, " + known,
                   std::to_string(bytes.masked_select(lost)[0].item<int>()),
                   "choose a model with the likelihood beta_binomial or discretised_logistic"});
}

// A whole batch, with black pictures in the chains that have ended.
at::Tensor BitsBack::filled_up(const at::Tensor& pictures) const {
  if (pictures.size(0) == chains_) return pictures.contiguous();
  const at::Tensor batch = everywhere(byte_of_level_.slice(0, 0, 1).expand({chains_}).contiguous(), shape_);
  batch.slice(0, 0, pictures.size(0)).copy_(pictures);
  return batch;
}

std::shared_ptr<Likelihood> BitsBack::decode_latents(const at::Tensor& z) const {
  const OneThread alone;
  return variational_.decode(z);
}

BitsBack::Normals BitsBack::posterior(const at::Tensor& pictures) const {
  const OneThread alone;
  Fields fields;
  fields.set("input", seen(pictures));
  const Gaussian q = variational_.posterior(fields);
  const at::Tensor means = q.mean.to(at::kDouble).contiguous(), log_vars = q.log_var.to(at::kDouble).contiguous();
  const auto *mean = means.const_data_ptr<double>(), *log_var = log_vars.const_data_ptr<double>();
  Normals normals;
  for (std::int64_t i = 0; i < means.numel(); ++i) normals.push_back({mean[i], std::exp(0.5 * log_var[i])});
  return normals;
}

void BitsBack::encode_step(const at::Tensor& pictures, std::vector<RansStack>& stacks) const {
  const at::Tensor batch = filled_up(pictures), level = levels_of(batch);
  const Normals normals = posterior(batch);
  const at::Tensor z = at::zeros({chains_, latent_});
  std::vector<std::uint32_t> bucket(normals.size());
  const std::int64_t count = pictures.size(0);
  for (std::int64_t i = 0; i < count * latent_; ++i) {
    RansStack& stack = stacks[i / latent_];
    bucket[i] = buckets_.bucket_at(stack.peek(LatentBuckets::posterior_bits), normals[i]);
    stack.pop(buckets_.share(bucket[i], normals[i]), LatentBuckets::posterior_bits);
    z.mutable_data_ptr<float>()[i] = buckets_.middle(bucket[i]);
  }
  const auto likelihood = decode_latents(z);
  const nn::OverLevels& over = levels_in(*likelihood);
  const auto levels = static_cast<std::uint32_t>(over.levels());
  parallel_for(count, [&](std::int64_t chain) {
    const at::Tensor masses = over.masses(chain);
    const auto* mass = masses.const_data_ptr<double>();
    const auto* values = level.const_data_ptr<std::uint8_t>() + chain * level.size(1);
    for (std::int64_t i = 0; i < level.size(1); ++i) {
      stacks[chain].push(LevelShares(mass + i * levels, levels).of(values[i]), LevelShares::bits);
    }
    for (std::int64_t i = chain * latent_; i < (chain + 1) * latent_; ++i) {
      stacks[chain].push(LatentBuckets::prior_share(bucket[i]), LatentBuckets::prior_bits);
    }
  });
}

at::Tensor BitsBack::decode_step(std::int64_t count, std::vector<RansStack>& stacks) const {
  const at::Tensor z = at::zeros({chains_, latent_});
  std::vector<std::uint32_t> bucket(chains_ * latent_);
  for (std::int64_t i = count * latent_; i-- > 0;) {
    RansStack& stack = stacks[i / latent_];
    bucket[i] = stack.peek(LatentBuckets::prior_bits);
    stack.pop(LatentBuckets::prior_share(bucket[i]), LatentBuckets::prior_bits);
    z.mutable_data_ptr<float>()[i] = buckets_.middle(bucket[i]);
  }
  const auto likelihood = decode_latents(z);
  const nn::OverLevels& over = levels_in(*likelihood);
  const auto levels = static_cast<std::uint32_t>(over.levels());
  const at::Tensor pictures = at::empty(batch_of(count, shape_), at::kByte);
  const std::int64_t pixels = pictures.numel() / count;
  parallel_for(count, [&](std::int64_t chain) {
    const at::Tensor masses = over.masses(chain);
    const auto* mass = masses.const_data_ptr<double>();
    auto* bytes = pictures.mutable_data_ptr<std::uint8_t>() + chain * pixels;
    for (std::int64_t i = pixels; i-- > 0;) {
      const auto found = LevelShares(mass + i * levels, levels).at(stacks[chain].peek(LevelShares::bits));
      stacks[chain].pop(found.share, LevelShares::bits);
      bytes[i] = byte_of_level_.const_data_ptr<std::uint8_t>()[found.level];
    }
  });
  const Normals normals = posterior(filled_up(pictures));
  for (std::int64_t i = count * latent_; i-- > 0;) {
    stacks[i / latent_].push(buckets_.share(bucket[i], normals[i]), LatentBuckets::posterior_bits);
  }
  return pictures;
}

std::vector<RansWords> BitsBack::encode(const at::Tensor& pictures, const Coded& coded) const {
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model_);
  if (!shape_fits(shape_, pictures.sizes().slice(1)) || pictures.scalar_type() != at::kByte) {
    throw DataError({"pictures",
                     "uint8 of shape " + shape_text(batch_of(-1, shape_)),
                     dtype_name(pictures.scalar_type()) + " of shape " + shape_text(pictures.sizes().vec()),
                     {}});
  }
  std::vector<RansStack> stacks(chains_);
  for (std::int64_t first = 0; first < pictures.size(0); first += chains_) {
    encode_step(pictures.slice(0, first, first + chains_), stacks);
    if (coded) coded(std::min(first + chains_, pictures.size(0)));
  }
  std::vector<RansWords> streams;
  for (const RansStack& stack : stacks) streams.push_back(stack.words());
  return streams;
}

at::Tensor BitsBack::decode(const std::vector<RansWords>& streams, std::int64_t count, const std::string& where,
                            const Coded& coded) const {
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model_);
  std::vector<RansStack> stacks;
  for (const RansWords& words : streams) stacks.emplace_back(words, where);
  const at::Tensor pictures = at::empty(batch_of(count, shape_), at::kByte);
  for (std::int64_t end = count; end > 0;) {
    const std::int64_t first = (end - 1) / chains_ * chains_;
    pictures.slice(0, first, end).copy_(decode_step(end - first, stacks));
    end = first;
    if (coded) coded(count - end);
  }
  return pictures;
}

// Numbers that the model computes and, by what is coded, those of the mathematical library.
std::string BitsBack::fingerprint() const {
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model_);
  std::mt19937 random(0);
  const at::Tensor pictures = at::empty(batch_of(chains_, shape_), at::kByte);
  auto* bytes = pictures.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < pictures.numel(); ++i) {
    bytes[i] = byte_of_level_.const_data_ptr<std::uint8_t>()[random() % byte_of_level_.size(0)];
  }
  const Normals normals = posterior(pictures);
  const at::Tensor z = at::empty({chains_, latent_});
  for (std::int64_t i = 0; i < z.numel(); ++i) {
    z.mutable_data_ptr<float>()[i] = static_cast<float>(normals[i].mean);
  }
  Sha256 hash;
  hash_values(hash, normals);
  const auto likelihood = decode_latents(z);
  for (std::int64_t chain = 0; chain < chains_; ++chain) {
    const at::Tensor masses = levels_in(*likelihood).masses(chain);
    hash.update(masses.const_data_ptr(), masses.nbytes());
  }
  for (const RansWords& words : encode(pictures)) hash_values(hash, words);
  return hash.hex();
}

}  // namespace vaetl::recipe
