// The device's part of a step, captured: an update is one graph a batch, each after the batch's seed, and one that ends
// it. Internal to train.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "vaetl/core/device_graph.hpp"
#include "vaetl/nn/schedule_values.hpp"
#include "vaetl/train/ledger.hpp"

namespace vaetl {

struct CapturedUpdate {
  std::size_t index = 0;
  std::vector<std::unique_ptr<DeviceGraph>> batches = {};  // gradients; the last one's are clipped
  std::unique_ptr<DeviceGraph> end = {};                   // the optimiser, where it can be divided, and the terms
  std::vector<at::Tensor> gradients = {};                  // otherwise: of the update's parameters
  std::vector<TermLabel> labels = {};
  at::Tensor terms = {};  // their values after a replay
};

// Steps of one kind do the same updates on batches of the same shapes.
struct CapturedStep {
  using Kind = std::vector<std::int64_t>;
  int warmed_up = 0;
  std::vector<Batch> batches = {};  // that the graphs read
  ScheduleValues values = {};
  std::vector<CapturedUpdate> updates = {};
  std::vector<std::int64_t> layouts = {};  // of the optimisers when it was captured
};

}  // namespace vaetl
