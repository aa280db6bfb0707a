// SPDX-License-Identifier: MIT

package peerkit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
)

// Tally tells whether two sides hold the same set of payloads without sending
// the payloads: it counts distinct ones and adds up their digests, in whatever
// order they come.
type Tally struct {
	mu     sync.Mutex
	seen   map[[32]byte]struct{}
	copies int
	sum    [4]uint64
}

// Add takes one payload; true if it is new.
func (t *Tally) Add(payload []byte) bool {
	d := sha256.Sum256(payload)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.copies++
	if _, known := t.seen[d]; known {
		return false
	}
	if t.seen == nil {
		t.seen = map[[32]byte]struct{}{}
	}
	t.seen[d] = struct{}{}
	for i := range t.sum {
		t.sum[i] += binary.BigEndian.Uint64(d[8*i:])
	}
	return true
}

// Fields are the figures for an answer: payloads seen, distinct ones, and the
// sum of the digests of the distinct ones.
func (t *Tally) Fields() Fields {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b []byte
	for _, v := range t.sum {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return Fields{"copies": t.copies, "distinct": len(t.seen), "sum": hex.EncodeToString(b)}
}

// BurstPayload is number i of a burst: the tag, the number, and a filling that
// depends on both, size bytes in all (more if the tag and number need more).
func BurstPayload(tag string, i, size int) []byte {
	p := []byte(fmt.Sprintf("%s/%d.", tag, i))
	for block := sha256.Sum256(p); len(p) < size; block = sha256.Sum256(block[:]) {
		p = append(p, block[:min(len(block), size-len(p))]...)
	}
	return p
}

// Digest names a payload in reports.
func Digest(payload []byte) string {
	d := sha256.Sum256(payload)
	return hex.EncodeToString(d[:])
}
