// SPDX-License-Identifier: MIT

package main

import (
	"math/rand/v2"
	"time"

	"sotto/interop/peerkit"
)

// The long run: all families at one node, all kinds of messages, settings that
// change; at the end everybody has read everything and nobody was lost.

type talker struct {
	*Peer
	sym, asym int // its filters
}

func playTraffic(t *T) {
	t.sottoOnly()
	n := t.node(settings{})
	k := keys{}
	var talkers []*talker
	for _, kind := range []string{"geth18", "geth18", "geth19", "geth19", "status"} {
		p := t.peer(kind)
		if k.sym == nil {
			k = newKeys(p)
		}
		w := &talker{Peer: p}
		w.sym = int(p.do("subscribe", Object{"sym": hexOf(k.sym), "quiet": true}).number("filter"))
		w.asym = int(p.do("subscribe", Object{"key": k.reader, "quiet": true}).number("filter"))
		p.do("dial", Object{"enode": n.url})
		p.connected(n.url)
		talkers = append(talkers, w)
	}
	var sym, asym peerkit.Tally
	count := 0
	for begin := time.Now(); time.Since(begin) < t.traffic; count++ {
		w := talkers[count%len(talkers)]
		m := note{asym: count%4 == 3, signed: count%3 == 0, payload: text(8 + rand.IntN(2000))}
		w.do("post", k.post(m, 0.2))
		if m.asym {
			asym.Add(m.payload)
		} else {
			sym.Add(m.payload)
		}
		if count%100 == 50 {
			w.do("pow", Object{"pow": []float64{0.1, 0.2}[count/100%2]})
		}
		t.sleep(0.2)
		for _, w := range talkers {
			w.stillUp()
		}
	}
	for _, w := range talkers {
		w.received(w.sym, Object(sym.Fields()).numbers())
		w.received(w.asym, Object(asym.Fields()).numbers())
	}
	for _, w := range talkers {
		w.stillUp()
	}
	t.logf("%d messages in %v, read by %d peers of three families", count, t.traffic, len(talkers))
	n.quit()
	for _, w := range talkers {
		if why := w.dropped(n.url); why != "client quitting" {
			t.fatalf("at our end %s heard %q", w.name, why)
		}
	}
}

// numbers makes our own figures look like those that came as JSON.
func (o Object) numbers() Object {
	out := Object{}
	for name, v := range o {
		if i, ok := v.(int); ok {
			v = float64(i)
		}
		out[name] = v
	}
	return out
}
