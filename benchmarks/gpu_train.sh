#!/bin/sh
# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# The long training of `default` on a borrowed GPU, from one file of data and a copy of the repository.
#
#   benchmarks/gpu_train.sh pack DATA.tar            # here: the data sets that the training reads
#   benchmarks/gpu_train.sh train DATA.tar MINUTES   # there: benchmarks/gpu.py first, then training
#
# Environment: PYTHON (.venv/bin/python), SC2_DATA (../shared/data; pack), OUT (runs/gpu), DEVICE (cuda),
# CONFIG (models/training/default_joint.yaml), INIT (default), BATCH (4: so many times its per_batch).
# The same command again goes on from OUT/train/last.pt, which is written every three minutes.

set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
DATA=${SC2_DATA:-../shared/data}
OUT=${OUT:-runs/gpu}
DEVICE=${DEVICE:-cuda}
CONFIG=${CONFIG:-models/training/default_joint.yaml}
INIT=${INIT:-default}
BATCH=${BATCH:-4}

usage() {
    sed -n '7,9p' "$0" >&2
    exit 2
}

# The folders of data sets that the configuration names; those with a colon are made, not read.
sets() {
    "$PYTHON" - "$CONFIG" <<'PY'
import sys, yaml
sources = yaml.safe_load(open(sys.argv[1]))["sources"]
print(*sorted({source["path"] for source in sources if ":" not in source["path"]}))
PY
}

pack() {
    # shellcheck disable=SC2046
    tar --dereference -cf "$1" -C "$DATA" $(sets)
    ls -l "$1"
}

train() {
    mkdir -p "$OUT/data"
    tar -xf "$1" -C "$OUT/data"
    "$PYTHON" - "$CONFIG" "$OUT" "$BATCH" "$2" <<'PY'
import sys, yaml
config, out, batch, minutes = sys.argv[1:]
made = yaml.safe_load(open(config))
for source in made["sources"]:
    source["per_batch"] *= int(batch)
made["trainer"]["max_minutes"] = float(minutes)
made["out"] = f"{out}/train"
yaml.safe_dump(made, open(f"{out}/train.yaml", "w"))
PY
    [ "$DEVICE" = cpu ] || "$PYTHON" benchmarks/gpu.py --json "$OUT/gpu.json"
    begin="--init $INIT"
    [ ! -f "$OUT/train/last.pt" ] || begin=--resume
    # shellcheck disable=SC2086
    SC2_DATA="$OUT/data" PYTHONPATH="$PWD" "$PYTHON" -m sc2_ros.cli.main train sc2_ros \
        --config "$OUT/train.yaml" --device "$DEVICE" $begin
}

case "${1:-}" in
pack) [ $# = 2 ] || usage; pack "$2" ;;
train) [ $# = 3 ] || usage; train "$2" "$3" ;;
*) usage ;;
esac
