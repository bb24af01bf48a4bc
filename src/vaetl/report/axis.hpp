// From values to places on paper: the range of an axis and its ticks.
#pragma once
#include <string>
#include <vector>

namespace vaetl {

class Axis {
 public:
  struct Tick {
    double place;  // in units of the drawing
    std::string label;
  };

  // [low, high] with about `count` round numbers in it: multiples of 1, 2 or 5 times a power of ten.
  static Axis round(double low, double high, double from, double to, int count);
  // Exactly [low, high], with ticks at `values`; those whose labels would touch a neighbour's are left out.
  static Axis at_values(const std::vector<double>& values, bool log, double from, double to);

  double place(double value) const;
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  double low_ = 0, high_ = 1, from_ = 0, to_ = 1;
  bool log_ = false;
  std::vector<Tick> ticks_;
};

}  // namespace vaetl
