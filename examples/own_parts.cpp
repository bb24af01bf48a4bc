// A model, an objective and a callback of one's own, registered in one's own program: recipes reach them by their
// names, as they reach those of vaetl. The model is principal component analysis by gradient descent.
#include <iostream>
#include <vaetl/nn/layers.hpp>
#include <vaetl/recipe/run.hpp>
#include <vaetl/vaetl.hpp>
using namespace vaetl;

class LinearCode final : public Model, public Encoder {
 public:
  static constexpr std::string_view name = "linear_code";
  struct Options {
    std::int64_t code = 8;
    static constexpr auto fields() { return std::tuple{field("code", &Options::code, "numbers", at_least(1))}; }
  };
  explicit LinearCode(Options options) : Model(vaetl::spec<LinearCode>(options)), code_(options.code) {
    down_ = register_module("down", std::make_shared<nn::Linear>(784, code_));
    up_ = register_module("up", std::make_shared<nn::Linear>(code_, 784));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"encoder", {"down"}}, {"decoder", {"up"}}}; }
  Signature signature() const override { return {{{"input", {{1, 28, 28}, at::kFloat, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return down_->forward(fields.input().flatten(1)); }
  std::int64_t feature_size() const override { return code_; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  at::Tensor decode(const at::Tensor& code) { return up_->forward(code); }

 private:
  std::int64_t code_;
  std::shared_ptr<nn::Linear> down_, up_;
};

// The mean squared error, summed over pixels.
class PixelError final : public Objective {
 public:
  static constexpr std::string_view name = "pixel_error";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit PixelError(Options) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}, .fields = {"input"}}; }
  Terms terms(std::size_t, Pass& pass) override {
    auto& model = dynamic_cast<LinearCode&>(pass.model());
    const at::Tensor difference = model.decode(pass.features()) - pass.fields().input().flatten(1);
    return Terms().add("error", pass.mean(difference.square().sum(1)));
  }
};

struct Tell final : Callback {
  static constexpr std::string_view name = "tell";
  struct Options {
    std::string prefix = "error";
    static constexpr auto fields() { return std::tuple{field("prefix", &Options::prefix, "what stands before it")}; }
  };
  explicit Tell(Options given) : options(given) {}
  void on_log(Progress& p) override {
    std::cout << options.prefix << ' ' << p.scalars.at("error") << " at step " << p.step << '\n';
  }
  Options options;
};

int main() {
  registry<Model>().add<LinearCode>();
  registry<Objective>().add<PixelError>();
  registry<Callback>().add<Tell>();
  const auto recipe = recipe::parse(parse_json(R"({
    "name": "linear-code", "seed": 0,
    "data": {"open": "fashion-mnist", "take_per_class": 200},
    "model": {"name": "linear_code", "code": 16},
    "objective": "pixel_error",
    "callbacks": [{"name": "tell", "prefix": "squared error"}],
    "trainer": {"steps": 400, "batch_size": 100, "log_every": 100, "optimizer": {"name": "adam", "lr": 0.003}}
  })",
                                               "recipe"));
  recipe::run(recipe, {.device = "cpu"});
}
