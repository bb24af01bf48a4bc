// Damaged pictures repaired by a model (nn/restorer.hpp). A model whose weights fit its description with another height
// and width, as those of convolutions alone do, is described again for the size that comes.
//
//   Repairer repairer(*model, "my app");
//   at::Tensor repaired = repairer.repair(repairer.shades().seen(pixels), "photo.png");
#pragma once
#include <memory>
#include <string>

#include "vaetl/nn/model.hpp"
#include "vaetl/recipe/shades.hpp"

namespace vaetl::recipe {

// The same weights in the same description for pictures of this height and width. DataError, beginning with `where`,
// where the description has no such size or the weights do not fit it then.
std::shared_ptr<Model> model_at_size(const Model& model, std::int64_t height, std::int64_t width,
                                     const std::string& where);

struct RepairOptions {
  // Larger pictures are repaired in parts of this side that overlap by the margin, so that memory stays bounded; equal
  // to the whole where the model sees no further than the margin. Both are multiples of what it halves pictures to.
  std::int64_t part = 512, margin = 64;
};

class Repairer {
 public:
  // ConfigError, beginning with `by`: a model that repairs nothing, or sees no pictures. It is in evaluation mode and
  // outlives this.
  Repairer(Model& model, const std::string& by, RepairOptions options = {});
  const Shades& shades() const { return shades_; }
  // (N, C, H, W) as the model sees them → the same repaired. Without gradients. DataError, beginning with `where`, for
  // a size that the model cannot take.
  at::Tensor repair(const at::Tensor& damaged, const std::string& where);

 private:
  at::Tensor whole(const at::Tensor& damaged, const std::string& where);

  Model& model_;
  RepairOptions options_;
  Shades shades_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::shared_ptr<Model>> sized_;  // by height and width
};

}  // namespace vaetl::recipe
