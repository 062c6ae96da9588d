#!/bin/bash
# golden.sh SUITE...: writes golden.txt from an Apache Kafka 4.4 that it starts.
here=$(cd "$(dirname "$0")" && pwd)
DOHLE=none
. "$here/../node_process.sh"
. "$here/answers.sh"
LIBS=$("$here/../java/libs.sh") || { echo "$LIBS"; exit 77; }
for suite in "${@:?usage: golden.sh SUITE...}"; do
  rm -rf "$WORK/classes" "$WORK/kafka"
  compile_questions "$suite" && answers_of_kafka "$suite" "$WORK/kafka" || exit 1
  cp "$WORK/kafka/answers.txt" "$here/$suite/golden.txt"
  wc -l "$here/$suite/golden.txt"
done
