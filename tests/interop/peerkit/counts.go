// SPDX-License-Identifier: MIT

package peerkit

import (
	"strconv"
	"sync"
)

// Counts holds how many messages of each code went each way, and their bytes.
type Counts struct {
	mu sync.Mutex
	n  map[string]int
}

// Add counts one message: way is "recv" or "send".
func (c *Counts) Add(way, capability string, code uint64, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	key := way + " " + capability + " " + strconv.FormatUint(code, 10)
	c.n[key]++
	c.n[key+" bytes"] += size
}

// Fields is the answer to the "counts" command.
func (c *Counts) Fields() Fields {
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := map[string]int{}
	for k, v := range c.n {
		copied[k] = v
	}
	return Fields{"counts": copied}
}
