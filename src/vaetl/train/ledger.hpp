// What the terms were: values stay on the device until they are read, all at once, and are summed on the host in the
// order of the steps, so that when they are read changes nothing.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/json.hpp"
#include "vaetl/objectives/objective.hpp"

namespace vaetl {

struct BadTerm {
  std::string name;
  double value = 0;
  std::int64_t step = 0;
};

struct TermLabel {
  std::string name;
  bool minimised;
};
std::vector<TermLabel> labels_of(const std::vector<Terms>& terms);
std::vector<at::Tensor> values_of(const std::vector<Terms>& terms);  // in the same order, 0-dim float

class Ledger {
 public:
  void record(std::int64_t step, const std::vector<Terms>& terms);
  void record(std::int64_t step, const std::vector<TermLabel>& labels, const at::Tensor& values);  // (labels)
  // Reads what is pending. Returns the first term that is not finite, if any.
  std::optional<BadTerm> flush();
  // Means since the last call for this window; "loss" is the sum of the minimised terms' means.
  std::map<std::string, double> take_window();
  std::map<std::string, double> take_epoch();
  Json state() const;  // of the unfinished epoch and window; flush() first
  void load_state(const Json& json);

 private:
  struct Sum {
    double value = 0;
    std::int64_t count = 0;
    bool minimised = true;
  };
  using Sums = std::map<std::string, Sum>;
  static std::map<std::string, double> take(Sums& sums);
  struct Pending {
    std::int64_t step;
    TermLabel label;
  };
  std::vector<Pending> pending_;
  std::vector<at::Tensor> values_;  // of what is pending, one or several each
  Sums window_, epoch_;
};

}  // namespace vaetl
