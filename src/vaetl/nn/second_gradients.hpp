// An objective that trains by a gradient's own gradient (WGAN-GP, R1, the contraction of codes) says so while the graph
// of the first one is made: the fastest kernels of some layers have gradients that cannot be differentiated.
//
//   const nn::SecondGradients wanted;
//   const at::Tensor score = critic.judge(x).score;   // grad(score, x) has a gradient
#pragma once
#include <utility>

namespace vaetl::nn {

// While one lives, layers of this thread compute by kernels that can be differentiated twice.
class SecondGradients {
 public:
  SecondGradients() : before_(std::exchange(held, true)) {}
  ~SecondGradients() { held = before_; }
  SecondGradients(const SecondGradients&) = delete;
  SecondGradients& operator=(const SecondGradients&) = delete;
  static bool wanted() { return held; }

 private:
  static inline thread_local bool held = false;
  bool before_;
};

}  // namespace vaetl::nn
