#!/bin/bash
# What `make run` does once there is a binary: one broker on localhost:9092 with its data in ./data, and a first round trip.
set -euo pipefail
cd "$(dirname "$0")/../.."
config=config/server.properties
server=
broker=localhost:9092

stop() {
  trap - INT TERM EXIT
  [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null || true; wait "$server" || true; }
}
trap stop EXIT
trap 'stop; exit 0' INT TERM

# Shows a command as a person would type it, and runs it.
show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

# Somebody listens already: the broker says so itself, and ends.
if (exec 3<>/dev/tcp/localhost/9092) 2>/dev/null; then
  bin/kafka-server-start.sh "$config"
  exit 1
fi

if [ ! -e data/meta.properties ]; then
  show bin/kafka-storage.sh format --standalone -t "$(bin/kafka-storage.sh random-uuid)" -c "$config"
fi

printf '\n$ bin/kafka-server-start.sh %s\n' "$config"
bin/kafka-server-start.sh "$config" &
server=$!
until bin/kafka-broker-api-versions.sh --bootstrap-server "$broker" >/dev/null 2>&1; do
  kill -0 "$server" 2>/dev/null || { wait "$server" && status=0 || status=$?; server=; exit "$status"; }
  sleep 0.1
done

show bin/kafka-topics.sh --bootstrap-server "$broker" --create --if-not-exists --topic hello
printf '\n$ printf "one\\ntwo\\nthree\\n" | bin/kafka-console-producer.sh --bootstrap-server %s --topic hello\n' "$broker"
printf 'one\ntwo\nthree\n' | bin/kafka-console-producer.sh --bootstrap-server "$broker" --topic hello
count=$(bin/kafka-get-offsets.sh --bootstrap-server "$broker" --topic hello | awk -F: '{ sum += $3 } END { print sum }')
show bin/kafka-console-consumer.sh --bootstrap-server "$broker" --topic hello --from-beginning --max-messages "$count"

printf '\nServing on %s; the data is in ./data. The commands above work from another terminal. Ctrl-C stops the broker.\n' "$broker"
wait "$server" && status=0 || status=$?
server=
exit "$status"
