// What writers of single operators build an ONNX graph with. Internal to export.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/io/onnx.hpp"
#include "vaetl/zoo/export/graph.hpp"

namespace vaetl::zoo::exporting {

using OnnxNames = std::vector<std::string>;

class OnnxBuilder {
 public:
  OnnxBuilder(const Graph& graph, OnnxModel& model) : graph_(graph), model_(model) {}

  const Graph& graph() const { return graph_; }
  const Value& value(Ref ref) const { return graph_[ref]; }

  // What the nodes that follow are called after.
  void begin(const std::string& name) { stem_ = name; }
  // What a value is called from now on.
  void define(Ref ref, const std::string& name) { names_[ref] = name; }

  // Those of values; a fixed one becomes a constant of the file where it is first used.
  std::string operator()(Ref ref);
  std::string as(Ref ref, at::ScalarType dtype);

  // A node with one output, whose name it returns; with several.
  std::string add(const std::string& op, OnnxNames inputs, std::vector<OnnxAttribute> attributes = {});
  OnnxNames add_several(std::size_t count, const std::string& op, OnnxNames inputs,
                        std::vector<OnnxAttribute> attributes = {});

  std::string constant(const at::Tensor& tensor);
  std::string scalar(double value, at::ScalarType dtype);
  std::string integers(const std::vector<std::int64_t>& values);  // (count) int64
  std::string sizes(const Sizes& sizes);                          // likewise, computed where they are free
  std::string reshape(const std::string& input, const Sizes& shape);
  std::string transpose(const std::string& input, std::vector<std::int64_t> order);

 private:
  std::string fresh();
  std::string size(const Size& size);  // (1) int64

  const Graph& graph_;
  OnnxModel& model_;
  std::string stem_ = "value";
  std::map<Ref, std::string> names_;
  std::map<std::string, std::string> known_integers_;
  std::map<std::size_t, std::string> free_sizes_;
  std::map<std::string, int> taken_;
};

// How an operator of ATen is written: the nodes that compute it, and the names of its outputs. `name` is that of ONNX's
// own operator where the writer serves several.
struct OnnxWriter {
  OnnxNames (*write)(OnnxBuilder& to, const Op& op, const std::string& name);
  std::string name = {};
};
using OnnxTable = std::map<std::string, OnnxWriter, std::less<>>;
const OnnxTable& elementwise_operators();
const OnnxTable& layer_operators();
const OnnxTable& shape_operators();
OnnxNames write_recurrent(OnnxBuilder& to, const Op& op, const std::string& name);  // lstm, gru

// ConfigError for an operator that none of them has.
OnnxNames write_operator(OnnxBuilder& to, const Op& op);

using Numbers = std::vector<std::int64_t>;

at::ScalarType output_type(const OnnxBuilder& to, const Op& op);
const Sizes& output_shape(const OnnxBuilder& to, const Op& op);
std::int64_t rank_of(const OnnxBuilder& to, Ref ref);
std::int64_t from_front(std::int64_t dim, std::int64_t rank);        // −1 is the last of them
std::int64_t dim_of(const OnnxBuilder& to, const Op& op, Ref self);  // the argument dim
// A tensor, or a number as one, of that type.
std::string operand(OnnxBuilder& to, const Op& op, std::string_view argument, at::ScalarType dtype);

}  // namespace vaetl::zoo::exporting
