// What vaetl-predict's stream costs beside the library's own forward: rows a second of both on one .npy file, in turns,
// by the clock and, which other work on the machine disturbs less, by the processor time of all threads.
//   bench_predict MODEL FILE.npy [rounds]
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "vaetl/io/npy.hpp"
#include "vaetl/recipe/further.hpp"
#include "vaetl/recipe/predict_stream.hpp"

using namespace vaetl;

namespace {

struct Cost {
  std::vector<double> seconds = {}, processor = {};
};

template <class Work>
void measure(Cost& cost, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t used = std::clock();
  work();
  cost.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  cost.processor.push_back(static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: bench_predict MODEL FILE.npy [rounds]\n"), 2;
  const Pretrained model = zoo::load(argv[1]);
  const at::Tensor raw = read_npy(argv[2]);
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  const auto forward = [&] { model.predict(raw); };
  std::size_t bytes = 0;
  const auto stream = [&] {
    const auto rows = recipe::open_further(*model.model, {argv[2]});
    recipe::predict_stream(model, *rows, {},
                           {.write = [&](std::string_view text) { return bytes += text.size(), true; }});
  };
  Cost own, streamed;
  forward();
  stream();
  for (int round = 0; round < rounds; ++round) {
    measure(own, forward);
    measure(streamed, stream);
  }
  const auto print = [&](const char* by, const std::vector<double>& a, const std::vector<double>& b) {
    const double count = static_cast<double>(raw.size(0));
    std::printf("%s: forward %.0f rows/s, stream %.0f rows/s, %.3f of it\n", by, count / median(a), count / median(b),
                median(a) / median(b));
  };
  std::printf("%d threads\n", at::get_num_threads());
  print("by the clock", own.seconds, streamed.seconds);
  print("by processor time", own.processor, streamed.processor);
  return 0;
}
