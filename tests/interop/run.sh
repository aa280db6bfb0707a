#!/bin/sh
# SPDX-License-Identifier: MIT
# The real peers: build the runner and let it do the rest (see README.md).
# O is the build directory, CI=true forbids skipping.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${O:-build}
case $out in /*) ;; *) out=$root/$out ;; esac

if ! command -v go >/dev/null 2>&1; then
	echo "interop: Go is not installed; it is needed to build the real peers" >&2
	if [ "${CI:-}" = true ]; then
		echo "0 passed, 1 failed"
		exit 1
	fi
	echo "SKIPPED: all of the interop suite"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi

mkdir -p "$out/interop"
(cd "$here/run" && go build -buildvcs=false -o "$out/interop/run" .)
exec "$out/interop/run" -source "$here" -out "$out" "$@"
