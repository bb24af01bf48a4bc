// A number or a curve over training: a pure function of how much of it is done. In JSON: 0.5, or one of
//
//   {"linear": [from, to]}                      {"cosine": {"warmup": 0.1}}
//   {"step": {"every": 30, "unit": "epochs"}}   {"exponential": {"factor": 0.95, "unit": "epochs"}}
//   {"one_cycle": {}}                           {"dann": 10}
//
// with the options of core/curves.hpp; {"linear": {…}} and {"constant": {…}} are the long forms, which take a warm-up.
#pragma once
#include <map>
#include <string>
#include <variant>

#include "vaetl/core/curves.hpp"

namespace vaetl {

// How long a training is, for curves in epochs or steps; 0: not known.
struct Span {
  double steps = 0, steps_per_epoch = 0;
};

struct Schedule {
  Schedule(double constant = 0) : curve(curves::Constant{.value = constant}) {}
  template <class Curve>
  requires requires(const Curve& curve) { curve.at(0.0, 1.0); }
  Schedule(Curve which) : curve(std::move(which)) {}
  static Schedule linear(double from, double to);
  static Schedule cosine(double warmup = 0);
  static Schedule dann(double gamma = 10);

  // The value when the share `progress` of a training is done. ConfigError for a curve in epochs or steps of a training
  // whose length is not known.
  double at(double progress, Span span = {}) const;

  std::variant<curves::Constant, curves::Linear, curves::Cosine, curves::Step, curves::Exponential, curves::OneCycle,
               curves::Dann>
      curve;
};

std::map<std::string, Json> curve_schemas();  // by name, of a curve's options

template <>
struct Codec<Schedule> {
  static void read(const Json&, const std::string& path, Schedule& value, const Rule& rule);
  static Json write(const Schedule& value);
  static Json schema(const Rule& rule);
};

}  // namespace vaetl
