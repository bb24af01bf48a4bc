// The synthetic sets there are: this table is the definition of registry<Maker>().
#include "vaetl/data/make/points.hpp"
#include "vaetl/data/make/shapes.hpp"
#include "vaetl/data/make/sines.hpp"
#include "vaetl/data/make/spoken_digits.hpp"

namespace vaetl {

template <>
Registry<Maker>& registry<Maker>() {
  static Registry<Maker> table = [] {
    using namespace makers;
    Registry<Maker> entries("synthetic set");
    entries.add<TwoMoons>();
    entries.add<Gaussians>();
    entries.add<Shapes>();
    entries.add<Sines>();
    entries.add<SpokenDigits>();
    return entries;
  }();
  return table;
}

}  // namespace vaetl
