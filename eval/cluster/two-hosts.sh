#!/usr/bin/env bash
# Two ranks in two network namespaces of this machine, each with an address of its own, train one student over TCP: what two machines would do (root).
#   eval/cluster/two-hosts.sh MPIRUN distill ...     # MPIRUN: mpirun.mpich or mpirun.openmpi; then the arguments of ./facedistill
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 mpirun.mpich|mpirun.openmpi VERB [OPTION ...]" >&2; exit 2; }
command -v "$1" >/dev/null || { echo "$0: no $1 here (apt-get install mpich openmpi-bin)" >&2; exit 1; }
exec 9>/tmp/facedistill-two-hosts.lock
flock -n 9 || { echo "$0: another one is running; its hosts are this one's" >&2; exit 1; }
mpirun=$1; shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
clear_hosts() {
  for host in 1 2; do
    ip netns pids "fd$host" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    ip netns delete "fd$host" 2>/dev/null || true
    ip link delete "fdveth$host" 2>/dev/null || true
  done
  ip link delete fdbridge 2>/dev/null || true
}
job=
undo() { clear_hosts; [ -z "$job" ] || kill -9 "$job" 2>/dev/null || true; rm -rf "$scratch"; }
trap undo EXIT
trap 'exit 143' INT TERM
clear_hosts # of one that was killed
ip link add fdbridge type bridge
ip address add 10.77.0.254/24 dev fdbridge
ip link set fdbridge up
for host in 1 2; do
  ip netns add "fd$host"
  ip link add "fdveth$host" type veth peer name eth0 netns "fd$host"
  ip link set "fdveth$host" master fdbridge up
  ip -n "fd$host" address add "10.77.0.$host/24" dev eth0
  ip -n "fd$host" link set eth0 up
  ip -n "fd$host" link set lo up
done
# In place of ssh: the command begins in the namespace of the address, as a host of its own name.
cat >"$scratch/agent" <<'AGENT'
#!/usr/bin/env bash
while [[ $1 == -* ]]; do shift; done
host=${1##*.}; shift
exec ip netns exec "fd$host" unshare --uts bash -c "hostname fd$host; $*"
AGENT
chmod +x "$scratch/agent"
case $(readlink -f "$(command -v "$mpirun")") in
  *orterun* | *prte*) set -- --allow-run-as-root --mca plm_rsh_agent "$scratch/agent" --mca plm_rsh_no_tree_spawn 1 --host 10.77.0.1,10.77.0.2 \
    --mca oob_tcp_if_include 10.77.0.0/24 --mca btl_tcp_if_include 10.77.0.0/24 --mca btl tcp,self -n 2 -x FACEDISTILL_HOME -x OMP_NUM_THREADS=1 "$root/facedistill" "$@" ;;
  *) set -- -launcher ssh -launcher-exec "$scratch/agent" -localhost 10.77.0.254 -hosts 10.77.0.1,10.77.0.2 -n 2 -env OMP_NUM_THREADS 1 "$root/facedistill" "$@" ;;
esac
"$mpirun" "$@" 9>&- &
job=$!
wait "$job" && job= || { status=$?; job=; exit "$status"; }
