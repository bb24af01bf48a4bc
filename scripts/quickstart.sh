#!/usr/bin/env bash
# The main job on Fashion-MNIST: pretrain without labels, adapt with 1, 10 and 100 labels a class, compare with training from
# scratch. Installs and builds what is missing. What is done is not done again.
set -euo pipefail
cd "$(dirname "$0")/.."
begin=$SECONDS
bash scripts/setup.sh
start=$SECONDS
cmake --build --preset release --target programs
echo "quickstart: built in $((SECONDS - start)) s" >&2

bin=build/release/bin
start=$SECONDS
for encoder in fashion-conv-vae fashion-simclr; do
  resume=()
  [ -f "runs/$encoder/recipe.json" ] && resume=(--resume)
  "$bin/vaetl-train" "recipes/$encoder.json" --out "runs/$encoder" "${resume[@]}"
done
"$bin/vaetl-sweep" recipes/fashion-few-labels.json --out runs/fashion-few-labels
"$bin/vaetl-report" runs/fashion-few-labels runs/fashion-simclr runs/fashion-conv-vae --out runs/report.html
echo "quickstart: the job took $((SECONDS - start)) s, everything $((SECONDS - begin)) s" >&2
echo "The report: runs/report.html"
