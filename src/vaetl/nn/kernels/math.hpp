// Functions of one number that the compiler can turn into vector code: no branches, no calls. Internal to the kernels.
#pragma once
#include <bit>
#include <cstdint>

#include "vaetl/core/target.hpp"

namespace vaetl::nn::kernels {

// exp(−a) = power (1 + r q) for 0 ≤ a ≤ 87, to 2 units in the last place: −a = n ln 2 + r, exp(r) by its Taylor
// polynomial of degree 6 (|r| ≤ ½ ln 2: the next term is below 1.2e-7 of it), and n into the exponent. Beyond 87 it
// stays where it is there.
struct ExpOfMinus {
  float power, r, q;
};
VAETL_INLINE ExpOfMinus parts_of_exp_of_minus(float a) {
  constexpr float log2_e = 1.44269504F, ln2_high = 0.693145752F, ln2_low = 1.42860677e-6F, most = 87;
  constexpr float round = 12582912;  // 1.5 · 2^23: adding it rounds to the nearest whole number
  const float x = -(a < most ? a : most);
  const float n = (x * log2_e + round) - round;
  const float r = (x - n * ln2_high) - n * ln2_low;
  float q = 1.0F / 720;
  q = q * r + 1.0F / 120;
  q = q * r + 1.0F / 24;
  q = q * r + 1.0F / 6;
  q = q * r + 0.5F;
  q = q * r + 1;
  return {std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23), r, q};
}

// exp(−a) for a ≥ 0; below the smallest normal number it is 0.
VAETL_INLINE float exp_of_minus(float a) {
  const ExpOfMinus e = parts_of_exp_of_minus(a);
  return a > 87 ? 0 : (e.q * e.r + 1) * e.power;
}

// exp(x), infinite beyond 87. What is not a number stays so.
VAETL_INLINE float exponential(float x) {
  const float e = exp_of_minus(x < 0 ? -x : x);
  return (x < 0 ? e : 1 / e) + (x == x ? 0 : x);
}

// log(1 + e) for e in [0, 1]: 2 atanh(s), s = e / (2 + e) ≤ 1/3, whose terms from s^17 on are below 1e-9.
VAETL_INLINE float log_of_one_plus(float e) {
  const float s = e / (2 + e), q = s * s;
  float p = 1.0F / 15;
  p = p * q + 1.0F / 13;
  p = p * q + 1.0F / 11;
  p = p * q + 1.0F / 9;
  p = p * q + 1.0F / 7;
  p = p * q + 1.0F / 5;
  p = p * q + 1.0F / 3;
  p = p * q + 1;
  return 2 * s * p;
}

// What is not a number stays so.
VAETL_INLINE float sigmoid(float x) {
  const float e = exp_of_minus(x < 0 ? -x : x), below = e / (1 + e);
  return (x < 0 ? below : 1 - below) + (x == x ? 0 : x);
}

// To 4 units in the last place, near 0 too: from exp(−2|x|) − 1. What is not a number stays so.
VAETL_INLINE float tanh(float x) {
  const ExpOfMinus e = parts_of_exp_of_minus(2 * (x < 0 ? -x : x));
  const float less_one = e.power * (e.r * e.q) + (e.power - 1), size = -less_one / (2 + less_one);
  return (x < 0 ? -size : size) + (x == x ? 0 : x);
}

}  // namespace vaetl::nn::kernels
