#!/bin/sh
# SPDX-License-Identifier: MIT
# Hostile strangers at the door of a running node: see tests/tools/attack.c.  Each
# group of attacks has a node of its own, all of them at the same time.
. "$(dirname "$0")/lib"

attack=$build/tests/attack

# assault GROUP DESCRIPTORS OPTION...
assault() {
	group=$1
	most=$2
	shift 2
	start "$group" sh -c 'ulimit -n "$0"; exec "$@"' "$most" "$sotto" node \
		--addr 127.0.0.1:0 --datadir "$dir/$group.data" --shh.pool.bytes 8388608 \
		--shh.pool.count 4096 "$@"
	node=$pid
	url=$(enode_of "$group") || complain "$group" 'no node' "$dir/$group.err"
	start "$group.attack" "$attack" "$node" "$url" "$group"
	eval "node_$group=$node attack_$group=$pid"
}

# outcome GROUP: add what it counted, and stop its node in order
outcome() {
	eval "node=\$node_$1 attacker=\$attack_$1"
	ended "$attacker"
	out=$dir/$1.attack.out
	sum=$(sed -n '$s/^\([0-9]* passed, [0-9]* failed\)$/\1/p' "$out")
	if [ -n "$sum" ]; then
		passed=$((passed + ${sum%% *}))
		sum=${sum#*, }
		failed=$((failed + ${sum%% *}))
		grep -v ' passed, ' "$out"
	else
		complain "$1" "the attack left with $got" "$out" "$dir/$1.attack.err"
	fi
	kill -TERM "$node"
	ended "$node"
	equal "$1: the node stops in order" "$got" 0
	lacks "$1: nothing was reported" "$dir/$1.err" 'Sanitizer|runtime error|level=error'
}

assault slow 1024 --shh.pow 0.001
assault deaf 1024 --shh.pow 0
assault scarce 40 --shh.pow 0.001
assault door 1024 --shh.pow 0.001
assault peer 1024 --shh.pow 0.001
for g in door peer scarce deaf slow; do
	outcome "$g"
done
holds 'scarce: descriptors did run out' "$dir/scarce.err" 'accept_paused'
