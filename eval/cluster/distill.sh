#!/usr/bin/env bash
# Slurm: an array of tasks aligns and embeds the photos, each its part, into the cache that all share; when all are done an MPI job trains on them.
#   eval/cluster/distill.sh PHOTOS RUN [TASKS] [RANKS]
# PHOTOS, RUN, this clone and XDG_CACHE_HOME lie on a file system that all nodes share. A task that failed is run again alone, and the
# training, which waits for the first array only, is submitted again: this script prints both lines. The student and its options are set below.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 PHOTOS RUN [TASKS] [RANKS]" >&2; exit 2; }
photos=$(realpath "$1") run=$(realpath -m "$2") tasks=${3:-16} ranks=${4:-4}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
teacher=dlib-resnet student=mobilenet-v1:0.5@96
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache}

"$root/facedistill" teachers verify "$teacher" yunet # builds once, before many tasks would

one="'$root/facedistill' embed --teacher $teacher --data '$photos' --mirrored --shard"
embed=$(sbatch --parsable --job-name=embed --array="1-$tasks" --cpus-per-task="${CPUS:-1}" --output="embed-%a.log" --wrap "$one \$SLURM_ARRAY_TASK_ID/$tasks")
echo "embedding: job $embed, $tasks tasks; task N again: sbatch --output=embed-N.log --wrap \"$one N/$tasks\""

# MPI's launcher starts one rank a task; OMP_NUM_THREADS=1 on nodes where a task has one core. MPIRUN="srun --mpi=pmi2" where Slurm starts them itself.
ranked="${MPIRUN:-mpirun -n $ranks} '$root/facedistill' distill --student $student --teacher $teacher --data '$photos' --batch-size $((32 * ranks)) \
  --replicas $ranks --output '$run' ${MORE:-}"
train=$(sbatch --parsable --job-name=train --dependency="afterok:$embed" --ntasks="$ranks" --cpus-per-task="${CPUS:-1}" --output="train.log" --wrap "$ranked")
echo "training: job $train, $ranks ranks, begins when all are embedded; --resume goes on (MORE=--resume). After a task that failed and was run again: scancel $train, then"
echo "sbatch --ntasks=$ranks --cpus-per-task=${CPUS:-1} --output=train.log --wrap \"$ranked\""
