// The transforms there are: this table is the definition of registry<Transform>().
#include "vaetl/data/transforms/bag.hpp"
#include "vaetl/data/transforms/binarise.hpp"
#include "vaetl/data/transforms/colour.hpp"
#include "vaetl/data/transforms/columns.hpp"
#include "vaetl/data/transforms/geometry.hpp"
#include "vaetl/data/transforms/log_mel.hpp"
#include "vaetl/data/transforms/mapping.hpp"
#include "vaetl/data/transforms/replace.hpp"
#include "vaetl/data/transforms/resize.hpp"
#include "vaetl/data/transforms/series.hpp"

namespace vaetl {

Json Transform::fit(const Dataset&) const { return {}; }
at::Tensor Transform::restore(const at::Tensor& values) const { return values; }

template <>
Registry<Transform>& registry<Transform>() {
  static Registry<Transform> table = [] {
    using namespace transforms;
    Registry<Transform> entries("transform");
    entries.add<Read>()
        .add<Scale>()
        .add<Standardise>()
        .add<Columns>()
        .add<Bag>()
        .add<StandardiseSeries>()
        .add<LogMel>()
        .add<Binarise>()
        .add<Resize>()
        .add<CentreCrop>()
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
