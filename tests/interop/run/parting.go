// SPDX-License-Identifier: MIT

package main

import "strings"

// How connections end, and that each side tells the other why.

// met waits until both know of each other.
func met(p *Peer, c Control) {
	p.connected(c.URL())
	p.greeted()
	c.Connected(p.enode)
}

func playTheyHangUp(t *T, family string) {
	c := t.control(settings{standInKind: family})
	for _, end := range []struct {
		how  func(*Peer)
		want string
	}{
		{func(p *Peer) { p.do("hangup", Object{"enode": c.URL()}) }, "disconnect requested"},
		{func(p *Peer) { p.do("hangup", Object{"enode": c.URL(), "reason": 3}) }, "useless peer"},
		{func(p *Peer) { p.do("hangup", Object{"enode": c.URL(), "reason": 11}) }, "read timeout"},
		{func(p *Peer) { p.do("quit", nil) }, "client quitting"},
	} {
		p := t.peer(family)
		p.do("dial", Object{"enode": c.URL()})
		met(p, c)
		end.how(p)
		if why := c.Gone(p.enode); why != end.want {
			t.fatalf("%s said %q, we understood %q", family, end.want, why)
		}
	}
}

func playWeHangUp(t *T, family string) {
	c := t.control(settings{standInKind: family})
	p := t.peer(family)
	c.Dial(p.enode)
	met(p, c)
	c.Hangup(p.enode)
	if why := p.dropped(c.URL()); why != "disconnect requested" {
		t.fatalf("%s heard %q when we hung up", family, why)
	}
	q := t.peer(family)
	c.Dial(q.enode)
	met(q, c)
	c.Quit()
	if why := q.dropped(c.URL()); why != "client quitting" {
		t.fatalf("%s heard %q when we left", family, why)
	}
}

func playTheyAreFull(t *T, family string) {
	t.sottoOnly()
	n := t.node(settings{standInKind: family})
	p := t.peer(family, "-maxpeers", "1")
	p.do("dial", Object{"enode": n.url})
	p.connected(n.url)
	o := t.sotto(nil, "hello", p.enode)
	if o.code != 9 || !strings.Contains(strings.ToLower(o.stdout+o.stderr), "too many peers") {
		t.fatalf("sotto hello to a full %s left with %d: %s%s", family, o.code, o.stdout, o.stderr)
	}
	p.stillUp()
}

func playWeAreFull(t *T, family string) {
	t.sottoOnly()
	n := t.node(settings{maxPeers: 1, standInKind: family})
	p, q := t.peer(family), t.peer(family)
	p.do("dial", Object{"enode": n.url})
	p.connected(n.url)
	q.do("dial", Object{"enode": n.url})
	t.until("too many peers at "+family, func() bool {
		for _, kind := range []string{"refused", "drop"} {
			for _, e := range q.all(kind) {
				if e.text("err")+e.text("error") == "too many peers" {
					return true
				}
			}
		}
		return false
	})
	p.stillUp()
}
