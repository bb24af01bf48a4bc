// Weights for a layer of another shape: what LoadRule::on_mismatch names. Pure functions of their arguments.
#pragma once
#include <string>
#include <vector>

#include "vaetl/nn/state.hpp"

namespace vaetl {

// (out, C, …) → (out, k, …) for inputs of k channels instead of C, so that equal channels still give the same output.
// k < C: channel j is the sum of all c with c mod k = j; of a single one the sum of all.
// k > C: channel j is channel j mod C, divided by how many share it.
at::Tensor with_channels(const at::Tensor& weight, std::int64_t channels);

// `fresh` (m, …) with the rows that bear the same name in `from` (n, …); names.from has n, names.to m.
at::Tensor with_named_rows(const at::Tensor& from, const at::Tensor& fresh, const RowNames& names);
// `fresh` with the first min(n, m) rows of `from`.
at::Tensor with_first_rows(const at::Tensor& from, const at::Tensor& fresh);

// A dense layer (out, C · H · W) of maps C × H × W for maps k × H' × W': what it did with x it now does with x resized
// from H' × W' to H × W, bilinearly, over all pixels where that makes it smaller (antialiased). So the weights, seen as
// pictures, are interpolated bilinearly and divided by H'W' / HW. Channels as with_channels.
at::Tensor with_maps(const at::Tensor& weight, const MapShapes& maps);

// A table of positions (T, E) or (1, T, E) → (…, t, E), interpolated linearly between the centres of T equal parts.
at::Tensor with_positions(const at::Tensor& table, std::int64_t positions);

// What a rule makes of `from` in the place of `to`.
struct Reshaping {
  const std::string& name;  // in the model
  const at::Tensor& from;
  const at::Tensor& to;
  const LoadRule& rule;
  const LoadContext& context;
  std::int64_t maps_before = 0;  // channels of the nearest convolution before it; 0: none
  bool transposed = false;       // of a transposed convolution, (in, out, …)
};
struct Reshaped {
  at::Tensor value = {};   // undefined: the rule cannot apply
  std::string note = {};   // what was done, or what the rule wants
  std::int64_t taken = 0;  // values that come from `from`
};
Reshaped reshape(const Reshaping& wanted);

// A rule that would do, to be suggested; empty: none is known.
std::string rule_that_fits(const Reshaping& refused);

}  // namespace vaetl
