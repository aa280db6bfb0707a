// SPDX-License-Identifier: MIT

package main

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"sotto/interop/peerkit"
)

// RLPx of other houses: today's go-ethereum, its devp2p tool, ethereumjs.

// packet waits for a packet of a capability.
func (p *Peer) packet(capability string, code int) Object {
	return p.expect("packet", func(e Object) bool {
		return e.text("cap") == capability && int(e.number("code")) == code
	})
}

// isOurStatus is true of version 6, a minimum of 0.2, no bloom and no light node;
// what may follow is a matter between Status' kind.
func isOurStatus(packet Object) bool {
	data, err := hex.DecodeString(packet.text("data"))
	return err == nil && len(data) > 0 && strings.HasPrefix(hexOf(data[1:]), "06883fc999999999999a8080")
}

// playCapabilities: whatever else a peer offers, message numbers agree.
func playCapabilities(t *T) {
	n := t.node(settings{standInKind: "today"})
	for _, caps := range []string{
		"shh/6/128", "aaa/1/17,shh/6/128", "shh/6/128,zzz/1/17",
		"aaa/1/17,shh/2/300,shh/5/128,shh/6/128,shz/9/40",
	} {
		p := t.peer("today", "-caps", caps)
		p.do("dial", Object{"enode": n.url})
		p.connected(n.url)
		if status := p.packet("shh", 0); !isOurStatus(status) {
			t.fatalf("with %s our Status came as %s", caps, status)
		}
		p.stillUp()
	}
	n.running()
}

// playDisconnects: what cannot be read ends a connection with a reason, and
// only that connection.
func playDisconnects(t *T) {
	n := t.node(settings{standInKind: "geth19"})
	for what, body := range map[string]string{
		"Messages that are no list":       "83010203",
		"an envelope of three items":      "c4c3010203",
		"an envelope that is cut short":   "c3c2830102",
		"a list that claims to be longer": "f8ff01",
	} {
		p := t.peer("today")
		p.do("dial", Object{"enode": n.url})
		p.packet("shh", 0)
		p.do("send", Object{"enode": n.url, "cap": "shh", "code": 1, "data": body})
		if why := p.dropped(n.url); why != "subprotocol error" {
			t.fatalf("after %s the peer heard %q", what, why)
		}
	}
	failing := t.peer("today")
	failing.do("dial", Object{"enode": n.url})
	failing.packet("shh", 0)
	failing.do("fail", Object{"enode": n.url, "cap": "shh"})
	failing.dropped(n.url)

	useless := t.peer("today")
	useless.do("rawdial", Object{"enode": n.url, "caps": []string{"zzz/1"}})
	if e := useless.expect("rawdisconnect", nil); !strings.HasPrefix(e.text("reason"), "0x3 ") {
		t.fatalf("without a shared capability the peer heard %s", e)
	}
	n.running()
}

func playDevp2pPing(t *T) {
	n := t.node(settings{standInKind: "geth19"})
	text, err := exec.Command(t.peerPath("devp2p"), "rlpx", "ping", n.url).CombinedOutput()
	t.check(err, "devp2p rlpx ping: %s", text)
	for _, want := range []string{"Version:5", "shh/6"} {
		if !strings.Contains(string(text), want) {
			t.fatalf("devp2p rlpx ping shows no %s: %s", want, text)
		}
	}
}

// jsPeer is how an ethereumjs peer sees who came.
func checkJS(t *T, js *Peer) {
	e := js.expect("add", nil)
	caps, _ := e["caps"].([]any)
	if e.number("version") != 5 || e.number("shared") != 1 || !slices.Contains(caps, any("shh/6")) {
		t.fatalf("ethereumjs sees us as %s", e)
	}
	status := js.expect("packet", func(e Object) bool { return e.number("code") == 0 })
	if !isOurStatus(status) {
		t.fatalf("our Status came as %s", status)
	}
}

// playJSDialsUs also carries a message each way through us.
func playJSDialsUs(t *T) {
	n := t.node(settings{standInKind: "geth19"})
	js, g := t.peer("js"), t.peer("geth19")
	js.do("dial", Object{"enode": n.url})
	checkJS(t, js)
	g.do("dial", Object{"enode": n.url})
	g.connected(n.url)
	k := newKeys(g)
	g.do("subscribe", Object{"sym": hexOf(k.sym)})

	g.do("post", k.post(note{payload: text(50)}, 0.2))
	js.expect("packet", func(e Object) bool { return e.number("code") == 1 && e.number("size") > 50 })

	m := note{payload: text(50)}
	envelope, err := hex.DecodeString(g.do("seal", k.post(m, 0.2)).text("rlp"))
	t.check(err, "envelope")
	js.do("send", Object{"enode": n.url, "code": 1, "data": hexOf(rlpList(envelope))})
	g.heard(m.payload)
	if drops := js.all("drop"); len(drops) > 0 {
		t.fatalf("ethereumjs lost the connection: %s", drops[0])
	}
	g.stillUp()
	n.quit()
	// ethereumjs reads only the reason's number.
	if e := js.expect("drop", nil); e.number("reason") != 8 {
		t.fatalf("at our end ethereumjs heard %s", e)
	}
}

func playJSWeDial(t *T) {
	js := t.peer("js")
	n := t.node(settings{peers: []string{js.enode}, standInKind: "geth19"})
	checkJS(t, js)
	js.do("hangup", Object{"enode": n.url})
	js.expect("drop", nil)
	n.running()
}

// rlpList wraps one encoded item of up to 65,535 bytes into a list.
func rlpList(item []byte) []byte {
	switch n := len(item); {
	case n < 56:
		return append([]byte{0xc0 + byte(n)}, item...)
	case n < 256:
		return append([]byte{0xf8, byte(n)}, item...)
	default:
		return append([]byte{0xf9, byte(n >> 8), byte(n)}, item...)
	}
}

// playDirectList: only Status puts several direct messages into one packet.
func playDirectList(t *T) {
	c := t.control(settings{standInKind: "status"})
	p := t.peer("status")
	sym, topic := random(32), random(4)
	c.Listen(sym, true)
	p.do("dial", Object{"enode": c.URL()})
	met(p, c)
	c.Trust(p.enode)
	t.sleep(0.5)
	p.do("direct", Object{"enode": c.URL(), "sym": hexOf(sym), "topic": hexOf(topic),
		"count": 3, "size": 100, "tag": "list", "ttl": 20})
	for i := range 3 {
		c.Heard(peerkit.BurstPayload("list", i, 100))
	}
	if sent := p.count("send", "shh", "127"); sent != 1 {
		t.fatalf("status sent %d packets", sent)
	}
	p.stillUp()
}

// The made-up capability of the next scenes; its name sorts before shh, so that
// shh begins at 0x10 + 17.
const madeUp, madeUpLength = "mup/1", 17

func playSharedConnection(t *T) {
	c := t.nodectl(settings{pow: "0", more: []string{"--cap", madeUp + "/" + fmt.Sprint(madeUpLength)}})
	p := t.peer("today", "-pow", "0", "-caps", fmt.Sprintf("shh/6/128,%s/%d,zzz/1/9", madeUp, madeUpLength))
	p.do("dial", Object{"enode": c.URL()})
	p.connected(c.URL())
	p.packet("shh", 0)
	c.Connected(p.enode)

	p.do("send", Object{"enode": c.URL(), "cap": "mup", "code": 16, "data": "c3010203"})
	c.HeardCapability(16, "c3010203")
	c.SayCapability(p.enode, 3, "c20405")
	if e := p.packet("mup", 3); e.text("data") != "c20405" {
		t.fatalf("what we said came as %s", e)
	}

	g := t.peer("geth19", "-pow", "0")
	g.do("dial", Object{"enode": c.URL()})
	g.connected(c.URL())
	k := newKeys(g)
	g.do("post", k.post(note{payload: text(50)}, 0))
	p.packet("shh", 1)
	p.stillUp()
	g.stillUp()
}

// playPing: however much there is to relay, a Ping is answered at once.  It is
// the one scene with a clock, so it plays alone, and a machine that was busy
// with something else gets another chance.
func playPing(t *T) {
	const limit, attempts = 200.0, 3
	worst := 0.0
	for range attempts {
		if worst = pingUnderLoad(t); worst <= limit {
			t.logf("slowest Pong %.0f ms", worst)
			return
		}
	}
	t.fatalf("a Pong took %.0f ms", worst)
}

// pingUnderLoad sends 10 MiB of envelopes through a node and tells how long the
// slowest Pong took, at the end that sends and at the one that receives.
func pingUnderLoad(t *T) float64 {
	c := t.nodectl(settings{pow: "0", more: []string{"--cap", madeUp + "/" + fmt.Sprint(madeUpLength)}})
	from, to := t.peer("today"), t.peer("today")
	shh := 0x10 + madeUpLength
	for _, p := range []*Peer{from, to} {
		p.do("rawdial", Object{"enode": c.URL(), "caps": []string{madeUp, "shh/6"}})
		p.do("rawstatus", Object{"code": shh, "pow": 0})
		p.expect("rawpacket", func(e Object) bool { return int(e.number("code")) == shh })
	}
	const count, size = 10 << 10, 1 << 10
	type result struct {
		answer Object
		err    error
	}
	results := make(chan result, 3)
	ask := func(p *Peer, cmd string, fields Object) {
		answer, err := p.try(cmd, fields)
		results <- result{answer, err}
	}
	go ask(from, "rawenvelopes", Object{"code": shh, "topic": "01020304", "ttl": 300,
		"count": count, "size": size, "tag": randomHex(4)})
	// A node need not answer more than ten at once and two a second (hardening §3).
	go ask(from, "rawping", Object{"count": 10, "work": 100})
	go ask(to, "rawping", Object{"count": 16, "work": 500})
	worst := 0.0
	for range 3 {
		r := <-results
		t.check(r.err, "under load")
		times, _ := r.answer["ms"].([]any)
		for _, ms := range times {
			worst = max(worst, ms.(float64))
		}
	}
	t.until("10 MiB at the other end", func() bool {
		received := 0.0
		for _, e := range to.all("rawpacket") {
			received += e.number("size")
		}
		return received >= count*size
	})
	c.Quit()
	return worst
}
