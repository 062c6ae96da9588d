# Sourced by run and golden.sh: a fresh node, and in $WORK the files that node.txt names.
start_fresh_node() {
  format_node || return 1
  sed "s|^log.dirs=.*|log.dirs=$WORK/fresh|" "$WORK/server.properties" >"$WORK/fresh.properties"
  echo '{"partitions":[{"topic":"lines","partition":0,"offset":2}],"version":1}' >"$WORK/delete.json"
  echo '{"partitions":[{"topic":"lines","partition":0,"offset":1},{"topic":"lines","partition":0,"offset":2}]}' >"$WORK/twice.json"
  echo '{"partitions":[{"topic":"missing","partition":0,"offset":1}]}' >"$WORK/unknown.json"
  echo '{"partitions":[{"topic":"lines","partition":0,"offset":1000}]}' >"$WORK/beyond.json"
  echo '{"partitions":[],"version":9}' >"$WORK/version.json"
  echo '{"partitions":' >"$WORK/broken.json"
  printf 'max.message.bytes=2000\nsegment.ms=100000\n' >"$WORK/add.properties"
  start_node && start_live_group
}

# A group with a member, LIVE, until stop_live_group.
start_live_group() {
  "$DOHLE" topics --bootstrap-server "$BOOTSTRAP" --create --topic live --partitions 2 >/dev/null || return 1
  "$DOHLE" console-consumer --bootstrap-server "$BOOTSTRAP" --topic live --group live >/dev/null 2>&1 &
  LIVE=$!
  eventually live_group_is_stable
}
live_group_is_stable() { "$DOHLE" consumer-groups --bootstrap-server "$BOOTSTRAP" --describe --group live --state 2>/dev/null | grep -q ' Stable '; }
stop_live_group() { kill -TERM "$LIVE" && { wait "$LIVE" || true; LIVE=; }; }
