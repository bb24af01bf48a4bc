// What vaetl-predict's stream costs beside the library's own forward: rows a second of both on one .npy file, in turns.
//   bench_predict MODEL FILE.npy [rounds]
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "vaetl/io/npy.hpp"
#include "vaetl/recipe/further.hpp"
#include "vaetl/recipe/predict_stream.hpp"

using namespace vaetl;

namespace {

template <class Work>
double seconds(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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
  std::vector<double> own, streamed;
  for (int round = 0; round <= rounds; ++round) {
    const double a = seconds(forward), b = seconds(stream);
    if (round == 0) continue;  // warm
    own.push_back(a);
    streamed.push_back(b);
  }
  const double count = static_cast<double>(raw.size(0));
  std::printf("%d threads: forward %.0f rows/s, stream %.0f rows/s, %.3f of it\n", at::get_num_threads(),
              count / median(own), count / median(streamed), median(own) / median(streamed));
  return 0;
}
