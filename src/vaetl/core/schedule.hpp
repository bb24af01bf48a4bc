// A number or a curve over training progress in [0, 1]. In JSON: 0.5, {"linear": [from, to]}, {"cosine": {"warmup":
// 0.1}},
// {"dann": 10}.
//   linear  from + (to − from) p
//   cosine  p < warmup: p / warmup; then ½ (1 + cos π (p − warmup) / (1 − warmup))     (arXiv:1608.03983, one period)
//   dann    2 / (1 + exp(−γ p)) − 1                                                    (arXiv:1505.07818,
//   section 5.2.2)
#pragma once
#include "vaetl/core/config.hpp"

namespace vaetl {

struct Schedule {
  enum class Curve { constant, linear, cosine, dann };
  Schedule(double constant = 0) : from(constant) {}
  static Schedule linear(double from, double to);
  static Schedule cosine(double warmup = 0);
  static Schedule dann(double gamma = 10);

  double at(double progress) const;

  Curve curve = Curve::constant;
  double from = 0;  // constant: the value; linear: the start; cosine: the warm-up's share; dann: gamma
  double to = 0;    // linear: the end
};

template <>
struct Codec<Schedule> {
  static void read(const Json&, const std::string& path, Schedule& value, const Rule& rule);
  static Json write(const Schedule& value);
  static Json schema(const Rule& rule);
};

}  // namespace vaetl
