#include <iostream>
#include <vaetl/vaetl.hpp>
using namespace vaetl;

int main() {
  auto fashion = data::open("fashion-mnist");
  auto encoder = zoo::load("fashion-mnist-simclr").model;  // learnt from 60,000 images without labels

  auto few = fashion.train.take_per_class(10, /*seed=*/0);  // 100 labelled images are enough
  auto adapted = adapt(*encoder, {.heads = {{.classes = 10}}, .freeze = {"backbone"}});
  std::cout << adapted.report;  // what was loaded, what is fresh, what will train

  auto run = Trainer({.steps = 300, .batch_size = 64})
                 .fit(adapted.model, make<objectives::CrossEntropy>(), few, adapted.tuning);
  auto metrics = evaluate(*adapted.model, fashion.test, {"accuracy"});
  std::cout << "accuracy " << metrics.at("accuracy") << '\n';
  zoo::save("my-classifier", *adapted.model, run);
}
