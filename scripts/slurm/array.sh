#!/usr/bin/env bash
#SBATCH --job-name=feature-speed
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
# One experiment over a job array, a shard a task. From the root of a checkout, after `npm ci && npm run build`:
#
#     sbatch --array=1-8 scripts/slurm/array.sh configs/figure-1b.json
#     node dist/cli/main.js plan configs/figure-1b.json --shard 1/8 --workers 2     # how long a task takes
#     node dist/cli/main.js merge shards/*/figure-1b                                # when all are done
#
# A task that is killed, requeued, or out of time and submitted again goes on where it was: the same line again measures
# what is missing. Options after the config go to `run`: `--set draws=100 --weights dense`. `--array` must begin with 1.
# What `run` needs of a machine: cores (`--cpus-per-task 4`), some 200 MB a core, and the shared folder `shards`.
#
# Any other array works the same way; only the two numbers of --shard have other names. In a GitHub workflow:
#
#     jobs:
#       measure:
#         strategy: { matrix: { shard: [1, 2, 3, 4] } }
#         runs-on: ubuntu-latest
#         steps:
#           - (checkout, set up Node, npm ci, npm run build)
#           - run: node dist/cli/main.js run configs/figure-1b.json --shard ${{ matrix.shard }}/4 --out shards/${{ matrix.shard }}
#           - (upload shards/${{ matrix.shard }} as the artifact shard-${{ matrix.shard }})
#       merge:
#         needs: measure
#         steps:
#           - (checkout, set up Node, npm ci, npm run build; download the artifacts into shards)
#           - run: node dist/cli/main.js merge shards/*/figure-1b
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
: "${1:?expected the config of an experiment}"
: "${SLURM_ARRAY_TASK_ID:?expected a job array, sbatch --array=1-8}"
if [[ $SLURM_ARRAY_TASK_MIN != 1 || $SLURM_ARRAY_TASK_MAX != "$SLURM_ARRAY_TASK_COUNT" ]]; then
  # A part of an array that is submitted again says how many there are: SHARDS=8 sbatch --array=3,5 ...
  : "${SHARDS:?expected --array=1-n, or SHARDS=n for a part of it}"
fi
shards=${SHARDS:-$SLURM_ARRAY_TASK_COUNT}

# The program takes the place of the shell, so that it is the one that signals reach.
exec ${FEATURE_SPEED:-node dist/cli/main.js} run "$@" --shard "$SLURM_ARRAY_TASK_ID/$shards" \
  --workers "${SLURM_CPUS_PER_TASK:-1}" --out "shards/$SLURM_ARRAY_TASK_ID"
