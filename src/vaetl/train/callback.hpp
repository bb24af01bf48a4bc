// What a program may do between steps. A callback reads; it cannot alter losses or gradients. To cancel from anywhere,
// set `stop` (the run is saved and returns).
//
//   struct Log final : Callback {
//     void on_log(Progress& p) override { std::cerr << p.step << ' ' << p.scalars.at("loss") << '\n'; }
//   };
#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace vaetl {

class Model;

struct Progress {
  Model& model;
  std::int64_t epoch = 0, step = 0;             // step: finished updates since the start of training
  std::int64_t steps_per_epoch = 0, steps = 0;  // of the whole training
  std::map<std::string, double> scalars =
      {};                   // on_log: means of the terms since the last log; on_epoch: of the epoch, and metrics
  std::string notice = {};  // on_notice: one line worth telling
  bool stop = false;
};

class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_begin(Progress&) {}   // before the first update; step > 0 where a run is resumed
  virtual void on_step(Progress&) {}    // after each step; reads nothing from the device
  virtual void on_log(Progress&) {}     // every log_every steps
  virtual void on_epoch(Progress&) {}   // at the end of epochs, validate_every steps apart at least; after validation
  virtual void on_notice(Progress&) {}  // resumed at …, frozen features are cached, …
  virtual void on_end(Progress&) {}
};

}  // namespace vaetl
