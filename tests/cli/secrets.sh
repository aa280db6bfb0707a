#!/bin/sh
# SPDX-License-Identifier: MIT
# No secret stays where others can see it: not in the process list, not in a log
# at its loudest, not in a complaint (hardening rule 1.7, X5).
. "$(dirname "$0")/lib"

key=3333333333333333333333333333333333333333333333333333333333333333
sym=abababababababababababababababababababababababababababababababab
password='not-for-your-eyes'
text='a-payload-that-no-log-shows'

shown() {
	tr '\0' ' ' <"/proc/$1/cmdline"
}

# --- the process list ---------------------------------------------------------------
start node "$sotto" node --addr 127.0.0.1:0 --nodekeyhex "$key" --verbosity 5
node=$pid
url=$(enode_of node)
equal 'a key behind a blank' "$(shown "$node" | grep -c "$key")" 0
equal 'its option is there all the same' "$(shown "$node" | grep -c -- '--nodekeyhex \*\*')" 1
start listen "$sotto" listen --peer "$url" "--password=$password" --verbosity 5 --count 1
listener=$pid
until_true 10 has_line "$dir/listen.err" 'peer up'
equal 'a password behind an equals sign' "$(shown "$listener" | grep -c -- "$password")" 0
start listen2 "$sotto" listen --peer "$url" -symkey "$sym" --verbosity 5 --log.format json --count 1
second=$pid
until_true 10 has_line "$dir/listen2.err" 'peer up'
equal 'a symmetric key' "$(shown "$second" | grep -c "$sym")" 0

# --- the logs --------------------------------------------------------------------------
leaves 'send' 0 "$sotto" send --peer "$url" --password "$password" --topic x --verbosity 5 "$text"
cp "$dir/err" "$dir/send.err"
leaves 'send' 0 "$sotto" send --peer "$url" --symkey "$sym" --topic x --verbosity 5 "$text"
cp "$dir/err" "$dir/send2.err"
ended "$listener"
equal 'it was heard' "$(cat "$dir/listen.out")" "$text"
ended "$second"
equal 'it was heard' "$(cat "$dir/listen2.out")" "$text"
kill -TERM "$node"
ended "$node"
equal 'the node stops' "$got" 0

# The key that the password becomes, and the payload as hex digits, count as well.
hex=$(printf %s "$text" | od -An -tx1 | tr -d ' \n')
for log in node listen listen2 send send2; do
	[ -s "$dir/$log.err" ] && pass || complain "$log" 'logged nothing, so this shows nothing'
	for secret in "$key" "$sym" "$password" "$text" "$hex"; do
		lacks "the log of $log" "$dir/$log.err" "$secret"
	done
done
lacks 'standard output of the node' "$dir/node.out" "$key"

# --- what strangers say ------------------------------------------------------------------
# A peer's name goes into the log as harmless text (hardening X3).
start node2 "$sotto" node --addr 127.0.0.1:0 --verbosity 5
node=$pid
url=$(enode_of node2)
start rude "$badpeer" rude "$url"
until_true 10 has_line "$dir/node2.err" 'client='
holds 'escaped' "$dir/node2.err" 'client="evil\\x0a\\x1b\[2J\\x22 level=error'
equal 'one line stays one line' "$(grep -c '^level=error' "$dir/node2.err")" 0
kill -TERM "$node"
ended "$node"
equal 'the node stops' "$got" 0
