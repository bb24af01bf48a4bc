// LibTorch as its tutorials write it: a Dataset with Stack, a data loader, torch::optim::Adam, loss.item() at each
// step. The networks are those of torch_models.py.
//
//   bench_libtorch_tutorial WORKLOAD --data FOLDER [--epochs 3] [--threads 2]
#include <sys/resource.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace F = torch::nn::functional;
namespace nn = torch::nn;
using torch::Tensor;

namespace {

constexpr int noise = 100;
double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A .npy file of version 1: magic and version (8 bytes), length of the header (2), header, values.
Tensor read_npy(const std::string& file, std::vector<int64_t> shape, torch::Dtype dtype) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.size() < 10) throw std::runtime_error("cannot read " + file);
  const std::size_t begin = 10 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]);
  Tensor values = torch::empty({static_cast<int64_t>((bytes.size() - begin) / torch::elementSize(dtype))}, dtype);
  std::memcpy(values.data_ptr(), bytes.data() + begin, values.nbytes());
  shape.insert(shape.begin(), -1);
  return values.reshape(shape);
}

class Pictures : public torch::data::Dataset<Pictures> {
 public:
  Pictures(const std::string& folder, std::vector<int64_t> shape, bool gan)
      : images_(read_npy(folder + "/x_train.npy", std::move(shape), torch::kByte)),
        labels_(read_npy(folder + "/y_train.npy", {}, torch::kLong)),
        gan_(gan) {}
  torch::data::Example<> get(size_t index) override {
    const auto i = static_cast<int64_t>(index);
    const Tensor image = images_[i].to(torch::kFloat) / 255;
    return {gan_ ? image * 2 - 1 : image, labels_[i]};
  }
  torch::optional<size_t> size() const override { return images_.size(0); }

 private:
  Tensor images_, labels_;
  bool gan_;
};

nn::Conv2d conv(int in, int out, int stride, bool bias = true) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(bias));
}
nn::ConvTranspose2d conv_transpose(int in, int out) {
  return nn::ConvTranspose2d(nn::ConvTranspose2dOptions(in, out, 4).stride(2).padding(1));
}
nn::Unflatten unflatten(int channels) { return nn::Unflatten(nn::UnflattenOptions(1, {channels, 7, 7})); }
nn::LeakyReLU leaky() { return nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)); }

struct Model : nn::Module {
  virtual Tensor loss(const Tensor& x, const Tensor& y) = 0;
};

struct Autoencoder : Model {
  nn::Sequential network{nn::Flatten(), nn::Linear(784, 64), nn::ReLU(),    nn::Linear(64, 32),
                         nn::ReLU(),    nn::Linear(32, 32),  nn::Sigmoid(), nn::Linear(32, 32),
                         nn::ReLU(),    nn::Linear(32, 64),  nn::ReLU(),    nn::Linear(64, 784),
                         nn::Sigmoid()};
  Autoencoder() { register_module("network", network); }
  Tensor loss(const Tensor& x, const Tensor&) override { return F::mse_loss(network->forward(x), x.flatten(1)); }
};

struct Vae : Model {
  nn::Sequential encoder, decoder;
  nn::Linear mean, log_var;
  Vae(nn::Sequential encoder_is, int features, nn::Sequential decoder_is, int latent)
      : encoder(register_module("encoder", std::move(encoder_is))),
        decoder(register_module("decoder", std::move(decoder_is))),
        mean(register_module("mean", nn::Linear(features, latent))),
        log_var(register_module("log_var", nn::Linear(features, latent))) {}
  Tensor loss(const Tensor& x, const Tensor&) override {
    const Tensor h = encoder->forward(x), m = mean->forward(h), v = log_var->forward(h);
    const Tensor logits = decoder->forward(m + torch::exp(0.5 * v) * torch::randn_like(m));
    const Tensor reconstruction = F::binary_cross_entropy_with_logits(
        logits, x.view_as(logits), F::BinaryCrossEntropyWithLogitsFuncOptions().reduction(torch::kSum));
    const Tensor kl = -0.5 * torch::sum(1 + v - m.pow(2) - v.exp());
    return (reconstruction + kl) / x.size(0);
  }
};

struct Classifier : Model {
  nn::Sequential network;
  explicit Classifier(nn::Sequential network_is) : network(register_module("network", std::move(network_is))) {}
  Tensor loss(const Tensor& x, const Tensor& y) override { return F::cross_entropy(network->forward(x), y); }
};

struct Rows : Model {
  nn::LSTM rnn{nn::LSTMOptions(28, 128).batch_first(true)};
  nn::Linear head{128, 10};
  Rows() {
    register_module("rnn", rnn);
    register_module("head", head);
  }
  Tensor loss(const Tensor& x, const Tensor& y) override {
    const Tensor h = std::get<0>(std::get<1>(rnn->forward(x.squeeze(1))));
    return F::cross_entropy(head->forward(h[-1]), y);
  }
};

struct Block : nn::Module {
  int stride, more;
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d bn1, bn2;
  Block(int in, int out)
      : stride(in == out ? 1 : 2),
        more(out - in),
        conv1(conv(in, out, stride, false)),
        conv2(conv(out, out, 1, false)),
        bn1(out),
        bn2(out) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("bn2", bn2);
  }
  Tensor forward(const Tensor& x) {
    const Tensor h = bn2(conv2(torch::relu(bn1(conv1(x)))));
    if (more == 0) return torch::relu(h + x);
    const Tensor pixels = x.slice(2, 0, torch::nullopt, stride).slice(3, 0, torch::nullopt, stride);
    return torch::relu(h + F::pad(pixels, F::PadFuncOptions({0, 0, 0, 0, more / 2, more / 2})));
  }
};

std::shared_ptr<Model> resnet20() {
  nn::Sequential network{conv(3, 16, 1, false), nn::BatchNorm2d(16), nn::ReLU()};
  int in = 16;
  for (int out : {16, 16, 16, 32, 32, 32, 64, 64, 64}) {
    network->push_back(std::make_shared<Block>(in, out));
    in = out;
  }
  network->push_back(nn::AdaptiveAvgPool2d(1));
  network->push_back(nn::Flatten());
  network->push_back(nn::Linear(64, 10));
  for (const auto& module : network->modules()) {
    if (auto* layer = module->as<nn::Conv2d>()) nn::init::kaiming_normal_(layer->weight);
  }
  return std::make_shared<Classifier>(network);
}

std::shared_ptr<Model> make_model(const std::string& name) {
  using S = nn::Sequential;
  using L = nn::Linear;
  using R = nn::ReLU;
  if (name == "ae") return std::make_shared<Autoencoder>();
  if (name == "vae") {
    return std::make_shared<Vae>(S{nn::Flatten(), L(784, 400), R()}, 400, S{L(20, 400), R(), L(400, 784)}, 20);
  }
  if (name == "conv_vae") {
    const S encoder{conv(1, 32, 2), R(), conv(32, 64, 2), R(), nn::Flatten(), L(3136, 256), R()};
    const S decoder{L(32, 256),           R(), L(256, 3136), R(), unflatten(64), conv_transpose(64, 32), R(),
                    conv_transpose(32, 1)};
    return std::make_shared<Vae>(encoder, 256, decoder, 32);
  }
  if (name == "mlp") return std::make_shared<Classifier>(S{nn::Flatten(), L(784, 128), R(), L(128, 10)});
  if (name == "cnn") {
    return std::make_shared<Classifier>(
        S{conv(1, 32, 1), R(), nn::MaxPool2d(2), nn::Flatten(), L(6272, 128), R(), L(128, 10)});
  }
  if (name == "lstm") return std::make_shared<Rows>();
  if (name == "resnet20") return resnet20();
  throw std::runtime_error("no workload " + name);
}

struct Result {
  std::vector<double> stamps;
  double loss = 0;
  std::size_t examples = 0;
  int64_t parameters = 0;
};

int64_t count(const nn::Module& module) {
  int64_t total = 0;
  for (const Tensor& parameter : module.parameters()) total += parameter.numel();
  return total;
}

// Epochs of steps; a step returns its loss.
template <class Loader, class Step>
void train(Loader& loader, int epochs, Result& result, Step step) {
  result.stamps = {seconds_now()};
  for (int epoch = 0; epoch < epochs; ++epoch) {
    double total = 0;
    for (auto& batch : loader) total += step(batch.data, batch.target) * static_cast<double>(batch.data.size(0));
    result.loss = total / static_cast<double>(result.examples);
    result.stamps.push_back(seconds_now());
  }
}

template <class Loader>
void train_supervised(const std::string& workload, Loader& loader, int epochs, Result& result) {
  const auto model = make_model(workload);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-3));
  result.parameters = count(*model);
  train(loader, epochs, result, [&](const Tensor& x, const Tensor& y) {
    optimizer.zero_grad();
    const Tensor loss = model->loss(x, y);
    loss.backward();
    optimizer.step();
    return loss.item<double>();
  });
}

template <class Loader>
void train_dcgan(Loader& loader, int epochs, Result& result) {
  nn::Sequential generator{nn::Linear(noise, 6272),
                           nn::BatchNorm1d(6272),
                           nn::ReLU(),
                           unflatten(128),
                           conv_transpose(128, 64),
                           nn::BatchNorm2d(64),
                           nn::ReLU(),
                           conv_transpose(64, 1),
                           nn::Tanh()};
  nn::Sequential critic{conv(1, 64, 2), leaky(), conv(64, 128, 2), leaky(), nn::Flatten(), nn::Linear(6272, 1)};
  const auto adam = torch::optim::AdamOptions(2e-4).betas({0.5, 0.999});
  torch::optim::Adam of_generator(generator->parameters(), adam), of_critic(critic->parameters(), adam);
  result.parameters = count(*generator) + count(*critic);
  train(loader, epochs, result, [&](const Tensor& x, const Tensor&) {
    const Tensor real = torch::ones({x.size(0), 1}), fake = torch::zeros({x.size(0), 1});
    of_critic.zero_grad();
    const Tensor generated = generator->forward(torch::randn({x.size(0), noise}));
    const Tensor loss_critic = F::binary_cross_entropy_with_logits(critic->forward(x), real) +
                               F::binary_cross_entropy_with_logits(critic->forward(generated.detach()), fake);
    loss_critic.backward();
    of_critic.step();
    of_generator.zero_grad();
    const Tensor loss_generator = F::binary_cross_entropy_with_logits(critic->forward(generated), real);
    loss_generator.backward();
    of_generator.step();
    return loss_critic.item<double>() + loss_generator.item<double>();
  });
}

double seconds_since_start() {
  std::ifstream in("/proc/self/stat");
  std::string stat((std::istreambuf_iterator<char>(in)), {}), word;
  std::istringstream words(stat.substr(stat.rfind(')') + 2));
  for (int i = 0; i < 20; ++i) words >> word;
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - std::stod(word) / 100;
}

void tell(const Result& result) {
  const std::size_t epochs = result.stamps.size() - 1, first = epochs > 1 ? 1 : 0;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf(R"({"samples_per_s": %.1f, "seconds": %.4f, "loss": %.6f, "parameters": %lld, )",
              static_cast<double>(result.examples * (epochs - first)) / (result.stamps.back() - result.stamps[first]),
              result.stamps.back() - result.stamps[0], result.loss, static_cast<long long>(result.parameters));
  std::printf(R"("evaluated": null, "process_seconds": %.3f, "peak_rss_mb": %.1f})"
              "\n",
              seconds_since_start(), static_cast<double>(usage.ru_maxrss) / 1024);
}

void run(const std::string& workload, const std::map<std::string, std::string>& options) {
  const auto option = [&](const char* name, int fallback) {
    return options.contains(name) ? std::stoi(options.at(name)) : fallback;
  };
  torch::manual_seed(static_cast<uint64_t>(option("--seed", 0)));
  torch::set_num_threads(option("--threads", 2));
  const std::map<std::string, size_t> batches = {{"ae", 256}, {"conv_vae", 256}, {"mlp", 64}, {"cnn", 64}};
  const size_t batch = batches.contains(workload) ? batches.at(workload) : 128;
  const std::vector<int64_t> shape =
      workload == "resnet20" ? std::vector<int64_t>{3, 32, 32} : std::vector<int64_t>{1, 28, 28};
  Pictures pictures(options.at("--data"), shape, workload == "dcgan");
  Result result;
  result.examples = *pictures.size();
  auto loader = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
      std::move(pictures).map(torch::data::transforms::Stack<>()), batch);
  const int epochs = option("--epochs", 3);
  if (workload == "dcgan")
    train_dcgan(*loader, epochs, result);
  else
    train_supervised(workload, *loader, epochs, result);
  tell(result);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 2; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  if (argc < 2 || !options.contains("--data")) {
    std::fprintf(stderr, "usage: %s WORKLOAD --data FOLDER [--epochs 3] [--threads 2] [--seed 0]\n", argv[0]);
    return 2;
  }
  try {
    run(argv[1], options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
