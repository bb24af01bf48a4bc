// Whoever records which operators a model computes with (zoo/export) wants those of LibTorch, none of ours, and no look
// at values.
//
//   const nn::PlainForms wanted;
//   model.classify(model.encode(fields));   // at::linear, at::conv2d, at::lstm, …
#pragma once
#include <ATen/core/Tensor.h>

#include <utility>

namespace vaetl::nn {

// While one lives, layers of this thread compute by the plain forms of the fused functions (nn/fused.hpp).
class PlainForms {
 public:
  PlainForms() : before_(std::exchange(held, true)) {}
  ~PlainForms() { held = before_; }
  PlainForms(const PlainForms&) = delete;
  PlainForms& operator=(const PlainForms&) = delete;
  static bool wanted() { return held; }

 private:
  static inline thread_local bool held = false;
  bool before_;
};

// Reading them waits for no device, and nobody records that they are read.
inline bool may_look_at(const at::Tensor& values) { return values.is_cpu() && !PlainForms::wanted(); }

}  // namespace vaetl::nn
