// Loops over plain memory for what nn/fused.hpp computes in one pass where LibTorch takes several. Row-major float32,
// no tensors, no threads: the caller splits the work. Compiled for several processors, of which the program takes the
// best at its start; a result differs between processors in the last bits. Internal to nn.
#pragma once
#include <cstdint>

namespace vaetl::nn::kernels {

// Activations whose derivative can be told from their result.
enum class Rule { identity, relu, leaky_relu, sigmoid, tanh, elu };

// y (rows, columns), y_row values from row to row, ← rule(y + bias) in place, for identity and the rectifiers; the
// others are left at y + bias.
void add_bias(float* y, const float* bias, std::int64_t rows, std::int64_t columns, std::int64_t y_row, Rule rule,
              float slope);

// before_i ← gradient_i · the derivative of the rule where its result is result_i; not for identity. In place where
// `before` is `gradient`.
void activation_gradient(float* before, const float* gradient, const float* result, std::int64_t count, Rule rule,
                         float slope);

// sums (columns) ← sums + Σ of the rows, row_size values from row to row.
void add_rows(float* sums, const float* values, std::int64_t rows, std::int64_t row_size, std::int64_t columns);

// Of one example's values: Σ_i x_i l_i − max(l_i, 0) − log(1 + exp(−|l_i|)), the log-likelihood of x under
// Bernoulli(σ(l)); derivative_i = x_i − σ(l_i).
float bernoulli_log_prob(const float* logits, const float* x, float* derivative, std::int64_t count);

// Σ_i (σ(l_i) − x_i)², and its derivative by l_i.
float sigmoid_squared_distance(const float* logits, const float* x, float* derivative, std::int64_t count);

// Of one example: ½ Σ_i (mean_i² + exp(log_var_i) − 1 − log_var_i), and its derivative by log_var_i, ½ (exp(log_var_i)
// − 1).
float gaussian_kl(const float* mean, const float* log_var, float* derivative, std::int64_t count);
// z_i = mean_i + exp(½ log_var_i) noise_i, and its derivative by log_var_i, ½ exp(½ log_var_i) noise_i.
void gaussian_sample(float* z, float* derivative, const float* mean, const float* log_var, const float* noise,
                     std::int64_t count);

struct ClassLoss {
  float loss;
  bool right;  // is the label the first of the largest logits?
};
// −Σ_k q_k log softmax(l)_k, q = 1 − smoothing at the label and smoothing / count everywhere besides; derivative_k =
// softmax(l)_k − q_k.
ClassLoss cross_entropy(const float* logits, std::int64_t label, float smoothing, float* derivative,
                        std::int64_t count);

// Σ_i (a_i − b_i)².
float squared_distance(const float* a, const float* b, std::int64_t count);
// out_i = scale (a_i − b_i)
void scaled_difference(float* out, const float* a, const float* b, float scale, std::int64_t count);
// out_i = scale a_i
void scaled(float* out, const float* a, float scale, std::int64_t count);

}  // namespace vaetl::nn::kernels
