#include <ATen/ops/cat.h>

#include "vaetl/zoo/export/onnx_builder.hpp"

namespace vaetl::zoo::exporting {
namespace {

constexpr std::size_t tensors_of_layer = 4;

// The order in which ONNX has the gates: of an LSTM i, o, f, c where ATen has i, f, c, o; of a GRU z, r, h where ATen
// has r, z, h.
struct Gates {
  std::string op;
  std::vector<std::int64_t> order;
};

// (gates · H, …) with the gates in that order.
at::Tensor in_order(const at::Tensor& weight, const Gates& gates) {
  const auto parts = weight.detach().chunk(static_cast<std::int64_t>(gates.order.size()), 0);
  std::vector<at::Tensor> ordered;
  for (const std::int64_t gate : gates.order) ordered.push_back(parts[static_cast<std::size_t>(gate)]);
  return at::cat(ordered);
}

class RecurrentWriter {
 public:
  RecurrentWriter(OnnxBuilder& to, const Op& op, Gates gates)
      : to_(to), op_(op), gates_(std::move(gates)), weights_(op.tensors("params")) {
    const bool plain = op.flag("has_biases") && !op.flag("bidirectional") && !op.flag("train");
    if (!plain) refuse_operator(op, "ONNX");
    for (const auto& weight : weights_) {
      if (!weight || !to.value(*weight).fixed) refuse_operator(op, "ONNX");
    }
  }

  // The outputs of every step, and where each of the states stopped.
  OnnxNames write(const Refs& states) {
    const bool batch_first = op_.flag("batch_first");
    std::string x = to_(op_.tensor("input"));
    if (batch_first) x = to_.transpose(x, {1, 0, 2});
    std::vector<OnnxNames> stopped(states.size());
    for (std::size_t layer = 0; layer * tensors_of_layer < weights_.size(); ++layer) {
      const OnnxNames outputs = write_layer(layer, x, states);
      x = to_.add("Squeeze", {outputs[0], to_.integers({1})});
      for (std::size_t i = 0; i < states.size(); ++i) stopped[i].push_back(outputs[i + 1]);
    }
    OnnxNames result = {batch_first ? to_.transpose(x, {1, 0, 2}) : x};
    for (const OnnxNames& each : stopped) {
      result.push_back(each.size() == 1 ? each[0] : to_.add("Concat", each, {{"axis", std::int64_t{0}}}));
    }
    return result;
  }

 private:
  // Y (T, 1, N, H), then a state (1, N, H) each.
  OnnxNames write_layer(std::size_t layer, const std::string& x, const Refs& states) {
    const std::size_t first = layer * tensors_of_layer;
    const auto own = [&](std::size_t number) { return in_order(to_.value(*weights_[first + number]).example, gates_); };
    OnnxNames inputs = {x, to_.constant(own(0).unsqueeze(0)), to_.constant(own(1).unsqueeze(0)),
                        to_.constant(at::cat({own(2), own(3)}).unsqueeze(0)), ""};
    for (const auto& state : states) inputs.push_back(start_of(*state, static_cast<std::int64_t>(layer)));
    std::vector<OnnxAttribute> attributes = {{"hidden_size", to_.value(*weights_[first + 1]).example.size(1)}};
    if (gates_.op == "GRU") attributes.push_back({"linear_before_reset", std::int64_t{1}});
    return to_.add_several(states.size() + 1, gates_.op, inputs, attributes);
  }

  // (layers, N, H) → (1, N, H)
  std::string start_of(Ref state, std::int64_t layer) {
    if (weights_.size() == tensors_of_layer) return to_(state);
    return to_.add("Slice", {to_(state), to_.integers({layer}), to_.integers({layer + 1}), to_.integers({0})});
  }

  OnnxBuilder& to_;
  const Op& op_;
  Gates gates_;
  Refs weights_;
};

}  // namespace

OnnxNames write_recurrent(OnnxBuilder& to, const Op& op, const std::string&) {
  if (op.name == "gru") return RecurrentWriter(to, op, {"GRU", {1, 0, 2}}).write({op.tensor("hx")});
  return RecurrentWriter(to, op, {"LSTM", {0, 3, 1, 2}}).write(op.tensors("hx"));
}

}  // namespace vaetl::zoo::exporting
