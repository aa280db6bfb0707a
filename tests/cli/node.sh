#!/bin/sh
# SPDX-License-Identifier: MIT
# sotto node: starts, tells where it is, keeps its key, stops when asked, and
# refuses what would be unsafe.
. "$(dirname "$0")/lib"

data=$dir/data
node() {
	name=$1
	shift
	start "$name" "$sotto" node --addr 127.0.0.1:0 "$@"
}

# --- the main job ---------------------------------------------------------------
node first --datadir "$data"
first=$pid
url=$(enode_of first)
equal 'an enode URL on standard output' "$(echo "$url" | sed -E 's/[0-9a-f]{128}/KEY/;s/[0-9]+$/PORT/')" \
	'enode://KEY@127.0.0.1:PORT'
holds 'the port for people' "$dir/first.out" '^# accepts connections on TCP 127.0.0.1:[0-9]+$'
holds 'how to send a first message' "$dir/first.out" "^# first message: $sotto send --peer enode://"
equal 'nothing else on standard output' "$(grep -cv -e '^#' -e '^enode: ' "$dir/first.out")" 0
equal 'the folder is private' "$(stat -c %a "$data")" 700
equal 'the key is private' "$(stat -c %a "$data/nodekey")" 600
holds 'the key is 64 hex digits' "$data/nodekey" '^[0-9a-f]{64}$'
equal 'no other file' "$(ls "$data" | tr '\n' ' ')" 'LOCK nodekey '
leaves 'it answers hello' 0 "$sotto" hello "$url"

leaves 'the folder has one user' 2 "$sotto" node --addr 127.0.0.1:0 --datadir "$data"
holds 'and says so' "$dir/err" 'in use by another process'
port=${url##*:}
leaves 'a port in use' 2 "$sotto" node --addr "127.0.0.1:$port" --datadir "$dir/other"
holds 'and says so' "$dir/err" "127.0.0.1:$port cannot be listened on: Address already in use"
equal 'and leaves nothing behind' "$(ls "$dir/other" 2>/dev/null)" ''

kill -TERM "$first"
ended "$first"
equal 'SIGTERM ends it with 0' "$got" 0

# --- again ----------------------------------------------------------------------
node again --datadir "$data" --log.format json --verbosity 5
again=$pid
equal 'the key was kept' "$(enode_of again | cut -d@ -f1)" "${url%@*}"
leaves 'a peer comes by' 0 "$sotto" hello "$(enode_of again)"
kill -INT "$again"
ended "$again"
equal 'SIGINT ends it with 0' "$got" 0
equal 'each log line is a JSON object' "$(grep -cvE '^\{"time":"[^"]*Z","level":"[a-z]+","event":"[^"]+"(,"[^"]+":([0-9-]+|true|"([^"\\]|\\.)*"))*\}$' "$dir/again.err")" 0
holds 'and there are some' "$dir/again.err" '"event":"peer up"'

# Two that have been quiet for longer than a goodbye may take.
node leaver --datadir "$data" --verbosity 3
leaver=$pid
node stayer --datadir "$dir/stayer" --verbosity 3 --peers "$(enode_of leaver)"
stayer=$pid
until_true 10 has_line "$dir/stayer.err" 'peer up'
sleep 2
kill -TERM "$leaver"
ended "$leaver"
until_true 10 has_line "$dir/stayer.err" 'peer down'
holds 'a quiet peer is told why' "$dir/stayer.err" 'peer down reason=0x08 text="client quitting" by=peer'
kill -TERM "$stayer"
ended "$stayer"

# A peer that stopped reading, with more to read than fits on the way: the goodbye
# to it takes its second.
stuck() {
	node "$1" --datadir "$data" --shh.pow 0 --log.format text
	stuck=$pid
	url=$(enode_of "$1")
	rm -f "$dir/deaf.in"
	mkfifo "$dir/deaf.in"
	"$nodectl" --addr 127.0.0.1:0 --shh.pow 0 <"$dir/deaf.in" >"$dir/deaf.out" 2>&1 &
	deaf=$!
	pids="$pids $deaf"
	exec 3>"$dir/deaf.in"
	echo "peer $url" >&3
	until_true 10 has_line "$dir/deaf.out" '"event":"up"'
	kill -STOP "$deaf"
	{
		echo "peer $url"
		echo "burst count=30 size=500000"
		until_true 20 has_line "$dir/loud.out" '"event":"burst"'
		sleep 0.5
		echo quit
	} | "$nodectl" --addr 127.0.0.1:0 --shh.pow 0 >"$dir/loud.out" 2>&1
	kill -TERM "$stuck"
	until_true 5 has_line "$dir/$1.err" 'stopping signal=15'
}
unstuck() {
	exec 3>&-
	kill -CONT "$deaf"
	ended "$deaf"
}

stuck patient
ended "$stuck"
equal 'a peer that does not read cannot hold it' "$got" 0
unstuck

stuck hurried
kill -TERM "$stuck"
ended "$stuck"
equal 'a second signal ends it at once' "$got" 143
unstuck

# --- peers -----------------------------------------------------------------------
node hub --datadir "$dir/hub"
hub=$pid
url=$(enode_of hub)
# geth's static-nodes.json, with a remark and a host name
printf '[\n  "%s"\n]\n# of old\n' "$(echo "$url" | sed 's/@.*:/@localhost:/')" >"$dir/static-nodes.json"
node spoke --datadir "$dir/spoke" --peers "$dir/static-nodes.json" --trusted "${url%@*}"
spoke=$pid
until_true 10 has_line "$dir/spoke.err" 'peer up .*dir=out' && pass || complain 'peers from a file' 'none' "$dir/spoke.err"
until_true 10 has_line "$dir/hub.err" 'peer up .*dir=in' && pass || complain 'the other side' 'none' "$dir/hub.err"
kill -TERM "$spoke"
ended "$spoke"
equal 'it stops' "$got" 0
node spoke2 --datadir "$dir/spoke" --peers "enode://$(printf '%064d' 0)@127.0.0.1:1,$url"
ended "$pid"
equal 'one bad peer in a list' "$got" 1
node spoke3 --datadir "$dir/spoke" --peers "$url,$url"
spoke=$pid
until_true 10 has_line "$dir/spoke3.err" 'peer up .*dir=out' && pass || complain 'peers from a list' 'none' "$dir/spoke3.err"
node fenced --datadir "$dir/fenced" --netrestrict 10.0.0.0/8
fenced=$pid
leaves 'a network that is not welcome' 5 "$sotto" hello --timeout 5 "$(enode_of fenced)"
kill -TERM "$spoke" "$hub" "$fenced"
ended "$spoke"
ended "$hub"
ended "$fenced"
equal 'all stop' "$got" 0

# --- refusals (hardening K1, K3) --------------------------------------------------
leaves 'a key that others may read' 2 sh -c "chmod 640 '$data/nodekey'; exec '$sotto' node --addr 127.0.0.1:0 --datadir '$data'"
holds 'says what is wrong and expected' "$dir/err" 'nodekey: has mode 0640, expected 0600'
chmod 600 "$data/nodekey"
leaves 'a folder that others may enter' 1 sh -c "chmod 750 '$data'; exec '$sotto' node --addr 127.0.0.1:0 --datadir '$data'"
holds 'says what is wrong and expected' "$dir/err" '--datadir .*data: has mode 0750, expected 0700'
chmod 700 "$data"
mv "$data/nodekey" "$data/real"
ln -s real "$data/nodekey"
leaves 'a key behind a symbolic link' 2 "$sotto" node --addr 127.0.0.1:0 --datadir "$data"
rm "$data/nodekey"
echo 0000000000000000000000000000000000000000000000000000000000000000 >"$data/nodekey"
chmod 600 "$data/nodekey"
leaves 'a key of zero' 2 "$sotto" node --addr 127.0.0.1:0 --datadir "$data"
equal 'a bad key is left as it is' "$(cat "$data/nodekey")" \
	0000000000000000000000000000000000000000000000000000000000000000

# --- the process --------------------------------------------------------------------
rm -rf "$data"
node bare --datadir "$data"
bare=$pid
url=$(enode_of bare)
holds 'no core dump' "/proc/$bare/limits" '^Max core file size +0 +0 '
holds 'no new rights' "/proc/$bare/status" '^NoNewPrivs:[[:space:]]1$'

# Every address of both families.
node wide --addr ":0" --datadir "$dir/wide" 2>/dev/null
ended "$pid" # --addr twice is refused; see options.sh
start wide "$sotto" node --port 0 --datadir "$dir/wide"
wide=$pid
url=$(enode_of wide)
leaves 'IPv4' 0 "$sotto" hello "$url"
if [ -e /proc/sys/net/ipv6/conf/lo/disable_ipv6 ] && [ "$(cat /proc/sys/net/ipv6/conf/lo/disable_ipv6)" = 0 ]; then
	leaves 'IPv6' 0 "$sotto" hello "$(echo "$url" | sed 's/@.*:/@[::1]:/')"
fi
# A bare chroot has no /etc/hosts; then the name below is the one that can be tried.
if getent hosts localhost >/dev/null; then
	leaves 'a host name' 0 "$sotto" hello "$(echo "$url" | sed 's/@.*:/@localhost:/')"
fi
leaves 'a host name that is none' 4 "$sotto" hello "$(echo "$url" | sed 's/@.*:/@no.such.host.invalid:/')"
kill -TERM "$wide" "$bare"
ended "$wide"
equal 'it stops' "$got" 0
ended "$bare"
equal 'it stops' "$got" 0
