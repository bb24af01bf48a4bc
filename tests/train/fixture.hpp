// Small data and runs that the tests of the Trainer share.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_folder.hpp"
#include "vaetl/train/trainer.hpp"

namespace vaetl::testing {

// N pictures (1, side, side) of K classes, uint8: class k is bright in its own row of cells, plus noise.
Dataset blobs(std::int64_t count, std::int64_t classes = 4, std::uint64_t seed = 0, std::int64_t side = 12);

// For those pictures.
std::shared_ptr<Model> small(const std::string& name, Json options = Json::object(), std::uint64_t seed = 1,
                             std::int64_t side = 12);

struct Checksum {
  std::map<std::string, std::string> tensors;
  bool operator==(const Checksum&) const = default;
};
Checksum checksum(const torch::nn::Module& module);

// Asks to stop once `at` steps are done.
struct StopAt final : Callback {
  explicit StopAt(std::int64_t at) : at_(at) {}
  void on_step(Progress& progress) override { progress.stop = progress.step >= at_; }
  std::int64_t at_;
};

struct Notices final : Callback {
  void on_notice(Progress& progress) override { lines += progress.notice + "\n"; }
  std::string lines;
};

}  // namespace vaetl::testing
