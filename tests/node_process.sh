# Sourced by the run programs below tests/: a node as a process, and counting of cases.
#   start_dev [dohle dev options]     a fresh node; sets BOOTSTRAP (host:port) and NODE (process id)
#   start_server PROPERTIES [options] a node from a formatted directory; NODE; wait_for HOST PORT
#   write_properties [property=value]... $WORK/server.properties of a single node on free ports, data in $WORK/data; sets BOOTSTRAP
#   format_node [property=value]...   the same, and a formatted directory
#   start_node                        that node, again and again on the same data; NODE
#   stop_node                         SIGTERM, and fails unless it ends within 10 s; 60 under a sanitizer
#   kill_node                         SIGKILL
#   eventually COMMAND...             until it succeeds, for at most 20 s
#   case_is NAME COMMAND...           runs a case; says why it failed
#   count_cases COMMAND...            a program with cases of its own: a line each, `ok NAME`, `FAILED NAME` or `SKIPPED: why`
#   finish                            the count, and the exit status
# DOHLE is the binary and DOHLE_SHARDS the number of shards, both set by tools/dev/test.py.
set -uo pipefail
DOHLE=${DOHLE:?the dohle binary}
DOHLE_SHARDS=${DOHLE_SHARDS:-1}
WORK=$(mktemp -d)
NODE=
BOOTSTRAP=
PASSED=0
FAILED=0
SKIPPED=0

end_of_tests() {
  [ -z "$NODE" ] || { kill -KILL "$NODE"; wait "$NODE"; } 2>/dev/null
  rm -rf "$WORK"
}
trap end_of_tests EXIT

skip_all() {
  echo "SKIPPED: $*"
  exit 77
}

start_dev() {
  [ -x "$DOHLE" ] || skip_all "there is no binary $DOHLE"
  : >"$WORK/address"
  "$DOHLE" dev --port 0 --shards "$DOHLE_SHARDS" "$@" >"$WORK/address" 2>"$WORK/node.log" &
  NODE=$!
  for _ in $(seq 100); do
    BOOTSTRAP=$(head -1 "$WORK/address")
    [ -n "$BOOTSTRAP" ] && return 0
    kill -0 "$NODE" 2>/dev/null || break
    sleep 0.1
  done
  echo "The node did not start:"
  tail -20 "$WORK/node.log"
  return 1
}

start_server() {
  local properties=$1
  shift
  "$DOHLE" server "$properties" --override "shards=$DOHLE_SHARDS" "$@" >"$WORK/node.log" 2>&1 &
  NODE=$!
}

wait_for() {
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null && return 0
    kill -0 "$NODE" 2>/dev/null || break
    sleep 0.1
  done
  echo "Nobody listens on $1:$2:"
  tail -20 "$WORK/node.log"
  return 1
}

# Below those that the kernel gives to clients: a node that comes back to its port must not find somebody's connection there.
free_ports() {
  python3 -c '
import random, socket
below = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
sockets = []
while len(sockets) < 2:
    try:
        sockets.append(socket.create_server(("127.0.0.1", random.randrange(10000, max(below, 20000)))))
    except OSError:
        pass
print(*[s.getsockname()[1] for s in sockets])'
}

write_properties() {
  local port controller
  read -r port controller < <(free_ports)
  BOOTSTRAP=localhost:$port
  cat >"$WORK/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://localhost:$port,CONTROLLER://localhost:$controller
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$WORK/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
END
  [ $# = 0 ] || printf '%s\n' "$@" >>"$WORK/server.properties"
}

format_node() {
  [ -x "$DOHLE" ] || skip_all "there is no binary $DOHLE"
  write_properties "$@"
  "$DOHLE" storage format --standalone -t "$("$DOHLE" storage random-uuid)" -c "$WORK/server.properties" >"$WORK/node.log" 2>&1 && return 0
  echo "The directory could not be formatted:"
  tail -20 "$WORK/node.log"
  return 1
}

start_node() {
  start_server "$WORK/server.properties" && wait_for localhost "${BOOTSTRAP#*:}"
}

kill_node() {
  kill -KILL "$NODE"
  wait "$NODE" 2>/dev/null
  NODE=
}

eventually() {
  for _ in $(seq 100); do
    "$@" && return 0
    sleep 0.2
  done
  echo "It did not come to that within 20 s: $*"
  return 1
}

stop_node() {
  local seconds=10
  [ -z "${DOHLE_SANITIZER:-}" ] || seconds=60  # it looks for leaks in all memory then
  kill -TERM "$NODE" || return 1
  for _ in $(seq $((seconds * 10))); do
    kill -0 "$NODE" 2>/dev/null || { wait "$NODE"; local status=$?; NODE=; return "$status"; }
    sleep 0.1
  done
  echo "The node is still there $seconds s after SIGTERM"
  return 1
}

case_is() {
  local name=$1
  shift
  if "$@" >"$WORK/case.log" 2>&1; then
    PASSED=$((PASSED + 1))
    echo "ok      $name"
  else
    FAILED=$((FAILED + 1))
    echo "FAILED  $name"
    # What went wrong stands where it began, or at the end.
    if [ "$(wc -l <"$WORK/case.log")" -le 40 ]; then cat "$WORK/case.log"; else head -15 "$WORK/case.log"; echo ...; tail -25 "$WORK/case.log"; fi |
      sed 's/^/        /'
    [ ! -s "$WORK/node.log" ] || { echo "        the node's log:"; tail -10 "$WORK/node.log" | sed 's/^/        /'; }
  fi
}

count_cases() {
  "$@" 2>"$WORK/cases.err" | tee "$WORK/cases.log"
  local status=${PIPESTATUS[0]}
  PASSED=$((PASSED + $(grep -c '^ok ' "$WORK/cases.log")))
  FAILED=$((FAILED + $(grep -c '^FAILED ' "$WORK/cases.log")))
  SKIPPED=$((SKIPPED + $(grep -c '^SKIPPED:' "$WORK/cases.log")))
  [ "$status" = 0 ] && [ -s "$WORK/cases.log" ] && return
  FAILED=$((FAILED + 1))
  echo "FAILED  $1 ended with $status:"
  tail -20 "$WORK/cases.err" | sed 's/^/        /'
}

skip_case() {
  SKIPPED=$((SKIPPED + 1))
  echo "SKIPPED: $*"
}

finish() {
  echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
  [ "$FAILED" = 0 ]
  exit
}
