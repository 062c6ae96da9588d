# Sourced by compare.sh and golden.sh: starting a broker and asking it a suite's questions.
#   compile_questions SUITE          the suite's Ask*.java and what it needs, into $WORK/classes; LIBS are Kafka's jars
#   settle SUITE FOLDER              FOLDER with the suite's server.properties on free ports; PORT and CONTROLLER_PORT
#   ask_in_phases FOLDER AGAIN       runs the questions, answers to FOLDER/answers.txt; AGAIN restarts the broker between phases
#   answers_of_kafka SUITE FOLDER    all of that with an Apache Kafka
# The ports in a suite's server.properties are placeholders, 29392 for clients and 29393 for the controller.
ORACLE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KAFKA=
RESTART=10  # Asker.RESTART

end_of_oracle() {
  [ -z "$KAFKA" ] || kill -KILL "$KAFKA" 2>/dev/null
  end_of_tests
}
trap end_of_oracle EXIT

compile_questions() {
  javac -proc:none -cp "$LIBS/*" -d "$WORK/classes" -sourcepath "$ORACLE:$ORACLE/../golden/generate_records" "$ORACLE/$1"/*.java 2>&1
}

settle() {
  read -r PORT CONTROLLER_PORT < <(free_ports)
  mkdir -p "$2"
  sed -e "s/:29392/:$PORT/g" -e "s/:29393/:$CONTROLLER_PORT/g" "$ORACLE/$1/server.properties" >"$2/server.properties"
  QUESTIONS=$(basename "$ORACLE/$1"/Ask*.java .java)
}

ask_in_phases() {
  local phase=1 status
  : >"$1/answers.txt"
  while :; do
    java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$WORK/classes:$LIBS/*" "$QUESTIONS" localhost "$PORT" "$CONTROLLER_PORT" "$phase" \
      >>"$1/answers.txt" 2>"$1/java.log"
    status=$?
    [ "$status" = "$RESTART" ] || break
    "$2" "$1" || return 1
    phase=$((phase + 1))
  done
  [ "$status" = 0 ] || grep -v SLF4J "$1/java.log" | tail -8
  return "$status"
}

kafka() {
  java -Xmx512m -XX:TieredStopAtLevel=1 -cp "$LIBS/*" "$@"
}

start_kafka() {
  (cd "$1" && exec java -Xmx512m -XX:TieredStopAtLevel=1 -cp "$LIBS/*" kafka.Kafka server.properties) >>"$1/kafka.log" 2>&1 &
  KAFKA=$!
}

stop_kafka() {
  [ -z "$KAFKA" ] || { kill "$KAFKA"; wait "$KAFKA"; } 2>/dev/null
  KAFKA=
}

restart_kafka() {
  stop_kafka
  start_kafka "$1"
}

answers_of_kafka() {
  settle "$1" "$2"
  (cd "$2" && kafka kafka.tools.StorageTool format --standalone -t "$(kafka kafka.tools.StorageTool random-uuid 2>/dev/null)" \
    -c server.properties >format.log 2>&1) || { tail -5 "$2/format.log"; return 1; }
  start_kafka "$2"
  ask_in_phases "$2" restart_kafka
  local status=$?
  stop_kafka
  return "$status"
}
