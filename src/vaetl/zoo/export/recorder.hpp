// One run of a computation, operator by operator. Internal to export.
#pragma once
#include <ATen/record_function.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "vaetl/nn/state.hpp"
#include "vaetl/zoo/export/graph.hpp"

namespace vaetl::zoo::exporting {

// Between its start and its end this thread's calls of operators become ops of a graph, but not those that operators
// call themselves. All sizes are numbers still.
class Recorder {
 public:
  explicit Recorder(const Weights& weights);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add_input(const std::string& name, const at::Tensor& value);
  void start();
  // Throws what was found on the way: ConfigError.
  Graph finish(const at::Tensor& output);

 private:
  struct Call;
  static std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function);
  static void on_end(const at::RecordFunction& function, at::ObserverContext* context);
  std::unique_ptr<Call> begin(const at::RecordFunction& function);
  void end(const at::RecordFunction& function, Call& call);

  void read_arguments(const c10::FunctionSchema& schema, c10::ArrayRef<const c10::IValue> inputs, Call& call);
  void will_overwrite(const at::Tensor& tensor, Call& call);
  void read_filling(c10::ArrayRef<const c10::IValue> inputs, Call& call);
  void write_outputs(const std::vector<at::Tensor>& outputs, Call& call);
  Argument argument(const c10::IValue& value);
  Ref read(const at::Tensor& tensor);
  Ref define(const at::Tensor& tensor, Value::Kind kind, const std::string& name = {});
  void overwritten(const at::Tensor& tensor);
  void stop();

  Graph graph_;
  std::map<const c10::TensorImpl*, Ref> known_;
  std::set<const c10::TensorImpl*> stale_;  // what an operator in place has changed under another name
  std::vector<at::Tensor> kept_;            // so that no address is used twice
  std::string problem_;
  at::CallbackHandle handle_ = 0;
  int depth_ = 0;
  bool started_ = false;
};

}  // namespace vaetl::zoo::exporting
