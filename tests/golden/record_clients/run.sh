#!/bin/bash
# Records what real clients send, as corpora of the fuzz targets: kcat (librdkafka), and Apache Kafka's own tools where Java is. Needs DOHLE.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../node_process.sh"
read -r port other < <(free_ports)
format_node "advertised.listeners=PLAINTEXT://127.0.0.1:$port" && start_node || exit 1

record() {
  python3 "$here/record.py" "$port" "$BOOTSTRAP" "$1" >"$WORK/recorder" &
  RECORDER=$!
  eventually grep -q ready "$WORK/recorder"
}
end_of_recording() { kill "$RECORDER" && wait "$RECORDER" 2>/dev/null; }

k() { timeout 20 kcat -b "127.0.0.1:$port" "$@"; }
record kcat
k -L >"$WORK/list"
for codec in none gzip snappy lz4 zstd; do seq 30 | sed 's/$/:value/' | k -P -t recorded -p 0 -z "$codec" -K: -H a=1 -X enable.idempotence=true; done
k -C -t recorded -e -q >"$WORK/read"
k -Q -t recorded:0:1 >>"$WORK/read"
k -G group -X auto.offset.reset=earliest -c 20 -q recorded >>"$WORK/read" 2>&1
end_of_recording

libs=$("$here/../../java/libs.sh" tools) || { echo "$libs"; exit 0; }
tool() { timeout 60 java -cp "$libs/*" "org.apache.kafka.tools.$@" --bootstrap-server "127.0.0.1:$port" >>"$WORK/tools" 2>&1; }
record java
tool TopicCommand --create --topic java --partitions 2 --config retention.ms=100000
tool TopicCommand --describe --topic java
for codec in none gzip snappy lz4 zstd; do seq 30 | tool ConsoleProducer --topic java --compression-codec "$codec"; done
tool ConsoleConsumer --topic java --from-beginning --max-messages 40 --group java
tool consumer.group.ConsumerGroupCommand --describe --all-groups
tool consumer.group.ConsumerGroupCommand --group java --topic java --reset-offsets --to-earliest --execute
tool GetOffsetShell --topic java
tool ConfigCommand --entity-type topics --entity-name java --alter --add-config max.message.bytes=2000000
tool TopicCommand --delete --topic java
end_of_recording
