#!/bin/sh
# SPDX-License-Identifier: MIT
# sotto demo: three nodes, one message, a latency, a clean stop.
. "$(dirname "$0")/lib"

leaves 'demo' 0 "$sotto" demo
holds 'the middle node' "$dir/out" '^middle node: enode://[0-9a-f]{128}@127\.0\.0\.1:[0-9]+$'
holds 'the message' "$dir/out" '^message "Hello through the middle" went sender -> middle -> receiver$'
holds 'its latency' "$dir/out" '^sealed in [0-9]+\.[0-9]{2} ms, delivered [0-9]+\.[0-9]{2} ms after that$'
holds 'a clean stop' "$dir/out" '^all three stopped cleanly$'
equal 'no complaint' "$(cat "$dir/err")" ''
equal 'nothing is left behind' "$(ls -A "$HOME")" ''
