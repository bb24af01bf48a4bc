// Functions of one number that the compiler can turn into vector code: no branches, no calls. Internal to the kernels.
#pragma once
#include <bit>
#include <cstdint>

#define VAETL_INLINE inline __attribute__((always_inline))

namespace vaetl::nn::kernels {

// exp(−a) for a ≥ 0, to 2 units in the last place: −a = n ln 2 + r, exp(r) by its Taylor polynomial of degree 6 (|r| ≤
// ½ ln 2: the next term is below 1.2e-7 of it), and n into the exponent. Below the smallest normal number it is 0.
VAETL_INLINE float exp_of_minus(float a) {
  constexpr float log2_e = 1.44269504F, ln2_high = 0.693145752F, ln2_low = 1.42860677e-6F, most = 87;
  constexpr float round = 12582912;  // 1.5 · 2^23: adding it rounds to the nearest whole number
  const float x = -(a < most ? a : most);
  const float n = (x * log2_e + round) - round;
  const float r = (x - n * ln2_high) - n * ln2_low;
  float p = 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1;
  p = p * r + 1;
  const float power = std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
  return a > most ? 0 : p * power;
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

}  // namespace vaetl::nn::kernels
