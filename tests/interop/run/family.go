// SPDX-License-Identifier: MIT

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The scenes that every family of Whisper peers plays with sotto.

// checkPeer looks at how a stock peer sees us.
func checkPeer(t *T, p *Peer, url string, inbound bool) {
	p.connected(url)
	id := p.idOf(url)
	t.until("Status from us", func() bool { return p.count("recv", "shh", "0") == 1 })
	list, _ := p.do("peers", nil)["peers"].([]any)
	for _, item := range list {
		o := Object(item.(map[string]any))
		if o.text("peer") != id {
			continue
		}
		caps := fmt.Sprint(o["caps"])
		if caps != "[shh/6]" {
			t.fatalf("%s sees our capabilities as %s", p.name, caps)
		}
		if t.standIn == "" && !strings.HasPrefix(o.text("name"), "sotto/") {
			t.fatalf("%s sees our name as %q", p.name, o.text("name"))
		}
		if o.truth("inbound") != inbound {
			t.fatalf("%s takes the connection for inbound=%v", p.name, !inbound)
		}
		return
	}
	t.fatalf("%s does not list us", p.name)
}

func playDialsUs(t *T, family string) {
	n := t.node(settings{})
	p := t.peer(family)
	p.do("dial", Object{"enode": n.url})
	checkPeer(t, p, n.url, false)
	p.stillUp()
	n.quit()
	if why := p.dropped(n.url); why != "client quitting" {
		t.fatalf("at our end %s heard %q", family, why)
	}
}

func playWeDial(t *T, family string) {
	p := t.peer(family)
	n := t.node(settings{peers: []string{p.enode}})
	checkPeer(t, p, n.url, true)
	p.stillUp()
	n.running()
}

func playHello(t *T, family string) {
	t.sottoOnly()
	p := t.peer(family, "-pow", "0.5")
	out := t.must(nil, "hello", p.enode, "--json")
	for _, want := range []string{"interop", "shh"} {
		if !strings.Contains(out, want) {
			t.fatalf("sotto hello says nothing of %q: %s", want, out)
		}
	}
	if !json.Valid([]byte(strings.TrimSpace(out))) {
		t.fatalf("sotto hello --json printed no JSON: %s", out)
	}
	if !strings.Contains(out, "0.5") {
		t.fatalf("sotto hello does not show the minimum work 0.5: %s", out)
	}
}

// note is one message to send and to recognise.
type note struct {
	asym, signed bool
	size         int
	payload      []byte
}

func (n note) String() string {
	how := "symmetric"
	if n.asym {
		how = "asymmetric"
	}
	if n.signed {
		how += " signed"
	}
	return fmt.Sprintf("%s message of %d bytes", how, n.size)
}

func notes(sizes ...int) []note {
	var list []note
	for _, size := range sizes {
		for _, asym := range []bool{false, true} {
			for _, signed := range []bool{false, true} {
				list = append(list, note{asym, signed, size, text(size)})
			}
		}
	}
	// One byte is not enough to tell four messages apart by chance.
	for i := range list {
		list[i].payload[0] = "abcdefghijklmnopqrstuvwxyz"[i]
	}
	return list
}

// keys that one scene uses.
type keys struct {
	sym, topic       []byte
	reader, signer   string // private
	readerPub, sigID string // their public keys, as p prints them
}

func newKeys(p *Peer) keys {
	k := keys{sym: random(32), topic: random(4), reader: randomHex(32), signer: randomHex(32)}
	k.readerPub = p.do("pub", Object{"key": k.reader}).text("pub")
	k.sigID = p.do("pub", Object{"key": k.signer}).text("pub")
	return k
}

func (k keys) post(n note, pow float64) Object {
	o := Object{"topic": hexOf(k.topic), "payload": hexOf(n.payload), "ttl": 60, "pow": pow}
	if n.asym {
		o["pub"] = k.readerPub
	} else {
		o["sym"] = hexOf(k.sym)
	}
	if n.signed {
		o["sign"] = k.signer
	}
	return o
}

// Small messages carry the default work; large ones next to none, because a
// stock 1.9 hashes all of a message for each nonce.
func playMessagesToUs(t *T, family string) {
	t.sottoOnly()
	small, large := t.peer(family), t.peer(family, "-pow", "0.000001")
	k := newKeys(small)
	topic, keyFile := hexOf(k.topic), t.keyFile(k.reader)
	for _, part := range []struct {
		from  *Peer
		pow   float64
		notes []note
	}{{small, 0.2, notes(1, 1024)}, {large, 0.000001, notes(512 << 10)}} {
		count := fmt.Sprint(len(part.notes) / 2)
		sym := t.listen("--peer", part.from.enode, "--symkey", hexOf(k.sym), "--topic", topic,
			"--count", count)
		asym := t.listen("--peer", part.from.enode, "--key", keyFile, "--topic", topic,
			"--count", count)
		t.until("both listeners connected", func() bool {
			list, _ := part.from.do("peers", nil)["peers"].([]any)
			return len(list) == 2
		})
		hashes := map[string]string{}
		for _, n := range part.notes {
			hashes[digest(n.payload)] = part.from.do("post", k.post(n, part.pow)).text("hash")
		}
		heard := append(sym.all(), asym.all()...)
		for _, n := range part.notes {
			i := slices.IndexFunc(heard, func(h Heard) bool { return digest(h.bytes()) == digest(n.payload) })
			if i < 0 {
				t.fatalf("sotto listen did not print the %s", n)
			}
			checkHeard(t, n, heard[i], k, hashes[digest(n.payload)])
		}
	}
	small.notDisturbed()
	large.notDisturbed()
}

func checkHeard(t *T, n note, h Heard, k keys, hash string) {
	sig := ""
	if n.signed {
		sig = k.sigID
	}
	same := func(got, want string) bool { return strings.TrimPrefix(got, "0x") == want }
	if !same(h.Sig, sig) || !same(h.Topic, hexOf(k.topic)) || !same(h.Hash, hash) || h.TTL != 60 || h.Timestamp == 0 {
		t.fatalf("%s printed with sig %s topic %s hash %s ttl %d timestamp %d, sent with sig %s topic %x hash %s",
			n, h.Sig, h.Topic, h.Hash, h.TTL, h.Timestamp, sig, k.topic, hash)
	}
}

// notDisturbed fails the test if a connection ended otherwise than by the other
// side's leaving in good order.
func (p *Peer) notDisturbed() {
	for _, e := range p.all("drop") {
		if why := e.text("error"); why != "client quitting" && why != "disconnect requested" {
			p.t.fatalf("%s lost a connection: %s", p.name, e)
		}
	}
	if bad := p.all("bad envelope"); len(bad) > 0 {
		p.t.fatalf("%s refused an envelope: %s", p.name, bad[0])
	}
}

func playMessagesFromUs(t *T, family string) {
	t.sottoOnly()
	small, large := t.peer(family), t.peer(family, "-pow", "0.000001")
	k := newKeys(small)
	signer := t.keyFile(k.signer)
	for _, part := range []struct {
		to    *Peer
		pow   string
		notes []note
	}{{small, "0.2", notes(1, 1024)}, {large, "0.000001", notes(512 << 10)}} {
		part.to.do("subscribe", Object{"sym": hexOf(k.sym), "topics": []string{hexOf(k.topic)}})
		part.to.do("subscribe", Object{"key": k.reader, "topics": []string{hexOf(k.topic)}})
		for _, n := range part.notes {
			args := []string{"send", "--peer", part.to.enode, "--topic", hexOf(k.topic), "--ttl", "60", "--pow", part.pow}
			if n.asym {
				args = append(args, "--pubkey", k.readerPub)
			} else {
				args = append(args, "--symkey", hexOf(k.sym))
			}
			if n.signed {
				args = append(args, "--sign", signer)
			}
			t.must(n.payload, append(args, "-")...)
			e := part.to.heard(n.payload)
			sig := ""
			if n.signed {
				sig = k.sigID
			}
			if e.text("sig") != sig || e.text("topic") != hexOf(k.topic) || e.number("ttl") != 60 {
				t.fatalf("%s arrived as %s", n, e)
			}
		}
	}
	small.notDisturbed()
	large.notDisturbed()
}

// greeted waits until Status has gone both ways: a stock peer may otherwise send
// a setting before its own Status, and whoever is cut off in the middle of it
// sees a broken pipe before it reads any reason.
func (p *Peer) greeted() {
	p.t.until("Status both ways", func() bool {
		return p.count("recv", "shh", "0") == 1 && p.count("send", "shh", "0") == 1
	})
}

// trio is two stock peers with a node between them.
func trio(t *T, left, right string, n string, args ...string) (a, b *Peer) {
	a, b = t.peer(left, args...), t.peer(right, args...)
	a.do("dial", Object{"enode": n})
	b.do("dial", Object{"enode": n})
	for _, p := range []*Peer{a, b} {
		p.connected(n)
		p.greeted()
	}
	return a, b
}

// across posts at one end and waits for it at the other.
func across(t *T, from, to *Peer, n note, pow float64) (sent, heard Object) {
	k := newKeys(from)
	if n.asym {
		to.do("subscribe", Object{"key": k.reader})
	} else {
		to.do("subscribe", Object{"sym": hexOf(k.sym), "topics": []string{hexOf(k.topic)}})
	}
	sent = from.do("post", k.post(n, pow))
	heard = to.heard(n.payload)
	if n.signed && heard.text("sig") != k.sigID {
		t.fatalf("%s arrived signed by %q", n, heard.text("sig"))
	}
	return sent, heard
}

func playRelay(t *T, family string) {
	n := t.node(settings{standInKind: family})
	a, b := trio(t, family, family, n.url)
	for i, m := range notes(1, 1024) {
		from, to := a, b
		if i%2 == 1 {
			from, to = b, a
		}
		sent, heard := across(t, from, to, m, 0.2)
		if sent.text("hash") != heard.text("hash") {
			t.fatalf("%s was sent as %s and arrived as %s", m, sent.text("hash"), heard.text("hash"))
		}
	}
	a.stillUp()
	b.stillUp()
	n.running()
}

// burstSize is how many envelopes come at once; their padding is cut short so
// that they pass a stock peer's limit of 1 MiB a packet all together.
const burstSize = 5000

func playBurst(t *T, family string) {
	n := t.node(settings{pow: "0", standInKind: family})
	a, b := trio(t, family, family, n.url, "-pow", "0")
	for i, from := range []*Peer{a, b} {
		to := []*Peer{b, a}[i]
		sym, topic := randomHex(32), randomHex(4)
		f := int(to.do("subscribe", Object{"sym": sym, "topics": []string{topic}, "quiet": true}).number("filter"))
		sent := from.do("burst", Object{"sym": sym, "topic": topic, "ttl": 120, "count": burstSize,
			"size": 32, "padding": 4, "tag": "burst"})
		to.received(f, sent)
	}
	a.stillUp()
	b.stillUp()
}

// poolSize is more than a stock peer can hand to a newcomer in its one packet.
const poolSize = 20000

func playLateJoiner(t *T, family string) {
	t.sottoOnly()
	n := t.node(settings{pow: "0", pool: poolSize + 1000, pace: 64 << 20})
	a := t.peer(family, "-pow", "0")
	a.do("dial", Object{"enode": n.url})
	a.connected(n.url)
	sym, topic := randomHex(32), randomHex(4)
	sent := a.do("burst", Object{"sym": sym, "topic": topic, "ttl": 900, "count": poolSize,
		"size": 64, "tag": "pool", "chunk": 2000, "pause": 700})
	a.stillUp()
	b := t.peer(family, "-pow", "0")
	f := int(b.do("subscribe", Object{"sym": sym, "topics": []string{topic}, "quiet": true}).number("filter"))
	b.do("dial", Object{"enode": n.url})
	b.received(f, sent)
	a.stillUp()
	b.stillUp()
}
