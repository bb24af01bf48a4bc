// Predicts from several threads at once, with one model between them. vaetl makes no threads of its own that wait for
// others: each of these computes alone, without gradients, and gets to the bit what one thread alone would.
#include <iostream>
#include <thread>
#include <vaetl/core/parallel.hpp>
#include <vaetl/vaetl.hpp>

int main() {
  const auto classifier = vaetl::zoo::load("fashion-mnist-cnn");
  const at::Tensor pictures = vaetl::data::open("fashion-mnist").test.column("input").slice(0, 0, 2000);
  const auto parts = pictures.chunk(4);

  std::vector<at::Tensor> logits(parts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    threads.emplace_back([&, i] {
      vaetl::use_threads(1);  // of LibTorch, for what this thread begins
      logits[i] = classifier.predict(parts[i]);
    });
  }
  for (auto& thread : threads) thread.join();

  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!at::equal(logits[i], classifier.predict(parts[i]))) return 1;
  }
  std::cout << threads.size() << " threads predicted " << pictures.size(0) << " pictures, gradients "
            << (at::cat(logits).requires_grad() ? "on" : "off") << '\n';
}
