#!/bin/sh
# Runs the dohle binary that belongs to this directory: the checkout's build, or the installed one. bin/kafka-*.sh come through here.
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
for candidate in "${DOHLE_BINARY:-}" "$here/../build/release/dohle" "$here/dohle"; do
  if [ -n "$candidate" ] && [ -x "$candidate" ]; then exec "$candidate" "$@"; fi
done
echo "There is no dohle binary: run 'make build' first, or set DOHLE_BINARY to one." >&2
exit 1
