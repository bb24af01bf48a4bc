// The readers there are: this table is the definition of registry<Reader>().
#include "vaetl/data/readers/cifar.hpp"
#include "vaetl/data/readers/csv.hpp"
#include "vaetl/data/readers/folder.hpp"
#include "vaetl/data/readers/idx.hpp"
#include "vaetl/data/readers/lines.hpp"
#include "vaetl/data/readers/npy.hpp"
#include "vaetl/data/readers/packed.hpp"
#include "vaetl/data/readers/pixels.hpp"
#include "vaetl/data/readers/series.hpp"
#include "vaetl/data/readers/sound.hpp"
#include "vaetl/data/readers/text.hpp"
#include "vaetl/data/readers/ts.hpp"

namespace vaetl {

template <>
Registry<Reader>& registry<Reader>() {
  static Registry<Reader> table = [] {
    using namespace readers;
    Registry<Reader> entries("kind of data");
    entries.add<Cifar>();
    entries.add<Csv>();
    entries.add<Folder>();
    entries.add<Idx>();
    entries.add<Packed>();
    entries.add<Lines>();
    entries.add<Pixels>();
    entries.add<Npy>();
    entries.add<Series>();
    entries.add<SoundFiles>();
    entries.add<Text>();
    entries.add<Ts>();
    return entries;
  }();
  return table;
}

}  // namespace vaetl
