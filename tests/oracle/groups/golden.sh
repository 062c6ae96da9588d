#!/bin/sh
# Writes golden.txt from an Apache Kafka 4.4: tests/oracle/groups/golden.sh KAFKA_LIBS
set -eu
libs=${1:?usage: golden.sh DIRECTORY_WITH_KAFKA_JARS}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
id=$(java -cp "$libs/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
java -cp "$libs/*" kafka.tools.StorageTool format --standalone -t "$id" -c "$here/server.properties" >format.log 2>&1
java -Xmx512m -cp "$libs/*" kafka.Kafka "$here/server.properties" >kafka.log 2>&1 &
broker=$!
trap 'kill $broker; rm -rf "$work"' EXIT
java -cp "$libs/*" "$here/AskGroups.java" localhost 29492 2>ask.log >golden.txt
[ -s golden.txt ] || tail ask.log
mv golden.txt "$here/golden.txt"
