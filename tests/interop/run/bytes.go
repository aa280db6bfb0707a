// SPDX-License-Identifier: MIT

package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func randomHex(n int) string { return hex.EncodeToString(random(n)) }

// text is n random printable bytes, so that it may also go through a terminal.
func text(n int) []byte {
	return []byte(base64.RawURLEncoding.EncodeToString(random(n))[:n])
}

func digest(payload []byte) string {
	d := sha256.Sum256(payload)
	return hex.EncodeToString(d[:])
}

// topicBloom is the bloom of one topic, EIP-627: three bits of 512, lowest bit
// of a byte first.
func topicBloom(topic []byte) []byte {
	b := make([]byte, 64)
	for i := range 3 {
		n := int(topic[i])
		if topic[3]>>i&1 == 1 {
			n += 256
		}
		b[n/8] |= 1 << (n % 8)
	}
	return b
}

func (t *T) sleep(seconds float64) { time.Sleep(time.Duration(seconds * float64(time.Second))) }

func hexOf(b []byte) string { return hex.EncodeToString(b) }
