// Inputs of 0 and 1 from inputs in [0, 1], any shape.
#pragma once
#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// `how` tells the three that the literature knows:
//   threshold  x > threshold
//   static     1 with probability x, drawn once: the same picture gives the same values whenever it is seen (as the
//   fixed
//              binarisation of MNIST, Larochelle and Murray, AISTATS 2011). The draw is a hash of the picture's own
//              values, so it needs no file of its own and travels with the weights.
//   dynamic    1 with probability x, drawn afresh each time (arXiv:1509.00519, section 5): an augmentation.
//              Where the preprocessing has a static one it draws from the picture as that found it, so training is
//              dynamic and scores are static; it is the first augmentation then.
// Values outside [0, 1] count as 0 and 1.
//
//   "preprocess": ["scale", "binarise"], "augment": [{"name": "binarise", "how": "dynamic"}]
class Binarise final : public Transform {
 public:
  static constexpr const char* name = "binarise";
  struct Options {
    std::string how = "static";
    double threshold = 0.5;
    static constexpr auto fields() {
      return std::tuple{choice("how", &Options::how, "threshold; drawn once; drawn afresh each time (an augmentation)",
                               {"threshold", "static", "dynamic"}),
                        field("threshold", &Options::threshold, "of the first: what is above it becomes 1")};
    }
    void validate() const;
  };
  explicit Binarise(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return options_.how == "dynamic"; }

 private:
  Options options_;
};

// Numbers in [0, 1), float64, for each of `values` (N, …): a function of each example's values alone, at 8 bits.
at::Tensor uniform_by_content(const at::Tensor& values);

}  // namespace vaetl::transforms
