// SPDX-License-Identifier: MIT

package main

// Families that refuse each other's envelopes, and what a node between them
// makes of it.

// playRefusal shows what the bridge is for: whoever receives an envelope of the
// other family disconnects within the second.  (Status only drops it.)
func playRefusal(t *T) {
	for _, pair := range []struct {
		from, to    string
		disconnects bool
	}{
		{"geth18", "geth19", true}, {"geth19", "geth18", true},
		{"status", "geth18", true}, {"geth18", "status", false},
	} {
		from, to := t.peer(pair.from), t.peer(pair.to)
		from.do("dial", Object{"enode": to.enode})
		from.connected(to.enode)
		k := newKeys(from)
		to.do("subscribe", Object{"sym": hexOf(k.sym)})
		// Now and then an envelope happens to please both: let it be three.
		var said [][]byte
		for range 3 {
			n := note{size: 100, payload: text(100)}
			if _, err := from.try("post", k.post(n, 0.2)); err != nil {
				t.fatalf("%s could not post: %v", pair.from, err)
			}
			said = append(said, n.payload)
		}
		if pair.disconnects {
			if why := from.dropped(to.enode); why != "subprotocol error" {
				t.fatalf("%s was dropped by %s with %q", pair.from, pair.to, why)
			}
			continue
		}
		t.until("the packets to "+pair.to, func() bool { return to.count("recv", "shh", "1") > 0 })
		t.sleep(1)
		heard := len(to.all("message"))
		if heard == len(said) {
			t.fatalf("%s reads all that %s says: no bridge is needed", pair.to, pair.from)
		}
	}
}

func bridge(left, right string) func(*T) {
	return func(t *T) {
		t.sottoOnly()
		n := t.node(settings{})
		a, b := trio(t, left, right, n.url)
		for _, size := range []int{1, 1024} {
			for _, m := range notes(size) {
				across(t, a, b, m, 0.2)
			}
			for _, m := range notes(size) {
				across(t, b, a, m, 0.2)
			}
		}
		a.stillUp()
		b.stillUp()
		n.running()
	}
}

// playBridgeOff: nothing crosses, and nobody is hurt.
func playBridgeOff(t *T) {
	t.sottoOnly()
	n := t.node(settings{more: []string{"--shh.bridge=false"}})
	a, b := trio(t, "geth18", "geth19", n.url)
	c := t.peer("geth19")
	c.do("dial", Object{"enode": n.url})
	c.connected(n.url)
	k := newKeys(a)
	b.do("subscribe", Object{"sym": hexOf(k.sym)})
	for range 3 {
		a.do("post", k.post(note{size: 100, payload: text(100)}, 0.2))
	}
	t.sleep(7) // longer than a node waits for a sign of the family
	m := note{size: 100, payload: text(100)}
	c.do("post", k.post(m, 0.2))
	b.heard(m.payload)
	if heard := len(b.all("message")); heard > 3 {
		t.fatalf("all that the old family said was heard by the new one")
	}
	for _, p := range []*Peer{a, b, c} {
		p.stillUp()
	}
	n.running()
}

// playNameless: a peer whose name tells nothing and who says nothing first.
// A wrong guess costs the connection once; it must not cost the message.
func playNameless(t *T) {
	t.sottoOnly()
	a := t.peer("geth19", "-name", "nobody/v1.0")
	b := t.peer("geth18", "-name", "nobody/v1.0")
	n := t.node(settings{peers: []string{a.enode, b.enode}})
	a.connected(n.url)
	b.connected(n.url)
	for range 2 {
		for _, m := range notes(100) {
			across(t, a, b, m, 0.2)
		}
		for _, m := range notes(100) {
			across(t, b, a, m, 0.2)
		}
	}
	for _, p := range []*Peer{a, b} {
		if drops := len(p.all("drop")); drops > 1 {
			t.fatalf("%s lost its connection %d times", p.name, drops)
		}
	}
	n.running()
}

// playConfirmations: Status acknowledges each batch twice, and wants the same.
func playConfirmations(t *T) {
	n := t.node(settings{standInKind: "status"})
	a, b := trio(t, "status", "status", n.url)
	for _, m := range notes(1, 1024) {
		across(t, a, b, m, 0.2)
	}
	sent := a.all("sent")
	if len(sent) == 0 {
		t.fatalf("status expects no confirmations of us")
	}
	for _, s := range sent {
		for _, listed := range []bool{true, false} {
			e := a.expect("acknowledged", func(e Object) bool {
				return e.text("batch") == s.text("batch") && e.truth("listed") == listed
			})
			if refused, _ := e["refused"].([]any); len(refused) != 0 {
				t.fatalf("we reported envelopes as refused: %s", e)
			}
		}
	}
	t.until("confirmations to us", func() bool {
		return b.count("send", "shh", "11") > 0 && b.count("send", "shh", "12") > 0
	})
	a.stillUp()
	b.stillUp()
	n.running()
}
