// VAETL_EVERY_PROCESSOR before a function: it is compiled for several processors, and the loader picks one. Sanitizers
// cannot run what the loader calls before they are set up; Clang 14 knows another set of names.
// VAETL_INLINE: what such a function calls becomes a part of it, compiled as it is.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define VAETL_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VAETL_EVERY_PROCESSOR
#endif

#define VAETL_INLINE inline __attribute__((always_inline))
