// Graphs for the CPU, which has none: a device to test captured steps on. As on CUDA, what is captured computes nothing
// at once, and a replay knows operators, the tensors that they were given and the numbers, nothing of what the host did
// between them.
#pragma once
#include <vector>

#include "vaetl/core/device_graph.hpp"
#include "vaetl/nn/plain_forms.hpp"

namespace vaetl::testing {

// While one lives, the CPU has graphs, and layers compute by operators alone: what recordings can see.
class GraphsOnTheCpu {
 public:
  GraphsOnTheCpu();
  ~GraphsOnTheCpu();
  GraphsOnTheCpu(const GraphsOnTheCpu&) = delete;
  GraphsOnTheCpu& operator=(const GraphsOnTheCpu&) = delete;
  static int captured();  // so far, in all
  static int replayed();

 private:
  nn::PlainForms plain_;
};

}  // namespace vaetl::testing
