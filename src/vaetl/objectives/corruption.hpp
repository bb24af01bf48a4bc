// Damage to the input that a denoising autoencoder is to take away (Vincent et al., JMLR 11, 2010), or a restorer
// (objectives/restoration.hpp) to repair. It is described by a name and options in an objective's `corrupt`:
//
//   {"name": "reconstruction", "corrupt": {"name": "masking", "share": 0.3}}
//
// gaussian         x + σ ε, ε standard normal; clipped to the input's range on request
// masking          a share of the values, each by itself, becomes 0
// salt_and_pepper  a share of the values becomes the least or the greatest that an input can be, each as often
// and of pictures (objectives/picture_corruption.hpp) box, strokes and halve.
#pragma once
#include <ATen/core/Tensor.h>

#include "vaetl/core/registry.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl {

// What became of the values: each is still there but wrong; some are gone, and it is known which; what is fine is gone
// everywhere.
enum class Damage { noise, missing, detail };

// A class joins by registry<Corruption>().add<Mine>().
class Corruption {
 public:
  using Kind = Corruption;
  virtual ~Corruption() = default;
  // What apply() needs for these examples, from the default generator on x's device; often like x.
  virtual at::Tensor draw(const at::Tensor& x) const = 0;
  // x is left as it is; `info` says in which range its values lie.
  virtual at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const = 0;
  virtual Damage damage() const { return Damage::noise; }
  // bool, like x or with one channel for all: where values are missing. Undefined unless damage() says so.
  virtual at::Tensor missing(const at::Tensor& /*x*/, const at::Tensor& /*noise*/) const { return {}; }
};

template <>
Registry<Corruption>& registry<Corruption>();  // objectives/corruption.cpp

// Unlike other specs it is checked and completed where it is read, since it stands inside another's options.
template <>
struct Codec<Spec<Corruption>> {
  static void read(const Json& json, const std::string& path, Spec<Corruption>& value, const Rule& rule);
  static Json write(const Spec<Corruption>& value);
  static Json schema(const Rule& rule);
};

namespace corruptions {

class Gaussian final : public Corruption {
 public:
  static constexpr std::string_view name = "gaussian";
  struct Options {
    double sigma = 0.3;
    bool clip = false;
    static constexpr auto fields() {
      return std::tuple{field("sigma", &Options::sigma, "standard deviation of the noise", between(0, 1e6)),
                        field("clip", &Options::clip, "to the input's range, as files of pictures have it")};
    }
  };
  explicit Gaussian(Options options) : options_(options) {}
  at::Tensor draw(const at::Tensor& x) const override;
  at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const override;

 private:
  Options options_;
};

// Noise is uniform in [0, 1): what lies below `share` is changed.
class Masking final : public Corruption {
 public:
  static constexpr std::string_view name = "masking";
  struct Options {
    double share = 0.3;
    static constexpr auto fields() {
      return std::tuple{field("share", &Options::share, "of the values that become 0", between(0, 1))};
    }
  };
  explicit Masking(Options options) : options_(options) {}
  at::Tensor draw(const at::Tensor& x) const override;
  at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const override;
  Damage damage() const override { return Damage::missing; }
  at::Tensor missing(const at::Tensor& x, const at::Tensor& noise) const override;

 private:
  Options options_;
};

// The same noise: below ½ share the least value, from there to share the greatest. Where the model declares no range,
// both are the batch's own.
class SaltAndPepper final : public Corruption {
 public:
  static constexpr std::string_view name = "salt_and_pepper";
  struct Options {
    double share = 0.3;
    static constexpr auto fields() {
      return std::tuple{field("share", &Options::share, "of the values that become extreme", between(0, 1))};
    }
  };
  explicit SaltAndPepper(Options options) : options_(options) {}
  at::Tensor draw(const at::Tensor& x) const override;
  at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const override;

 private:
  Options options_;
};

}  // namespace corruptions
}  // namespace vaetl
