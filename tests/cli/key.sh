#!/bin/sh
# SPDX-License-Identifier: MIT
# sotto key: makes keys, shows what belongs to them.
. "$(dirname "$0")/lib"

id=4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1
known=$dir/known
(umask 077 && printf '11%.0s' $(seq 32) >"$known")

leaves 'generate' 0 "$sotto" key generate "$dir/new"
holds 'prints the public key' "$dir/out" '^public key: 0x04[0-9a-f]{128}$'
public=$(sed 's/^public key: //' "$dir/out")
equal 'the file is private' "$(stat -c %a "$dir/new")" 600
holds 'the file is what geth reads' "$dir/new" '^[0-9a-f]{64}$'
equal 'and no longer' "$(wc -c <"$dir/new")" 65
equal 'no temporary file stays' "$(ls "$dir" | grep -c tmp)" 0
leaves 'inspect' 0 "$sotto" key inspect "$dir/new"
holds 'shows the same public key' "$dir/out" "^public key: $public\$"
lacks 'and not the private one' "$dir/out" "$(cat "$dir/new")"

# A key that anybody can check: 0x11..11, whose account ends in daff2a.
leaves 'inspect --json' 0 "$sotto" key inspect --json --private "$known"
equal 'the object' "$(cat "$dir/out")" \
	"{\"public\":\"0x04$id\",\"id\":\"0x969b0a11b8a56bacf1ac18f219e7e376e7c213b7e7e7e46cc70a5dd086daff2a\",\"private\":\"0x$(cat "$known")\"}"
leaves 'to-enode' 0 "$sotto" key to-enode "$known"
equal 'the standard place' "$(cat "$dir/out")" "enode://$id@127.0.0.1:30303"
leaves 'to-enode --addr' 0 "$sotto" key to-enode --addr '[2001:db8::1]:5' "$known"
equal 'IPv6' "$(cat "$dir/out")" "enode://$id@[2001:db8::1]:5"
leaves 'to-enode --addr' 0 "$sotto" key to-enode --addr :7 "$known"
equal 'a port alone' "$(cat "$dir/out")" "enode://$id@127.0.0.1:7"
leaves 'to-enode as devp2p' 0 "$sotto" key to-enode -ip 10.0.0.1 -tcp 7 -udp 8 "$known"
equal 'its spelling' "$(cat "$dir/out")" "enode://$id@10.0.0.1:7?discport=8"

# Two line ends are geth's limit.
for end in '' '\n' '\r\n' '\n\n'; do
	(umask 077 && printf "%s$end" "$(cat "$known")" >"$dir/ended")
	leaves "a file that ends with \"$end\"" 0 "$sotto" key inspect "$dir/ended"
done
for text in "$(cat "$known")x" " $(cat "$known")" "0x$(cat "$known")" "$(cat "$known" | cut -c 2-)"; do
	(umask 077 && printf '%s\n' "$text" >"$dir/odd")
	leaves "\"$text\" is no key" 1 "$sotto" key inspect "$dir/odd"
done
(umask 077 && printf '%s\n\n\n' "$(cat "$known")" >"$dir/odd")
leaves 'three line ends' 1 "$sotto" key inspect "$dir/odd"
# The order of the curve is the first number that is no key.
n=fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036414
(umask 077 && echo "${n}0" >"$dir/below" && echo "${n}1" >"$dir/order")
leaves 'the largest key' 0 "$sotto" key inspect "$dir/below"
leaves 'the order of the curve' 1 "$sotto" key inspect "$dir/order"
mkfifo -m 600 "$dir/pipe"
leaves 'a pipe does not hold it' 1 "$sotto" key inspect "$dir/pipe"
holds 'and is refused' "$dir/err" 'is no regular file'
