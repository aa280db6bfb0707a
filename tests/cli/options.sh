#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever is typed wrongly: one line that names option, value and what was
# expected, exit code 1, and nothing made.
. "$(dirname "$0")/lib"

key=1111111111111111111111111111111111111111111111111111111111111111
id=4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1
peer=enode://$id@127.0.0.1:30303
badpoint=enode://$(printf '%0128d' 7)@127.0.0.1:30303
cd "$dir" || exit 2
printf '%s\n' "$key" >private
chmod 600 private
printf '%s\n' "$key" >open
chmod 644 open
printf 'no key\n' >nokey
chmod 600 nokey
: >empty
chmod 600 empty
printf '# a list\n%s\nenode://zz@1.2.3.4:5\n' "$peer" >badlist
chmod 600 badlist
before=$(ls -a . "$HOME" | sort | tr '\n' ' ')

# bad PATTERN ARGUMENT...: the pattern is what the line must say
bad() {
	pattern=$1
	shift
	timeout 20 "$sotto" "$@" >out 2>err </dev/null
	code=$?
	lines=$(wc -l <err)
	if [ "$code" -ne 1 ]; then
		complain "sotto $*" "left with $code, wanted 1" out err
	elif [ "$lines" -ne 1 ] || [ -s out ]; then
		complain "sotto $*" "wanted one line on standard error, nothing else" out err
	elif ! grep -Eq -- "$pattern" err; then
		complain "sotto $*" "nothing like \"$pattern\"" err
	elif rm out err && [ "$(ls -a . "$HOME" | sort | tr '\n' ' ')" != "$before" ]; then
		complain "sotto $*" "left something: $(ls -a . "$HOME")"
	else
		pass
	fi
}

n() {
	p=$1
	shift
	bad "^sotto node: $p" node "$@"
}

# --- commands ---------------------------------------------------------------------
bad 'expected a command'
bad '"fly" is no command, expected' fly
bad '"key" is no command' key
bad '"key" is no command' key bend private
bad '"key" is no command' help key bend
bad '"fly" is no command' fly --help

# --- shapes --------------------------------------------------------------------------
n '--nothing is no option, expected one' --nothing
n '-nothing is no option, expected one that .*--help. lists$' -nothing=1
n '--port: expected a value, N' --port
n '--port "1": expected it once at most' --port 0 --port 1
n '"extra": expected no operand' extra
n '--shh.light "yes": expected true or false' --shh.light=yes
n '"false": expected no operand' --shh.light false
n '--x\\x1b\[31m is no option' "--x$(printf '\033[31m')"

# --- numbers ---------------------------------------------------------------------------
for v in '' x -1 ' 1' 1.5 0x10 65536 99999999999999999999999 1e3; do
	n "--port \"$v\": expected a whole number from 0 to 65535" --port "$v"
done
n '--port "\+1": expected' --port +1
n '--shh.pow "\+1": expected' --shh.pow +1
for v in 0 1025 many; do
	n "--maxpeers \"$v\": expected a whole number from 1 to 1024" --maxpeers=$v
done
n '--verbosity "6": expected a whole number from 0 to 5' --verbosity 6
for v in '' x -1 nan inf 1e10 0x1p3 1,5 1.2.3 1e; do
	n "--shh.pow \"$v\": expected a number from 0 to 1e9" --shh.pow "$v"
done
n '--shh.maxmessagesize "1023": expected a whole number from 1024 to 10485760' --shh.maxmessagesize 1023
n '--shh.maxmessagesize "10485761": expected' --shh.maxmessagesize 10485761
n '--shh.delay "60001": expected' --shh.delay 60001
n '--shh.pace "4294967296": expected' --shh.pace 4294967296
n '--shh.pool.bytes "1": expected a whole number from 1048576' --shh.pool.bytes 1
n '--shh.pool.count "1": expected a whole number from 64' --shh.pool.count 1
n '--rlpx.version "6": expected a whole number from 4 to 5' --rlpx.version 6

# --- words, places, lists -----------------------------------------------------------------
n '--log.format "xml": expected text\|json' --log.format xml
n '--addr "localhost": expected' --addr localhost
n '--addr "1.2.3": expected' --addr 1.2.3
n '--addr "127.0.0.1:70000": expected' --addr 127.0.0.1:70000
n '--addr "": expected' --addr ''
n '--addr 127.0.0.1:5 and --port 6: expected one port' --addr 127.0.0.1:5 --port 6
n '--addr: 192.0.2.1:0 cannot be listened on: Cannot assign requested address' --addr 192.0.2.1:0
n '--netrestrict "10.0.0.0/33": expected' --netrestrict 10.0.0.0/33
n '--netrestrict "10.0.0": expected' --netrestrict 10.0.0
n '--datadir "": expected a value that is not empty' --datadir ''
n '--datadir private: cannot be opened: expected a folder' --addr 127.0.0.1:0 --datadir private
n '--peers "nowhere": expected enode URLs, or a file of them that can be read \(No such file or directory\)$' --addr 127.0.0.1:0 --peers nowhere
n '--peers "enode://zz@1.2.3.4:5": expected' --addr 127.0.0.1:0 --peers badlist
n '--peers "enode://000.*": expected' --addr 127.0.0.1:0 --peers "$peer,$badpoint"
n '--peers "enode://.*": expected a full enode URL, enode://KEY@HOST:PORT$' --addr 127.0.0.1:0 --peers "enode://$id"
n '--trusted "enode:nothing": expected' --addr 127.0.0.1:0 --trusted enode:nothing

# --- keys ------------------------------------------------------------------------------------
n '--nodekey nowhere: cannot be opened: No such file' --addr 127.0.0.1:0 --nodekey nowhere
n '--nodekey open: has mode 0644, expected 0600' --addr 127.0.0.1:0 --nodekey open
n '--nodekey nokey: holds no key, expected 64 hex digits' --addr 127.0.0.1:0 --nodekey nokey
n '--nodekeyhex: expected 64 hex digits' --addr 127.0.0.1:0 --nodekeyhex 12345
n '--nodekeyhex: expected 64 hex digits' --addr 127.0.0.1:0 --nodekeyhex "$(printf '%064d' 0)"
n '--nodekey and --nodekeyhex: expected one of them at most' --nodekey private --nodekeyhex $key

# --- hello, send, listen ------------------------------------------------------------------------
bad '^sotto hello: expected ENODE' hello
bad '^sotto hello: ENODE "nonsense": expected' hello nonsense
full='expected a full enode URL, enode://KEY@HOST:PORT$'
bad "^sotto hello: ENODE \"enode://.*\": $full" hello "enode://$id"
for bare in "$id" "0x04$id" nonsense; do
	bad "^sotto hello: ENODE \".*\": $full" hello "$bare"
	bad "^sotto send: --peer \".*\": $full" send --peer "$bare" --password x --topic t hi
	bad "^sotto listen: --peer \".*\": $full" listen --peer "$bare" --password x
done
bad '^sotto send: -dash is no option, expected .*, or `--. before what is none$' send --peer "$peer" --password x --topic t -dash
bad '^sotto hello: "more": expected no more than ENODE' hello "$peer" more
bad '^sotto hello: --timeout "0": expected' hello --timeout 0 "$peer"
bad '^sotto send: --peer is missing: expected' send --password x --topic t hi
bad '^sotto send: --topic is missing: expected 8 hex digits, or a name' send --peer "$peer" --password x hi
bad '^sotto send: expected exactly one of .*--pubkey' send --peer "$peer" --topic t hi
bad '^sotto send: expected exactly one of' send --peer "$peer" --topic t --password x --symkey $key hi
bad '^sotto send: --topic "0x123": expected 8 hex digits' send --peer "$peer" --password x --topic 0x123 hi
bad '^sotto send: --topic "b": expected at most 1 of them' send --peer "$peer" --password x --topic a --topic b hi
bad '^sotto send: --password: expected a value that is not empty' send --peer "$peer" --password '' --topic t hi
bad '^sotto send: --symkey: expected 64 hex digits' send --peer "$peer" --symkey 123 --topic t hi
bad '^sotto send: --symkeyfile: expected 64 hex digits' send --peer "$peer" --symkeyfile nokey --topic t hi
bad '^sotto send: --passwordfile empty: is empty' send --peer "$peer" --passwordfile empty --topic t hi
bad '^sotto send: --passwordfile open: has mode 0644' send --peer "$peer" --passwordfile open --topic t hi
bad '^sotto send: --pubkey: expected 128 hex digits' send --peer "$peer" --pubkey $key --topic t hi
bad '^sotto send: --pubkey: expected .* point' send --peer "$peer" --pubkey "$(printf '%0128d' 7)" --topic t hi
bad '^sotto send: --sign nowhere: cannot be opened' send --peer "$peer" --password x --sign nowhere --topic t hi
bad '^sotto send: --ttl "0": expected' send --peer "$peer" --password x --ttl 0 --topic t hi
bad '^sotto send: --ttl "172801": expected' send --peer "$peer" --password x --ttl 172801 --topic t hi
bad '^sotto send: --form "xml": expected geth\|parity\|both' send --peer "$peer" --password x --form xml --topic t hi
bad '^sotto send: "b": expected no more than' send --peer "$peer" --password x --topic t a b
bad '^sotto listen: --peer is missing' listen --password x
bad '^sotto listen: expected exactly one of .*--key' listen --peer "$peer"
bad '^sotto listen: --key nokey: holds no key' listen --peer "$peer" --key nokey
bad '^sotto listen: --count "-1": expected' listen --peer "$peer" --password x --count -1
bad '^sotto listen: --topic "": expected' listen --peer "$peer" --password x --topic ''

# --- key ---------------------------------------------------------------------------------------------
bad '^sotto key generate: expected FILE' key generate
bad '^sotto key generate: private: exists already' key generate private
bad '^sotto key generate: no/such/folder/key: cannot be written' key generate no/such/folder/key
bad '^sotto key inspect: nokey: holds no key' key inspect nokey
bad '^sotto key to-enode: --ip "here": expected' key to-enode --ip here private
equal 'a key is never overwritten' "$(cat private)" "$key"

# A secret is not repeated, whatever is wrong with it or beside it.
for command in "node --nodekeyhex 77secret77" "send --password 77secret77" \
	"listen --symkey 77secret77" "node --nodekeyhex=77secret77 --port x"; do
	# shellcheck disable=SC2086 # words
	"$sotto" $command >out 2>err
	lacks "sotto $command" err 77secret77
done
rm -f out err

# --- every way to write an option, and help ------------------------------------------------------------
for way in "--port x" "--port=x" "-port x" "-port=x"; do
	# shellcheck disable=SC2086 # words
	bad '--port "x": expected' node $way
done
for help in "--help" "-h" "help" "node --help" "node -h" "key generate --help" "help send" \
	"node --port x --help" "help manual" "help completion" "version" "--version"; do
	# shellcheck disable=SC2086 # words
	leaves "sotto $help" 0 "$sotto" $help
	[ -s out ] && [ ! -s err ] && pass || complain "sotto $help" 'says nothing'
done
for help in "key --help" "key -h" "help key"; do
	# shellcheck disable=SC2086 # words
	leaves "sotto $help" 0 "$sotto" $help
	equal "sotto $help: its commands" "$(sed -n 's/^  key \([a-z-]*\) .*/\1/p' out | tr '\n' ' ')" \
		'generate inspect to-enode '
done
leaves 'help of to-enode' 0 "$sotto" key to-enode --help
lacks 'no port is free to be taken' out 'any free one'
leaves 'help of listen' 0 "$sotto" listen --help
lacks 'a payload may be several lines' out 'alike, one a line'
leaves 'the shell reads its completion' 0 bash -n -c "$("$sotto" help completion)"
