#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/dohle.sh" delete-records "$@"
