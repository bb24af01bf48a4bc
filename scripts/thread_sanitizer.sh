#!/usr/bin/env bash
# Builds the library and examples/threads.cpp with ThreadSanitizer (some minutes the first time) and runs it: one model that
# predicts from four threads at once. LibTorch and its OpenMP are built without the sanitizer, which does not see how their
# threads wait for each other: so they have one thread each, and what they do among themselves is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh
cmake -S . -B build/tsan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=8 \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" -DCMAKE_CXX_FLAGS="-fsanitize=thread -Wno-error=tsan" \
  -DCMAKE_SHARED_LINKER_FLAGS="-fsanitize=thread" -DCMAKE_EXE_LINKER_FLAGS="-fsanitize=thread" >build/configure-tsan.log
cmake --build build/tsan --target example_threads
OMP_NUM_THREADS=1 TSAN_OPTIONS="ignore_noninstrumented_modules=1 history_size=4" setarch -R build/tsan/bin/example_threads
echo "no data race was seen"
