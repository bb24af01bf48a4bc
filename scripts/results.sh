#!/usr/bin/env bash
# Makes the figures of docs/results.md again. About half an hour on two quiet cores; what is done is not done again.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
cmake --build --preset release --target programs >/dev/null
bin=build/release/bin
train() {
  local resume=()
  [ -f "runs/$1/recipe.json" ] && resume=(--resume)
  "$bin/vaetl-train" "recipes/$1.json" --out "runs/$1" "${resume[@]}"
}
train fashion-conv-vae
train fashion-simclr
"$bin/vaetl-sweep" recipes/fashion-few-labels-full.json --out runs/fashion-few-labels-full
train fashion-cnn
train fashion-mlp
