// What a program may do between steps. A callback reads; it cannot alter losses or gradients. To cancel from anywhere,
// set `stop` (the run is saved and returns).
//
//   struct Log final : Callback {
//     void on_log(Progress& p) override { std::cerr << p.step << ' ' << p.scalars.at("loss") << '\n'; }
//   };
//
// One that is registered is reached by recipes: "callbacks": ["csv", {"name": "tensorboard", "histograms": 5}].
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/registry.hpp"

namespace vaetl {

class Model;
struct Pipeline;

// What a callback drew, for others to show.
struct DrawnPicture {
  std::string tag;
  std::int64_t step = 0;
  at::Tensor image;  // uint8 (C, H, W)
};

struct Progress {
  Model& model;                                 // whose weights are trained
  std::int64_t epoch = 0, step = 0;             // step: finished updates since the start of training
  std::int64_t steps_per_epoch = 0, steps = 0;  // of the whole training
  std::map<std::string, double> scalars =
      {};                   // on_log: means of the terms since the last log; on_epoch: of the epoch, and metrics
  std::string notice = {};  // on_notice: one line worth telling
  bool stop = false;
  std::string directory = {};               // the run folder; empty: nothing is written
  const Pipeline* data = nullptr;           // of the training
  Model* averaged = nullptr;                // with the averaged weights, where there are any
  std::vector<DrawnPicture> pictures = {};  // since the tensorboard callback took them last
  // What is validated and returned.
  Model& result() const { return averaged ? *averaged : model; }
};

class Callback {
 public:
  using Kind = Callback;
  virtual ~Callback() = default;
  virtual void on_begin(Progress&) {}   // before the first update; step > 0 where a run is resumed
  virtual void on_step(Progress&) {}    // after each step; reads nothing from the device
  virtual void on_log(Progress&) {}     // every log_every steps
  virtual void on_epoch(Progress&) {}   // at an entry of the history, after its validation: see validate_at
  virtual void on_notice(Progress&) {}  // resumed at …, frozen features are cached, …
  virtual void on_wait(Progress&) {}    // between the batches of a validation: `stop` breaks it off
  virtual void on_end(Progress&) {}
};

template <>
Registry<Callback>& registry<Callback>();  // recipe/callbacks.cpp: csv, pictures, tensorboard

}  // namespace vaetl
