// Memory as the system counts it, in MB of 2^20 bytes; 0 on systems that do not tell (no /proc).
#pragma once

namespace vaetl {

double peak_memory_mb();       // of this process: the most that was resident so far (VmHWM)
double available_memory_mb();  // of the machine: what a program may still take without swapping (MemAvailable)

}  // namespace vaetl
