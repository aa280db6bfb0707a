// SPDX-License-Identifier: MIT

package main

import (
	"math"
	"time"

	"github.com/ethereum/go-ethereum/rlp"

	"sotto/interop/peerkit"
)

// The few packets of shh/6 that are needed, as EIP-627 and geth write them.

// Envelopes of a burst are gathered into packets of about this size.
const batchSize = 128 << 10

type envelope struct {
	Expiry, TTL uint32
	Topic       [4]byte
	Data        []byte
	Nonce       uint64
}

func shhStatus(pow float64, bloom []byte, light bool) []byte {
	return mustEncode([]any{uint64(6), math.Float64bits(pow), bloom, light})
}

// sendEnvelopes sends cmd.Count envelopes of cmd.Size bytes of data each, in
// packets of several.  Nobody can open them: they are there to be relayed.
func sendEnvelopes(cmd *peerkit.Command, send func([]byte) error) (peerkit.Fields, error) {
	var tally peerkit.Tally
	var batch []envelope
	size, total := 0, 0
	for i := range cmd.Count {
		e := envelope{
			Expiry: uint32(time.Now().Unix()) + cmd.TTL, TTL: cmd.TTL,
			Data: peerkit.BurstPayload(cmd.Tag, i, cmd.Size),
		}
		copy(e.Topic[:], cmd.Topic)
		tally.Add(e.Data)
		batch = append(batch, e)
		size += len(e.Data)
		total += len(e.Data)
		if size >= batchSize || i == cmd.Count-1 {
			if err := send(mustEncode(batch)); err != nil {
				return nil, err
			}
			batch, size = nil, 0
		}
	}
	f := tally.Fields()
	f["bytes"] = total
	return f, nil
}

func mustEncode(v any) []byte {
	b, err := rlp.EncodeToBytes(v)
	if err != nil {
		panic(err) // only our own types come here
	}
	return b
}
