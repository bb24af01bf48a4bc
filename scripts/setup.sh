#!/usr/bin/env bash
# Installs what is missing on Debian 12 and configures the release build. Quick when nothing is missing. Needs root only for
# packages that are not there yet. With a LibTorch of your own, set CMAKE_PREFIX_PATH to its folder: then none is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build ccache pkg-config python3 python3-venv libfmt-dev nlohmann-json3-dev libcxxopts-dev
          libgtest-dev zlib1g-dev libisal-dev libpng-dev libjpeg62-turbo-dev libexif-dev libssl-dev libarchive-dev libcsv-dev
          libsndfile1-dev libsamplerate0-dev libutf8proc-dev libprotozero-dev libvalijson-dev libcurl4-openssl-dev
          espeak-ng clang-format dataset-fashion-mnist)
fail() { echo "setup: $*" >&2; exit 1; }
say() { echo "setup: $*" >&2; }

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || fail "missing packages: ${missing[*]}; as root: apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

venv=build/venv
[ -x "$venv/bin/python" ] || { say "making $venv"; python3 -m venv "$venv"; }
wanted=(numpy safetensors tensorboard)
own_torch=
while read -r folder; do
  if [ -n "$folder" ] && [ -d "$folder" ]; then own_torch+=$(find "$folder" -maxdepth 5 -name TorchConfig.cmake); fi
done < <(tr ':;' '\n\n' <<<"${CMAKE_PREFIX_PATH:-}")
[ -n "$own_torch" ] || wanted+=(torch==2.13.0)
if [ "$(cat "$venv/vaetl-installed" 2>/dev/null)" != "${wanted[*]}" ]; then
  say "installing ${wanted[*]} into $venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check "${wanted[@]}"
  echo "${wanted[*]}" >"$venv/vaetl-installed"
fi
for_tests=(onnx onnxruntime)  # those of ONNX skip themselves without
if [ "$(cat "$venv/vaetl-installed-tests" 2>/dev/null)" != "${for_tests[*]}" ]; then
  say "installing ${for_tests[*]} into $venv"
  if "$venv/bin/python" -m pip install -q --disable-pip-version-check "${for_tests[@]}"; then
    echo "${for_tests[*]}" >"$venv/vaetl-installed-tests"
  else
    say "without ${for_tests[*]}, tests of ONNX are skipped"
  fi
fi
if [ -z "$own_torch" ]; then
  cuda=$("$venv/bin/python" -c 'import torch; print(torch.version.cuda or "")')
  if [ -n "$cuda" ] && ! command -v nvcc >/dev/null && [ ! -x /usr/local/cuda/bin/nvcc ]; then
    fail "pip brought a CUDA $cuda build of torch, which needs the CUDA toolkit to build against; install the toolkit, or remove $venv and set PIP_INDEX_URL to an index of CPU builds of torch"
  fi
fi

if [ ! -f build/release/build.ninja ]; then
  say "configuring build/release"
  cmake --preset release >build/configure.log 2>&1 || { tail -n 30 build/configure.log >&2; fail "cmake failed; see build/configure.log"; }
fi
