#!/usr/bin/env bash
# Tries array.sh on a real Slurm: controller, node and authentication daemons on this one machine, in a temporary folder.
# A task of the array is killed with SIGKILL and requeued, another is stopped with SIGTERM, as before a time limit; the
# merged shards must have the bytes of one run. Needs root, and `apt-get install slurm-wlm munge`; nothing of it is left.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || { echo "skipped: no $program; apt-get install slurm-wlm munge"; exit 0; }
done
if ((EUID != 0)); then echo 'skipped: slurmd needs root'; exit 0; fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/feature-speed-slurm-XXXXXX")
chmod 755 "$scratch"
daemons=()
cleanup() {
  local code=$?
  if ((code != 0)); then tail -n 25 "$scratch"/log/*.log 2>/dev/null || true; fi
  scancel --full --quiet --user root 2>/dev/null || true
  for pid in ${daemons[@]+"${daemons[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

await() { # await SECONDS WHAT COMMAND...: until the command succeeds
  local seconds=$1 what=$2
  shift 2
  for ((i = 0; i < seconds * 5; i++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  echo "FAILED after $seconds s: $what"
  return 1
}

mkdir -p "$scratch"/{log,munge,state,spool,work}
chmod 700 "$scratch/munge"
dd if=/dev/urandom of="$scratch/munge/key" bs=1024 count=1 status=none
chmod 600 "$scratch/munge/key"
munged --foreground --force --key-file "$scratch/munge/key" --socket "$scratch/munge/socket" --pid-file "$scratch/munge/pid" \
  --seed-file "$scratch/munge/seed" --log-file "$scratch/log/munged.log" 2>"$scratch/log/munged-stderr.log" &
daemons+=($!)
await 10 'munged makes its socket' test -S "$scratch/munge/socket"

host=$(hostname -s)
cores=$(nproc)
cat >"$scratch/slurm.conf" <<EOF
ClusterName=try
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$scratch/munge/socket
CredType=cred/munge
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$scratch/slurm.conf
slurmctld -D -c -L "$scratch/log/slurmctld.log" 2>"$scratch/log/slurmctld-stderr.log" &
daemons+=($!)
slurmd -D -L "$scratch/log/slurmd.log" 2>"$scratch/log/slurmd-stderr.log" &
daemons+=($!)
await 30 'the node is idle' bash -c "sinfo --noheader --format %T | grep -qx idle"
echo "ok     $(sinfo --version): controller and node are up, $cores cores"

# Twenty widths, which are as many batches, of some seconds a shard.
cat >"$scratch/work/try.json" <<'EOF'
{
  "network": { "depth": 100 },
  "scaling": "MF+muP",
  "sweep": { "width": { "from": 200, "to": 580, "step": 20 } },
  "draws": 240,
  "record": { "layers": "output", "quantities": ["bfa_rad", "loss"] }
}
EOF
cd "$scratch/work"
main=${FEATURE_SPEED_PROGRAM:-$root/dist/cli/main.js}
export FEATURE_SPEED="node $main"
$FEATURE_SPEED run try.json --backend wasm --out whole --quiet

state() { scontrol show job "$1" --oneliner | grep -o 'JobState=[A-Z_]*' | cut -d= -f2; }
# Batches of a shard that are on the disk.
batches() { find "shards/$1/try/.partial" -name '*.cells' 2>/dev/null | wc -l; }
has_batches() { (($(batches "$1") >= 2)); }
is_in() { [[ " $2 " == *" $(state "$1") "* ]]; }

job=$(sbatch --parsable --array=1-3 --cpus-per-task=1 --output "$scratch/log/task-%a.log" \
  "$root/scripts/slurm/array.sh" try.json --backend wasm)
await 60 'task 1 has two batches' has_batches 1
kill -KILL "$(sed 's/.*"pid":\([0-9]*\).*/\1/' shards/1/try/.lock)"
await 60 'task 1 is gone' is_in "${job}_1" 'FAILED CANCELLED NODE_FAIL COMPLETED'
killed=$(batches 1)
echo "ok     task 1 was killed with SIGKILL: $(state "${job}_1"), $killed batches kept"
scontrol requeue "${job}_1"

await 60 'task 2 has two batches' has_batches 2
scancel --batch --signal=TERM "${job}_2"
await 60 'task 2 is gone' is_in "${job}_2" 'FAILED CANCELLED COMPLETED'
echo "ok     task 2 was stopped with SIGTERM: $(scontrol show job "${job}_2" --oneliner | grep -o 'ExitCode=[0-9:]*'), $(batches 2) batches kept," \
  "manifest $(grep -o '"status": "[a-z]*"' shards/2/try/manifest.json)"
scontrol requeue "${job}_2"

for task in 1 2 3; do
  # Slurm holds a requeued task for two minutes before it starts it again.
  await 300 "task $task is complete" is_in "${job}_$task" COMPLETED
  test ! -e "shards/$task/try/.partial"
done
grep -h 'measured before' "$scratch"/log/task-[12].log | sed 's/^/       /'
test "$(grep -l 'measured before' "$scratch"/log/task-[12].log | wc -l)" = 2
echo 'ok     the requeued tasks went on from there'

$FEATURE_SPEED merge shards/*/try --out merged
cmp whole/try/table.csv merged/try/table.csv
echo 'ok     merged, the shards have the bytes of one run'
