// The transforms there are: this table is the definition of registry<Transform>().
#include "vaetl/data/transforms/colour.hpp"
#include "vaetl/data/transforms/geometry.hpp"
#include "vaetl/data/transforms/mapping.hpp"
#include "vaetl/data/transforms/replace.hpp"

namespace vaetl {

Json Transform::fit(const Dataset&) const { return {}; }

template <>
Registry<Transform>& registry<Transform>() {
  static Registry<Transform> table = [] {
    using namespace transforms;
    Registry<Transform> entries("transform");
    entries.add<Read>()
        .add<Scale>()
        .add<Standardise>()
        .add<Shift>()
        .add<Crop>()
        .add<Flip>()
        .add<Brightness>()
        .add<Noise>()
        .add<RandomCrop>()
        .add<Rotate>()
        .add<Colour>()
        .add<Blur>()
        .add<Erase>()
        .add<Mixup>()
        .add<CutMix>();
    return entries;
  }();
  return table;
}

}  // namespace vaetl
