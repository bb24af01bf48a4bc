#!/usr/bin/env bash
# Makes the figures of docs/results.md again. About an hour on two quiet cores; what is done is not done again.
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

# Transfer. MNIST needs VAETL_DATA or vaetl-data fetch; weights by others are taken where they lie in this folder.
for seed in 0 1 2; do
  for recipe in mnist-0-to-4 mnist-5-to-9; do
    out="runs/$recipe-$seed" from=()
    [ "$recipe" = mnist-5-to-9 ] && from=("transfer.from=runs/mnist-0-to-4-$seed")
    [ -f "$out/run.json" ] || "$bin/vaetl-train" "recipes/$recipe.json" "${from[@]}" --seed "$seed" --threads 1 --out "$out"
  done
done
train mnist-teacher
"$bin/vaetl-sweep" recipes/mnist-net2net.json --out runs/mnist-net2net
if [ -f mobilenetV1X0.25_pretrain.tar ]; then "$bin/vaetl-sweep" recipes/hymenoptera.json --out runs/hymenoptera; fi
if [ -f resnet20-12fca82f.th ]; then "$bin/vaetl-sweep" recipes/resnet20-grey.json --out runs/resnet20-grey; fi
python3 scripts/experiments/few_labels.py --out runs/few-labels --plot docs/images/few-labels-methods.svg
for recipe in fashion-conditional-vae mnist-vae mnist-k-sparse; do train "$recipe"; done
sources=(runs/few-labels/fashion-mnist-{autoencoder,denoising-autoencoder,vae,simclr} runs/fashion-{simclr,conv-vae,cnn,mlp,conditional-vae}
         runs/mnist-{0-to-4-0,vae,k-sparse})
python3 scripts/experiments/rank.py "${sources[@]}" --data mnist --labels-per-class 10 --steps 150 --rates 1e-3 3e-3 --out runs/rank-mnist
