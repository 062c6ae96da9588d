#!/bin/bash
# compare.sh SUITE: the answers of a running node to a suite's questions, against those of Apache Kafka 4.4.0 in golden.txt, or,
# with DOHLE_ORACLE=live, those of a Kafka that is started for it; then golden.txt is checked too. differences.txt lists what is
# meant to differ. DOHLE_ANSWERS names a file for our answers, to look at.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../node_process.sh"
. "$here/answers.sh"
suite=${1:?usage: compare.sh SUITE}
LIBS=$("$here/../java/libs.sh") || { echo "$LIBS"; exit 77; }

start_again() {
  stop_node && start_ours "$1"
}

start_ours() {
  cd "$1" || return 1
  start_server server.properties
  wait_for localhost "$PORT"
}

ask_ours() {
  settle "$suite" "$WORK/ours"
  cd "$WORK/ours" || return 1
  "$DOHLE" storage format --standalone -t "$("$DOHLE" storage random-uuid)" -c server.properties || return 1
  start_ours "$WORK/ours" || return 1
  ask_in_phases "$WORK/ours" start_again
}

compare() {
  python3 "$here/compare.py" "$1" "$2" "$here/$suite/differences.txt"
}

case_is "the comparison compares" python3 "$here/compare.py" --self-test
case_is "the questions compile" compile_questions "$suite"
[ "$FAILED" = 0 ] || finish
case_is "a node answers" ask_ours
case_is "and stops" stop_node
[ "$FAILED" = 0 ] || finish
[ -z "${DOHLE_ANSWERS:-}" ] || cp "$WORK/ours/answers.txt" "$DOHLE_ANSWERS"
golden=$here/$suite/golden.txt
if [ "${DOHLE_ORACLE:-recorded}" = live ]; then
  case_is "Kafka answers" answers_of_kafka "$suite" "$WORK/kafka"
  case_is "golden.txt is what Kafka answers" diff "$golden" "$WORK/kafka/answers.txt"
  golden=$WORK/kafka/answers.txt
fi
case_is "as Kafka does" compare "$golden" "$WORK/ours/answers.txt"
[ "$FAILED" != 0 ] || tail -1 "$WORK/case.log"
finish
