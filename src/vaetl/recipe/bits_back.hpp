// Lossless coding of pictures by a VAE: bits-back coding with asymmetric numeral systems (arXiv:1901.04866,
// section 2.4). A picture x is coded by taking z from the stack as a draw from q(z | x), then putting x under
// p(x | z) and z under p(z) onto it: −ELBO bits on average. The way back is the same, backwards, and computes the same
// numbers, to the bit: every pass of the model has the same batch and runs on one thread, whatever the threads of the
// program; what is shared among those is exact.
//
//   const BitsBack coder(*vae.model, chains_for(images.size(0)));
//   const auto streams = coder.encode(images);
//   const at::Tensor same = coder.decode(streams, images.size(0), "images.bb");
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/rans.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/recipe/latent_buckets.hpp"

namespace vaetl::recipe {

using RansWords = std::vector<std::uint32_t>;
using Coded = std::function<void(std::int64_t pictures)>;  // told again and again how many are done

inline constexpr std::int64_t most_chains = 16;
// How many stacks so many pictures are shared out to: more are faster, and each begins with some hundred clean bits.
std::int64_t chains_for(std::int64_t pictures);

class BitsBack {
 public:
  // Picture i goes to chain i mod `chains`. The model stays as it is and has to outlive this. ConfigError, with what to
  // do, for one that is not a VAE over levels: no Variational, a likelihood that is a density, a learned prior, classes
  // as conditions, preprocessing that does not map bytes to the likelihood's levels.
  BitsBack(Model& model, std::int64_t chains);

  const std::vector<std::int64_t>& shape() const { return shape_; }  // of one picture
  // uint8 (N, shape…) → a stream a chain. DataError for pixels that the model has no level for.
  std::vector<RansWords> encode(const at::Tensor& pictures, const Coded& coded = {}) const;
  // And back. DataError, beginning with `where`, where a stream ends early.
  at::Tensor decode(const std::vector<RansWords>& streams, std::int64_t count, const std::string& where,
                    const Coded& coded = {}) const;
  // SHA-256 of what this machine and model make of fixed pictures: two that agree in it code alike.
  std::string fingerprint() const;

 private:
  using Normals = std::vector<LatentBuckets::Normal>;  // of every chain and dimension of z
  void check_model() const;
  void learn_levels();
  std::shared_ptr<Likelihood> decode_latents(const at::Tensor& z) const;
  at::Tensor seen(const at::Tensor& bytes) const;
  at::Tensor levels_of(const at::Tensor& pictures) const;
  at::Tensor filled_up(const at::Tensor& pictures) const;
  Normals posterior(const at::Tensor& pictures) const;
  void encode_step(const at::Tensor& pictures, std::vector<RansStack>& stacks) const;
  at::Tensor decode_step(std::int64_t count, std::vector<RansStack>& stacks) const;

  Model& model_;
  Variational& variational_;
  Preprocess preprocess_;
  std::int64_t chains_, latent_;
  std::vector<std::int64_t> shape_ = {};
  at::Tensor byte_of_level_ = {};  // uint8 (S)
  LatentBuckets buckets_ = {};
};

}  // namespace vaetl::recipe
