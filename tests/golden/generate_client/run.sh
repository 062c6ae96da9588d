#!/bin/sh
# usage: run.sh CLASSPATH
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
javac -cp "$1" -d "$out" "$here"/*.java
java -cp "$out:$1" GenerateClient "$here/../client"
