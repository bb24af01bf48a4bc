#!/usr/bin/env bash
# Sets up, builds and runs every test. The last line counts them: "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
start=$SECONDS
cmake --build --preset release
echo "built release in $((SECONDS - start)) s"
start=$SECONDS
[ -f build/asan/build.ninja ] || cmake --preset asan >build/configure-asan.log 2>&1 || { tail -n 30 build/configure-asan.log; exit 1; }
cmake --build --preset asan
echo "built asan in $((SECONDS - start)) s"
exec build/venv/bin/python scripts/run_tests.py build/release build/asan
