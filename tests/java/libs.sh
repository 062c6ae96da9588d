#!/bin/sh
# Prints a folder with Apache Kafka's jars, filled with Maven the first time:
#   libs.sh          broker and clients of 4.4.0: DOHLE_KAFKA_LIBS, or build/java/libs
#   libs.sh tools    the newest published command-line tools, with their own broker and clients: DOHLE_KAFKA_TOOLS, or build/java/tools
# Exit status 77 and a line SKIPPED: why when this machine has no Java, no Maven, or no way to the jars.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-libs} in
  libs) variable=DOHLE_KAFKA_LIBS given=${DOHLE_KAFKA_LIBS:-} pom=$here/pom.xml ;;
  tools) variable=DOHLE_KAFKA_TOOLS given=${DOHLE_KAFKA_TOOLS:-} pom=$here/tools.pom.xml ;;
esac
libs=$here/../../build/java/${1:-libs}
skip() {
  echo "SKIPPED: $*"
  exit 77
}
command -v java >/dev/null || skip "no java on this machine"
if [ -n "$given" ]; then
  echo "$given"
  exit 0
fi
mkdir -p "$libs"
# Several ask at once; one fetches.
exec 9>"$libs/lock"
flock 9
if [ ! -e "$libs/complete" ]; then
  command -v mvn >/dev/null || skip "no mvn on this machine; $variable may name a folder with Kafka's jars"
  timeout 100 mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$libs" >"$libs/mvn.log" 2>&1 ||
    skip "mvn could not fetch Kafka's jars: $(grep -m1 ERROR "$libs/mvn.log" | cut -c1-150)"
  touch "$libs/complete"
fi
cd "$libs" && pwd
