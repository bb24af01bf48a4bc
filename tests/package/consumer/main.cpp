#include <iostream>
#include <vaetl/vaetl.hpp>

int main() {
  auto vae = vaetl::make<vaetl::models::ConvVae>({.input = {1, 28, 28}, .latent = 8});
  auto adapted = vaetl::adapt(*vae, {.heads = {{.classes = 10}}, .freeze = {"backbone"}});
  std::cout << adapted.report;
  std::cout << vaetl::capabilities(*adapted.model).size() << " capabilities\n";
}
