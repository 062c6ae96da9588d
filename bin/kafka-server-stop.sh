#!/bin/sh
# Stops the brokers and controllers of this machine: kafka-server-stop.sh [--process-role=ROLE | --node-id=ID]
key= wanted=
while [ $# -gt 0 ]; do
  case $1 in
    --process-role=*) key=process.roles wanted=${1#*=} ;;
    --node-id=*) key=node.id wanted=${1#*=} ;;
    *) echo "usage: kafka-server-stop.sh [--process-role=ROLE | --node-id=ID]" >&2; exit 1 ;;
  esac
  shift
done
# Process id and properties file of every dohle server.
servers=$(ps -eo pid=,args= | awk '{ n = split($2, path, "/") } path[n] == "dohle" && $3 == "server" { print $1, $4 }')
if [ -z "$servers" ]; then
  echo "No kafka server to stop"
  exit 1
fi
echo "$servers" | while read -r pid file; do
  if [ -n "$key" ]; then
    found=$(cd "/proc/$pid/cwd" && sed -n "s/^[[:space:]]*$key[[:space:]]*=[[:space:]]*//p" "$file" | tail -1)
    [ "$found" = "$wanted" ] || continue
  fi
  kill -s "${SIGNAL:-TERM}" "$pid"
done
