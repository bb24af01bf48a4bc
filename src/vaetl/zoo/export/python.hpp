// A graph as a module of Python that needs torch alone. Internal to export.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vaetl/zoo/export/graph.hpp"

namespace vaetl::zoo::exporting {

struct PythonMethod {
  std::string text = {};                             // of the class, with its indentation
  std::map<std::string, at::Tensor> constants = {};  // that are too large for the text; self.NAME in it
};

// def NAME(self, INPUT…), one line an operator; weights are read as w["…"]. ConfigError for an operator that is
// unknown.
PythonMethod python_method(const Graph& graph, const std::string& name);

// A literal.
std::string python_text(const std::string& text);
std::string python_shape(at::IntArrayRef sizes);  // (8, 1), (8,), ()
std::string python_dtype(at::ScalarType type);    // torch.float32

}  // namespace vaetl::zoo::exporting
