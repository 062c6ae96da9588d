# Sourced by the crash tests after tests/node_process.sh: the clients of workload.cc around a node that dies.
#   need_workload           ends the run with a skip when the program was not built, as without librdkafka
#   start_workload ACKS     idempotent or 1; topic `t` with 6 partitions, group `g`, history in $HISTORY
#   end_workload            lets the clients finish against the running node
#   judge [options]         reads everything back and asks verify.py
crash_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
HISTORY=$WORK/history
WORKLOAD=
CLIENTS=$(dirname "$DOHLE")/tests/crash_workload

need_workload() {
  [ -x "$CLIENTS" ] || skip_all "$CLIENTS is not built: librdkafka-dev was not there"
}

create_topic() {
  "$DOHLE" topics --bootstrap-server "$BOOTSTRAP" --create --topic t --partitions 6 --config segment.bytes=1048576
}

start_workload() {
  "$CLIENTS" run "$BOOTSTRAP" t g "$1" "$HISTORY" 2>"$WORK/workload.log" &
  WORKLOAD=$!
}

end_workload() {
  kill -TERM "$WORKLOAD"
  for _ in $(seq 1500); do
    kill -0 "$WORKLOAD" 2>/dev/null || { wait "$WORKLOAD"; return; }
    sleep 0.1
  done
  echo "The clients did not come to an end within 150 s"
  kill -KILL "$WORKLOAD"
  return 1
}

judge() {
  timeout 100 "$CLIENTS" check "$BOOTSTRAP" t g "$HISTORY" || { echo "not everything could be read"; return 1; }
  python3 "$crash_here/verify.py" "$HISTORY" "$@"
}

# A random number of milliseconds below $1, as seconds.
random_below_ms() {
  local ms=$((RANDOM % $1))
  printf '%d.%03d' $((ms / 1000)) $((ms % 1000))
}
