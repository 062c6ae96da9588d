#!/bin/bash
# Records what Kafka's own tools do with the command lines here: dump_log.txt over the files in tests/golden, node.txt against a node of
# Dohle. DOHLE is the binary; needs Java and Kafka's tools.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../node_process.sh"
. "$here/prepare.sh"
tools=$("$here/../../java/libs.sh" tools) || { echo "$tools"; exit 77; }
java_tools=(java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.level=OFF -cp "$tools/*" "$here/../../java/RunTools.java")
golden=$(cd "$here/../../golden" && pwd)

mkdir "$WORK/golden"
cp -rL "$golden"/{README.md,dumped,logdir,raft,metadata_log} "$WORK/golden"
(cd "$WORK/golden" && "$here/tools.py" record "$here/dump_log.txt" "$here/dump_log.golden.txt" "FRESH=$golden/dumped" "golden=$WORK/golden" -- "${java_tools[@]}")
start_fresh_node
(cd "$WORK" && "$here/tools.py" record "$here/node.txt" "$here/node.golden.txt" "work=$WORK" "bootstrap=$BOOTSTRAP" "port=${BOOTSTRAP#*:}" -- "${java_tools[@]}")
stop_node
