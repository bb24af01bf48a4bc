#!/usr/bin/env bash
# Makes the figures of docs/results.md again. About half an hour on two quiet cores; what is done is not done again.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
cmake --build --preset release --target programs >/dev/null
bin=build/release/bin
for encoder in fashion-conv-vae fashion-simclr; do
  "$bin/vaetl-train" "recipes/$encoder.json" --out "runs/$encoder" --resume
done
"$bin/vaetl-sweep" recipes/fashion-few-labels-full.json --out runs/fashion-few-labels-full
for classifier in fashion-cnn fashion-mlp; do
  "$bin/vaetl-train" "recipes/$classifier.json" --out "runs/$classifier" --resume
done
