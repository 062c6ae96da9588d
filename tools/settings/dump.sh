#!/bin/sh
# Writes src/broker/config/settings/*.txt from the jars of an Apache Kafka 4.4 installation: tools/settings/dump.sh KAFKA_LIBS
set -eu
libs=${1:?usage: tools/settings/dump.sh DIRECTORY_WITH_KAFKA_JARS}
cd "$(dirname "$0")/../.."
for section in server topic group client-metrics; do
  java -cp "$libs/*" tools/settings/DumpSettings.java "$section" 2>/dev/null >"src/broker/config/settings/$section.txt"
done
