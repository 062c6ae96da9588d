#!/bin/sh
# Prints the folder with Apache Kafka's jars: DOHLE_KAFKA_LIBS, or build/java/libs, filled with Maven the first time.
# Exit status 77 and a line SKIPPED: why when this machine has no Java, no Maven, or no way to the jars.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
libs=$here/../../build/java/libs
skip() {
  echo "SKIPPED: $*"
  exit 77
}
command -v java >/dev/null || skip "no java on this machine"
if [ -n "${DOHLE_KAFKA_LIBS:-}" ]; then
  echo "$DOHLE_KAFKA_LIBS"
  exit 0
fi
if [ ! -e "$libs/complete" ]; then
  command -v mvn >/dev/null || skip "no mvn on this machine; DOHLE_KAFKA_LIBS may name a folder with Kafka's jars"
  mkdir -p "$libs"
  timeout 300 mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs" >"$libs/mvn.log" 2>&1 ||
    skip "mvn could not fetch Kafka's jars: $(grep -m1 ERROR "$libs/mvn.log" | cut -c1-150)"
  touch "$libs/complete"
fi
cd "$libs" && pwd
