#!/usr/bin/env bash
# Training steps a second of ours and of the peers (bench/README.md). Makes what is missing: build/bench-venv with the
# peers, the programs that take part. Options are those of bench/training_steps.py: see --help.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/bench-venv
wanted="torch==2.13.0 tensorflow-cpu keras jax numpy"
if [ "$(cat $venv/vaetl-installed 2>/dev/null)" != "$wanted" ]; then
  echo "bench: installing $wanted into $venv" >&2
  [ -x $venv/bin/python ] || python3 -m venv $venv
  # shellcheck disable=SC2086
  $venv/bin/python -m pip install -q --disable-pip-version-check $wanted >&2
  echo "$wanted" >$venv/vaetl-installed
fi
if ! dpkg-query -W libtcmalloc-minimal4 >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libtcmalloc-minimal4 >&2 ||
    echo "bench: libtcmalloc-minimal4 was not installed" >&2
fi

grep -qs '^VAETL_BUILD_BENCH:BOOL=ON' build/release/CMakeCache.txt ||
  cmake --preset release -DVAETL_BUILD_BENCH=ON >build/configure-bench.log || { tail -n 30 build/configure-bench.log >&2; exit 1; }
cmake --build --preset release --target vaetl-train bench_round_trip bench_libtorch_tutorial >build/build-bench.log ||
  { tail -n 30 build/build-bench.log >&2; exit 1; }
exec $venv/bin/python bench/training_steps.py "$@"
