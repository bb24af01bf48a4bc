#include "vaetl/zoo/export/trace.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>

#include <algorithm>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/plain_forms.hpp"
#include "vaetl/zoo/export/recorder.hpp"

namespace vaetl::zoo::exporting {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::int64_t first_batch = 2, first_open_size = 16;

[[noreturn]] void refuse_computation(const std::string& found) {
  throw ConfigError({"export", "a model that does the same whatever the size of its input", found, {}});
}

// The name of the axis of an example that may have any size.
std::string axis_name(std::size_t dimensions, std::size_t axis) {
  if (dimensions < 3) return axis == 0 ? "T" : "F";
  return std::string(1, "CHW"[std::min<std::size_t>(axis, 2)]);
}

struct FreeAxis {
  std::string name;
  std::size_t input, axis;  // of the example, without N
};

std::vector<FreeAxis> free_axes(const std::vector<TracedInput>& inputs) {
  std::vector<FreeAxis> axes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t axis = 0; axis < inputs[i].shape.size(); ++axis) {
      if (inputs[i].shape[axis] == -1) axes.push_back({axis_name(inputs[i].shape.size(), axis), i, axis});
    }
  }
  return axes;
}

// The inputs where the free sizes, N first, are those.
std::vector<at::Tensor> draw_inputs(const std::vector<TracedInput>& inputs, const std::vector<FreeAxis>& axes,
                                    const Integers& sizes) {
  auto generator = make_generator(random_key(0, Purpose::evaluate));
  std::vector<at::Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Integers shape = inputs[i].shape;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (axes[k].input == i) shape[axes[k].axis] = sizes[k + 1];
    }
    shape.insert(shape.begin(), sizes[0]);
    const auto options = at::TensorOptions(inputs[i].dtype);
    result.push_back(at::isFloatingType(inputs[i].dtype)
                         ? at::rand(shape, generator, options)
                         : at::randint(inputs[i].least, inputs[i].most + 1, shape, generator, options));
  }
  return result;
}

Graph record(const Computation& computation, const std::vector<TracedInput>& inputs, const Weights& weights,
             const std::vector<at::Tensor>& values) {
  const at::NoGradGuard no_grad;
  const nn::PlainForms no_fused_forms;
  Recorder recorder(weights);
  for (std::size_t i = 0; i < inputs.size(); ++i) recorder.add_input(inputs[i].name, values[i]);
  recorder.start();
  const at::Tensor output = computation(values);
  return recorder.finish(output);
}

// The free sizes of each run: those of the first, each of them alone increased by one, and all of them increased.
std::vector<Integers> sizes_of_runs(std::size_t free) {
  Integers first(free, first_open_size);
  first[0] = first_batch;
  std::vector<Integers> runs = {first};
  Integers all = first;
  for (std::size_t i = 0; i < free; ++i) {
    Integers one = first;
    ++one[i];
    runs.push_back(one);
    all[i] += static_cast<std::int64_t>(i) + 2;
  }
  runs.push_back(all);
  return runs;
}

// Joins the runs' graphs: their numbers become sizes that are linear in the free ones.
class Joiner {
 public:
  Joiner(std::vector<Graph> runs, std::vector<Integers> sizes) : runs_(std::move(runs)), sizes_(std::move(sizes)) {}

  Graph join() {
    Graph result = runs_[0];
    for (const Graph& run : runs_) {
      const bool same = run.ops.size() == result.ops.size() && run.values.size() == result.values.size() &&
                        run.output == result.output;
      if (!same) refuse_computation("one that calls other operators for another size");
    }
    for (std::size_t i = 0; i < result.ops.size(); ++i) join_op(i, result.ops[i]);
    for (std::size_t i = 0; i < result.values.size(); ++i) join_value(i, result.values[i]);
    return result;
  }

 private:
  void join_op(std::size_t number, Op& op) {
    for (const Graph& run : runs_) {
      const Op& other = run.ops[number];
      if (other.name != op.name || other.outputs != op.outputs || other.arguments.size() != op.arguments.size()) {
        refuse_computation("one that calls other operators for another size");
      }
    }
    for (std::size_t a = 0; a < op.arguments.size(); ++a) {
      std::vector<const Argument*> all;
      for (const Graph& run : runs_) {
        all.push_back(&run.ops[number].arguments[a].value);
        op.arguments[a].by_default = op.arguments[a].by_default && run.ops[number].arguments[a].by_default;
      }
      op.arguments[a].value = join_arguments(op, all);
    }
  }

  Argument join_arguments(const Op& op, const std::vector<const Argument*>& all) const {
    if (std::all_of(all.begin(), all.end(), [&](const Argument* each) { return *each == *all[0]; })) return *all[0];
    Integers numbers;
    std::vector<Sizes> lists;
    for (const Argument* each : all) {
      if (const Size* size = std::get_if<Size>(each)) numbers.push_back(size->fixed);
      if (const Sizes* sizes = std::get_if<Sizes>(each)) lists.push_back(*sizes);
    }
    if (numbers.size() == all.size()) return linear(numbers, op.name);
    if (lists.size() == all.size()) return join_sizes(lists, op.name);
    refuse_computation(fmt::format("aten::{} with numbers that depend on it", op.name));
  }

  Sizes join_sizes(const std::vector<Sizes>& lists, const std::string& name) const {
    Sizes result;
    for (std::size_t i = 0; i < lists[0].size(); ++i) {
      Integers numbers;
      for (const Sizes& list : lists) {
        if (list.size() != lists[0].size()) refuse_computation("aten::" + name + " of another rank");
        numbers.push_back(list[i].fixed);
      }
      result.push_back(linear(numbers, name));
    }
    return result;
  }

  // The last run tells whether what the others say holds.
  Size linear(const Integers& numbers, const std::string& name) const {
    Size size{numbers[0]};
    std::int64_t expected = numbers[0];
    for (std::size_t i = 0; i < sizes_[0].size(); ++i) {
      const std::int64_t slope = numbers[i + 1] - numbers[0];
      size.of.push_back(slope);
      size.fixed -= slope * sizes_[0][i];
      expected += slope * (sizes_.back()[i] - sizes_[0][i]);
    }
    if (expected != numbers.back()) refuse_computation("a size of aten::" + name + " that is not linear in it");
    return sum(size, {});
  }

  void join_value(std::size_t number, Value& value) const {
    std::vector<Sizes> shapes;
    for (const Graph& run : runs_) {
      const Value& other = run.values[number];
      shapes.push_back(other.shape);
      const bool same = value.kind != Value::Kind::constant ||
                        (other.example.sizes() == value.example.sizes() && at::equal(other.example, value.example));
      if (!same) refuse_computation("one whose constants depend on it, or that draws at random");
    }
    value.shape = join_sizes(shapes, "shape");
  }

  std::vector<Graph> runs_;
  std::vector<Integers> sizes_;
};

}  // namespace

Graph trace(const Computation& computation, const std::vector<TracedInput>& inputs, const Weights& weights) {
  const auto axes = free_axes(inputs);
  const auto sizes = sizes_of_runs(axes.size() + 1);
  std::vector<Graph> runs;
  for (const Integers& each : sizes) {
    runs.push_back(record(computation, inputs, weights, draw_inputs(inputs, axes, each)));
  }
  Graph graph = Joiner(std::move(runs), sizes).join();
  graph.free.push_back({"N", graph.inputs[0], 0});
  for (const FreeAxis& axis : axes) {
    graph.free.push_back({axis.name, graph.inputs[axis.input], static_cast<std::int64_t>(axis.axis) + 1});
  }
  simplify(graph);
  return graph;
}

}  // namespace vaetl::zoo::exporting
