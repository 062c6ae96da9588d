#!/bin/sh
# kafka-server-start.sh [-daemon] server.properties [--override key=value]*
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
if [ "${1:-}" = -daemon ]; then
  shift
  logs=${LOG_DIR:-$here/../logs}
  mkdir -p "$logs"
  nohup "$here/dohle.sh" server "$@" >"$logs/kafkaServer.out" 2>&1 </dev/null &
  exit 0
fi
exec "$here/dohle.sh" server "$@"
