// Opens weights that PyTorch saved on a GPU, on a machine that has none, and measures them. PyTorch's own loader needs
// to be told (map_location); this one brings tensors to the CPU wherever they were.
#include <iostream>
#include <vaetl/vaetl.hpp>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: example_gpu_weights FILE.pt, the state_dict of an MLP 784-64-64-10\n";
    return 2;
  }
  const auto classifier =
      vaetl::zoo::load_file(argv[1], {"mlp", {{"input", {1, 28, 28}}, {"widths", {64, 64}}, {"classes", 10}}});
  const auto metrics = vaetl::evaluate(*classifier.model, vaetl::data::open("fashion-mnist").test, {"accuracy"});
  std::cout << "accuracy " << metrics.at("accuracy") << '\n';
}
