#include "vaetl/core/denormals.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <limits>

#include "vaetl/core/parallel.hpp"

namespace vaetl {
namespace {

// Each thread has a switch of its own, where the processor has one.
void flush_denormals(bool wanted) {
  at::globalContext().setFlushDenormal(wanted);
  parallel_ranges(at::get_num_threads(), 1,
                  [wanted](std::int64_t, std::int64_t) { at::globalContext().setFlushDenormal(wanted); });
}

}  // namespace

FlushDenormals::FlushDenormals() : before_(active()) { flush_denormals(true); }
FlushDenormals::~FlushDenormals() { flush_denormals(before_); }

bool FlushDenormals::active() {
  const volatile float tiny = std::numeric_limits<float>::denorm_min();
  return tiny * 1.0F == 0;
}

}  // namespace vaetl
