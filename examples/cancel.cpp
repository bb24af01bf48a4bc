// Cancels a training from another thread, and goes on with it later: what was done is saved, and the resumed run
// equals one that nobody cancelled.
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <thread>
#include <vaetl/vaetl.hpp>
using namespace vaetl;

struct CancelButton final : Callback {
  void on_step(Progress& progress) override {
    begun = true;
    begun.notify_one();
    progress.stop = pressed;
  }
  std::atomic<bool> begun = false, pressed = false;
};

int main() {
  const auto few = data::open("fashion-mnist").train.take_per_class(100, /*seed=*/0);
  const auto folder = std::filesystem::temp_directory_path() / ("vaetl-cancelled-" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  TrainerOptions options{.steps = 2000, .batch_size = 64, .directory = folder.string()};

  const auto button = std::make_shared<CancelButton>();
  Run run;
  std::thread training([&] {
    seed(0);
    run = Trainer(options, {button}).fit(make<models::Mlp>({.classes = 10}), make<objectives::CrossEntropy>(), few);
  });
  button->begun.wait(false);  // here a person would look at the loss
  button->pressed = true;
  training.join();
  std::cout << (run.interrupted ? "cancelled" : "finished") << " after " << run.steps << " steps\n";

  options.resume = "must";
  seed(0);
  run = Trainer(options).fit(make<models::Mlp>({.classes = 10}), make<objectives::CrossEntropy>(), few);
  std::cout << "went on at step " << run.resumed_from << ", done after " << run.steps << " steps\n";
  std::filesystem::remove_all(folder);
}
