#!/bin/sh
# SPDX-License-Identifier: MIT
# sotto send and sotto listen, through a node: every kind of key and layout.
. "$(dirname "$0")/lib"

start node "$sotto" node --addr 127.0.0.1:0 --verbosity 0
node=$pid
url=$(enode_of node)
sym=2222222222222222222222222222222222222222222222222222222222222222
umask 077
echo "$sym" >"$dir/symkey"
echo "correct horse" >"$dir/password"
"$sotto" key generate "$dir/reader" | sed 's/^public key: //' >"$dir/reader.pub"
"$sotto" key generate "$dir/writer" | sed 's/^public key: //' >"$dir/writer.pub"
reader=$(cat "$dir/reader.pub")
writer=$(cat "$dir/writer.pub")

# hear NAME OPTION...: a listener in the background, which is connected
hear() {
	n=$1
	shift
	start "$n" "$sotto" listen --peer "$url" --timeout 30 --verbosity 3 "$@"
	listener=$pid
	until_true 10 has_line "$dir/$n.err" 'peer up' || complain "$n" 'no connection' "$dir/$n.err"
}

# tell OPTION...: send, which must succeed
tell() {
	leaves "send $*" 0 "$sotto" send --peer "$url" --topic 0xaabbccdd "$@"
}

# heard NAME TEXT: the listener left with 0 and printed that
heard() {
	ended "$listener"
	equal "$1: the listener left with 0" "$got" 0
	equal "$1: what it heard" "$(cat "$dir/$1.out")" "$2"
}

# --- keys ------------------------------------------------------------------------
hear password --password 'correct horse' --topic 0xaabbccdd --count 2
tell --passwordfile "$dir/password" 'one'
holds 'the hash is printed' "$dir/out" '^0x[0-9a-f]{64}$'
printf 'two' >"$dir/text"
leaves 'send from standard input' 0 sh -c "'$sotto' send --peer '$url' --topic aabbccdd --password 'correct horse' - <'$dir/text'"
heard password "$(printf 'one\ntwo')"

hear symkey --symkeyfile "$dir/symkey" --count 1
tell --symkey "0x$sym" 'symmetric'
heard symkey symmetric

hear asym --key "$dir/reader" --json --count 1
tell --pubkey "$reader" --sign "$dir/writer" --ttl 33 --pow 1.5 'asymmetric'
sent=$(cat "$dir/out")
ended "$listener"
equal 'one object' "$(wc -l <"$dir/asym.out")" 1
for field in "\"hash\":\"$sent\"" "\"payload\":\"0x$(printf 'asymmetric' | od -An -tx1 | tr -d ' \n')\"" \
	'"topic":"0xaabbccdd"' "\"sig\":\"$writer\"" '"timestamp":[0-9]{10}' '"ttl":33' \
	'"pow":(1\.[5-9]|[2-9]|[1-9][0-9])' '"form":"geth"' '"direct":false'; do
	holds 'the object has' "$dir/asym.out" "$field"
done

# --- layouts ------------------------------------------------------------------------
other=4444444444444444444444444444444444444444444444444444444444444444
hear forms --symkey $other --json --count 4
tell --symkey $other --form parity 'p'
tell --symkey $other --form parity --sign "$dir/writer" 'ps'
tell --symkey $other --form both 'b'
equal 'both: two hashes' "$(wc -l <"$dir/out")" 2
ended "$listener"
equal 'parity, signed, both' "$(sed 's/.*"payload":"0x\([0-9a-f]*\)".*"sig":\(n*\).*"form":"\([a-z]*\)".*/\1 \2 \3/' "$dir/forms.out" | sort)" \
	"$(printf '62 n geth\n62 n parity\n70 n parity\n7073  parity' | sort)"

# --- topics ---------------------------------------------------------------------------
hear topics --password x --topic greetings --topic 0x01020304 --count 2
leaves 'another topic' 0 "$sotto" send --peer "$url" --password x --topic farewells 'no'
leaves 'a named topic' 0 "$sotto" send --peer "$url" --password x --topic greetings 'named'
leaves 'a topic in hex' 0 "$sotto" send --peer "$url" --password x --topic 01020304 'hex'
heard topics "$(printf 'named\nhex')"

# --- sizes ------------------------------------------------------------------------------
head -c 500000 /dev/urandom | od -An -tx1 | tr -d ' \n' | head -c 600000 >"$dir/large"
hear large --password x --topic large --count 2
: >"$dir/text"
leaves 'an empty message' 0 sh -c "'$sotto' send --peer '$url' --password x --topic large <'$dir/text'"
leaves '600,000 bytes' 0 sh -c "'$sotto' send --peer '$url' --password x --topic large <'$dir/large'"
ended "$listener"
equal 'all of them arrived' "$(tail -n +2 "$dir/large.out")" "$(cat "$dir/large")"

head -c 2000000 /dev/zero >"$dir/huge"
leaves '2,000,000 bytes' 10 sh -c "'$sotto' send --peer '$url' --password x --topic large <'$dir/huge'"
holds 'both sizes are told' "$dir/err" 'expected less than 1048576 bytes .*, got 2000000$'

# Bytes go through a pipe as they are.
printf '\000\001\033[31m\377\r\n' >"$dir/raw"
hear raw --password x --topic raw --count 1
leaves 'raw bytes' 0 sh -c "'$sotto' send --peer '$url' --password x --topic raw <'$dir/raw'"
ended "$listener"
printf '\n' >>"$dir/raw"
cmp -s "$dir/raw" "$dir/raw.out" && pass || complain 'raw bytes' 'others came out'

# --- what was there before is heard too ------------------------------------------------------
leaves 'a message to nobody yet' 0 "$sotto" send --peer "$url" --password late --topic x 'early'
leaves 'somebody who comes later' 0 "$sotto" listen --peer "$url" --password late --count 1 --timeout 20
equal 'hears it' "$(cat "$dir/out")" early

# --- ends ---------------------------------------------------------------------------------------
leaves 'the time is up' 3 "$sotto" listen --peer "$url" --password nobody --timeout 1
holds 'and says so' "$dir/err" '--timeout 1: the time is up, after 0 messages'
hear interrupted --password x
kill -INT "$listener"
ended "$listener"
equal 'an interrupt is an end like any other' "$got" 0
start sealing "$sotto" send --peer "$url" --password x --topic t --pow 1e9 --verbosity 3 hi
until_true 10 has_line "$dir/sealing.err" 'peer up' || complain 'sealing' 'no connection' "$dir/sealing.err"
kill -INT "$pid"
ended "$pid"
equal 'an interrupt while sealing' "$got" 2
holds 'is called what it is' "$dir/sealing.err" '^sotto send: interrupted before the message was sent$'
leaves 'too much work asked of us' 3 "$sotto" send --peer "$url" --password x --topic t --pow 1e9 --timeout 1 hi
holds 'and says so' "$dir/err" '--timeout 1: the time is up, the work is not done'
leaves 'less work than the peer asks for' 10 "$sotto" send --peer "$url" --password x --topic t --pow 0.1 hi
holds 'and says so' "$dir/err" '--pow 0\.1: expected at least 0\.2, which this peer asks for'
gone=enode://${url#enode://}
kill -TERM "$node"
ended "$node"
equal 'the node stops' "$got" 0
leaves 'nobody there to send through' 4 "$sotto" send --peer "$gone" --password x --topic t hi
leaves 'nobody there to listen through' 4 "$sotto" listen --peer "$gone" --password x
holds 'and says so' "$dir/err" '^sotto listen: cannot be dialled: '

# A listener outlives its node: it dials again.
port=${url##*:}
start back "$sotto" node --addr "127.0.0.1:$port" --verbosity 0
node=$pid
url=$(enode_of back)
hear faithful --password x --topic back --count 1
kill -TERM "$node"
ended "$node"
start back2 "$sotto" node --addr "127.0.0.1:$port" --verbosity 0
node=$pid
until_true 20 sh -c "[ \"\$(grep -c 'peer up' '$dir/faithful.err')\" -ge 2 ]" || complain 'dials again' 'it did not' "$dir/faithful.err"
leaves 'a message after all' 0 "$sotto" send --peer "$url" --password x --topic back 'welcome back'
heard faithful 'welcome back'

# --- direct messages (code 127): to a listener that trusts its peer ---------------------------------
mkfifo "$dir/commands"
"$nodectl" --addr 127.0.0.1:0 <"$dir/commands" >"$dir/ctl.out" 2>"$dir/ctl.err" &
ctl=$!
pids="$pids $ctl"
exec 3>"$dir/commands"
until_true 10 has_line "$dir/ctl.out" '"event":"ready"'
url=$(sed -n 's/.*"enode":"\([^"]*\)".*/\1/p' "$dir/ctl.out" | head -1)
hear direct --symkey $sym --direct --json --count 1
until_true 10 has_line "$dir/ctl.out" '"event":"up"'
id=$(sed -n 's/.*"event":"up","id":"\([0-9a-f]*\)".*/\1/p' "$dir/ctl.out")
echo "direct enode://$id symkey=$sym topic=01020304 payload=6869" >&3
ended "$listener"
equal 'the listener left with 0' "$got" 0
holds 'a direct message' "$dir/direct.out" '"payload":"0x6869".*"direct":true'
(umask 077 && "$sotto" key generate "$dir/trusted" | sed 's/^public key: 0x04//' >"$dir/trusted.pub")
echo "trust enode://$(cat "$dir/trusted.pub")" >&3
echo "listen symkey=$sym direct=1" >&3
until_true 10 has_line "$dir/ctl.out" '"event":"listening"'
leaves 'send --direct' 0 "$sotto" send --peer "$url" --nodekey "$dir/trusted" --symkey $sym --topic 0x01020304 --direct 'to you alone'
until_true 10 has_line "$dir/ctl.out" '"event":"message"'
holds 'it arrived' "$dir/ctl.out" '"event":"message".*"payload":"746f20796f7520616c6f6e65".*"direct":true'

# A bloom filter that lets nothing through, and work that is too much for us.
echo "bloom $(printf '%0128d' 0)" >&3
echo "pow 0.7" >&3
echo stats >&3
until_true 10 has_line "$dir/ctl.out" '"event":"stats"'
leaves 'a topic that the peer does not want' 10 "$sotto" send --peer "$url" --symkey $sym --topic 0x01020304 hi
holds 'and says so' "$dir/err" '--topic: expected one that this peer'
echo "bloom full" >&3
echo quit >&3
exec 3>&-
ended "$ctl"
equal 'nodectl leaves in order' "$got" 0
