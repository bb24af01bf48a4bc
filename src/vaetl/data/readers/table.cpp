// The readers there are: this table is the definition of registry<Reader>().
#include "vaetl/data/readers/idx.hpp"

namespace vaetl {

template <>
Registry<Reader>& registry<Reader>() {
  static Registry<Reader> table = [] {
    using namespace readers;
    Registry<Reader> entries("kind of data");
    entries.add<Idx>();
    return entries;
  }();
  return table;
}

}  // namespace vaetl
