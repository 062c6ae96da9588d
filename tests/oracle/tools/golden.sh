#!/bin/bash
# Records what Kafka's own tools do with the command lines here: dump_log.txt over the files in tests/golden, node.txt against a node of
# Dohle, storage.txt on its directories. DOHLE is the binary; needs Java, Kafka's tools and Kafka's jars.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../node_process.sh"
. "$here/prepare.sh"
tools=$("$here/../../java/libs.sh" tools) || { echo "$tools"; exit 77; }
libs=$("$here/../../java/libs.sh") || { echo "$libs"; exit 77; }
run_tools() { echo java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.level=OFF -cp "$1/*" "$here/../../java/RunTools.java"; }
read -ra java_tools < <(run_tools "$tools")
read -ra java_storage < <(run_tools "$libs")  # the storage tool comes with the broker, so it is there in 4.4
golden=$(cd "$here/../../golden" && pwd)

mkdir "$WORK/golden"
cp -rL "$golden"/{README.md,dumped,logdir,raft,metadata_log} "$WORK/golden"
(cd "$WORK/golden" && "$here/tools.py" record "$here/dump_log.txt" "$here/dump_log.golden.txt" "FRESH=$golden/dumped" "golden=$WORK/golden" -- "${java_tools[@]}")
start_fresh_node
(cd "$WORK" && "$here/tools.py" record "$here/node.txt" "$here/node.golden.txt" "work=$WORK" "bootstrap=$BOOTSTRAP" "port=${BOOTSTRAP#*:}" -- "${java_tools[@]}")
(cd "$WORK" && "$here/tools.py" record "$here/storage.txt" "$here/storage.golden.txt" "work=$WORK" -- "${java_storage[@]}")
stop_live_group
stop_node
