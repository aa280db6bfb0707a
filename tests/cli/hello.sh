#!/bin/sh
# SPDX-License-Identifier: MIT
# sotto hello: what it shows, and an exit code for each step that can fail.
. "$(dirname "$0")/lib"

start node "$sotto" node --addr 127.0.0.1:0 --shh.pow 0.5 --verbosity 0
node=$pid
url=$(enode_of node)
leaves 'hello' 0 "$sotto" hello "$url"
for line in 'dial +[0-9.]+ ms' 'handshake +[0-9.]+ ms' 'hello +[0-9.]+ ms' 'status +[0-9.]+ ms' \
	'client +sotto/v0\.1\.0/linux-[a-z0-9_]+/c11' 'p2p version +5' 'capabilities +shh/6' \
	'status +4 items, least work 0\.5' 'family +sotto'; do
	holds 'it shows' "$dir/out" "^$line\$"
done
leaves 'hello --json' 0 "$sotto" hello --json "$url"
equal 'one line' "$(wc -l <"$dir/out")" 1
for field in "\"enode\":\"$url\"" '"ms":\{"dial":[0-9.]+,"handshake":[0-9.]+,"hello":[0-9.]+,"status":[0-9.]+\}' \
	'"client":"sotto/v0\.1\.0/' '"version":5' '"caps":\["shh/6"\]' '"offset":16' \
	'"status":\{"form":"four","pow":0\.5,' '"family":"sotto"' '"code":0'; do
	holds 'the object has' "$dir/out" "$field"
done
leaves 'without compression' 0 "$sotto" hello --rlpx.version 4 "$url"
kill "$node"
ended "$node"

# fails MODE CODE PATTERN: against a peer that goes wrong so
fails() {
	start "$1" "$badpeer" "$1"
	url=$(enode_of "$1")
	leaves "$1" "$2" "$sotto" hello --timeout 2 "$url"
	equal "$1: one line on standard error" "$(wc -l <"$dir/err")" 1
	holds "$1" "$dir/err" "$3"
	leaves "$1 --json" "$2" "$sotto" hello --timeout 2 --json "$url"
	holds "$1 --json" "$dir/out" "\"code\":$2,\"error\":\"[^\"]*\"\\}\$"
	kill "$pid"
	ended "$pid"
}

leaves 'nobody there' 4 "$sotto" hello "$url"
holds 'nobody there' "$dir/err" "^sotto hello: cannot be dialled: nobody accepts connections at ${url#*@}\$"
fails close 5 'the handshake failed'
fails silent 5 'the handshake failed'
fails noise 5 'the handshake failed'
fails nohello 6 'no acceptable Hello came'
fails useless 7 'no capability is shared, expected shh/6'
holds 'useless: its Hello is shown all the same' "$dir/out" '"client":"badpeer"'
fails nostatus 8 'no acceptable Status came'
fails badstatus 8 'no acceptable Status came'
fails version 8 'no acceptable Status came'
fails full 9 'it disconnected: too many peers \(0x04\)'
fails quit 9 'it disconnected: client quitting \(0x08\)'

# Ourselves.
(umask 077 && "$sotto" key generate "$dir/key" >/dev/null)
leaves 'ourselves' 4 "$sotto" hello --nodekey "$dir/key" "$("$sotto" key to-enode "$dir/key")"
holds 'ourselves' "$dir/err" '^sotto hello: cannot be dialled: ourselves$'

# Another key than the one that is there: the handshake cannot be opened.
start other "$badpeer" nostatus
url=$(enode_of other)
id=4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1
leaves 'another identity' 5 "$sotto" hello "enode://$id@${url#*@}"
