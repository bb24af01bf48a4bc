// What must be settled before LibTorch does anything: the allocator, standard streams, threads.
#pragma once
#include "apps/support/arguments.hpp"

namespace vaetl::apps {

// Raises the allocator's thresholds, so that large activations are kept for the next step and not returned to the
// system (the user's MALLOC_… variables go before); makes sure that no file that is opened takes the number of a closed
// standard stream; a closed pipe is an error code instead of a signal.
void start_up();

// Of the machine, as the system tells; 1 at least.
int cores();

// Whether --threads is auto: training measures how many prove fastest, all else takes all cores.
bool measures_threads(const Arguments& arguments);

// --threads; otherwise OMP_NUM_THREADS; otherwise all cores.
void set_threads(const Arguments& arguments);

// The same for a run that goes on and did `recorded` threads before (0: unknown): unless the user chose a number it
// goes on with as many, so that bits repeat, and a line says so.
void set_threads_as_before(const Arguments& arguments, int recorded);

}  // namespace vaetl::apps
