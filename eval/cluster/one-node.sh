#!/usr/bin/env bash
# A Slurm cluster of this one machine, to try distill.sh on (root; Debian's slurm-wlm and munge): eval/cluster/one-node.sh, then squeue, sinfo.
set -euo pipefail
command -v slurmctld >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge; }
host=$(hostname -s) cores=$(nproc --all) # not that of OMP_NUM_THREADS
mkdir -p /run/munge /var/spool/slurmd /var/spool/slurmctld /var/log/slurm && chown munge: /run/munge
conf=/etc/slurm/slurm.conf
[ ! -f $conf ] || grep -q '^ClusterName=one$' $conf || { echo "$conf is another cluster's: this script is for a machine of its own" >&2; exit 1; }
cat >$conf <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
pgrep -x munged >/dev/null || setpriv --reuid=munge --regid=munge --clear-groups munged --force
pgrep -x slurmctld >/dev/null || slurmctld
pgrep -x slurmd >/dev/null || slurmd
for _ in $(seq 30); do sinfo -h -o %T 2>/dev/null | grep -q idle && break; sleep 1; done
sinfo
