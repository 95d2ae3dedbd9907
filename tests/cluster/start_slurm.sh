#!/usr/bin/env bash
# Starts a Slurm of one machine as root, from Debian's packages unpacked below FOLDER; nothing is installed, and there is
# neither munge nor a database. Writes FOLDER/environment (name=value, a line each) and FOLDER/processes.
set -euo pipefail
mkdir -p "$1"
folder=$(cd "$1" && pwd)
root=$folder/root
library=$root/usr/lib/$(uname -m)-linux-gnu
host=$(hostname)

if [ ! -e "$folder/unpacked" ]; then
  rm -rf "$root" "$folder/packages"
  mkdir -p "$root" "$folder/packages"
  apt-get update -qq
  # Whatever libraries this machine lacks come along; mail programs and the like, which are recommended, do not.
  apt-get install --simulate --no-install-recommends slurmctld slurmd slurm-client |
    awk '$1 == "Inst" && $2 ~ /^(slurm|lib|munge)/ {print $2}' >"$folder/wanted"
  (cd "$folder/packages" && xargs apt-get download -qq <"$folder/wanted")
  for package in "$folder"/packages/*.deb; do dpkg-deb --extract "$package" "$root"; done
  touch "$folder/unpacked"
fi

rm -rf "$folder"/{state,spool,log,bin}
mkdir -p "$folder"/{state,spool,log,bin}
for program in "$root"/usr/bin/s*; do
  name=$(basename "$program")
  ln -s "$program" "$folder/bin/${name%-wlm}"
done
cat >"$folder/slurm.conf" <<CONF
ClusterName=tern
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/none
CredType=cred/none
PluginDir=$library/slurm-wlm
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/state/slurmctld.pid
SlurmdPidFile=$folder/state/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
KillWait=2
MinJobAge=2
InactiveLimit=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export PATH=$folder/bin:$PATH LD_LIBRARY_PATH=$library:$library/slurm-wlm SLURM_CONF=$folder/slurm.conf
printf '%s\n' "PATH=$folder/bin" "LD_LIBRARY_PATH=$LD_LIBRARY_PATH" "SLURM_CONF=$SLURM_CONF" >"$folder/environment"

"$root/usr/sbin/slurmctld-wlm" -D -f "$SLURM_CONF" >"$folder/log/controller" 2>&1 </dev/null &
echo $! >"$folder/processes"
"$root/usr/sbin/slurmd-wlm" -D -f "$SLURM_CONF" -N "$host" -d "$root/usr/sbin/slurmstepd-wlm" >"$folder/log/node" 2>&1 </dev/null &
echo $! >>"$folder/processes"
for _ in $(seq 60); do
  sinfo --noheader --format %T 2>/dev/null | grep -q idle && exit 0
  sleep 0.5
done
echo "Slurm did not come up: $(tail -n 3 "$folder/log/slurmctld" "$folder/log/slurmd" "$folder/log/controller" 2>/dev/null)" >&2
xargs kill <"$folder/processes" || true
exit 1
