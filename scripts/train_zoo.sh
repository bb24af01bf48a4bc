#!/usr/bin/env bash
# Trains entries of the zoo again, each by its own recipe, and tells whether their metrics return: scripts/train_zoo.sh NAME… | --all
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 scripts/train_zoo.py "$@"
