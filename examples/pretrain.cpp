// Pretraining in C++: a VAE learns to generate pictures, and its encoder becomes a classifier.
#include <iostream>
#include <vaetl/vaetl.hpp>
using namespace vaetl;

int main() {
  auto fashion = data::open("fashion-mnist");
  auto vae = make<models::ConvVae>({.input = {1, 28, 28}, .latent = 32});
  Trainer({.epochs = 1, .batch_size = 256}).fit(vae, make<objectives::Elbo>({.beta = 1.0}), fashion.train);
  std::cout << "elbo " << evaluate(*vae, fashion.test, {"elbo"}).at("elbo") << '\n';

  auto adapted = adapt(*vae, {.heads = {{.classes = 10}}});
  Trainer({.steps = 100, .batch_size = 64})
      .fit(adapted.model, make<objectives::CrossEntropy>(), fashion.train.take_per_class(10, 0), adapted.tuning);
  std::cout << "accuracy " << evaluate(*adapted.model, fashion.test, {"accuracy"}).at("accuracy") << '\n';
}
