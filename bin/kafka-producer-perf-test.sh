#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/dohle.sh" producer-perf-test "$@"
