// SPDX-License-Identifier: MIT

package main

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// parity's Whisper cannot be had, so build/tests/parity behaves as it does, with
// all that makes it different (tests/tools/parity.c).  It ends its connection,
// and says so, over whatever parity would disable a peer for, a code that does
// not fit one byte among them.

// Parity is that program: one connection, dialled or awaited.
type Parity struct {
	*process
	t     *T
	enode string // of one that waits
	sym   []byte
	topic []byte
}

func (t *T) parity(k keys, args ...string) *Parity {
	args = append(args, "--symkey", hexOf(k.sym), "--topic", hexOf(k.topic))
	proc, err := startProcess("parity", t.dir, t.parityPath(), args...)
	t.check(err, "start parity")
	proc.deaf = true // until somebody has come
	t.keep(proc)
	return &Parity{process: proc, t: t, sym: k.sym, topic: k.topic}
}

// parityDials has one dial a node, with the plain handshake, and meet it.
func (t *T) parityDials(k keys, url string) *Parity {
	p := t.parity(k, "dial", url)
	p.met()
	return p
}

// parityWaits has one wait for a connection.
func (t *T) parityWaits(k keys) *Parity {
	p := t.parity(k, "listen", "0")
	p.enode = p.expect("listening", nil).text("enode")
	return p
}

func (p *Parity) expect(kind string, ok func(Object) bool) Object {
	found, err := p.event(kind, ok)
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, "parity reported no "+kind+": "+err.Error())
	}
	return found
}

func (p *Parity) command(words ...string) {
	if err := p.send(strings.Join(words, " ")); err != nil {
		p.t.fatalf("parity %s: %v", words[0], err)
	}
}

// met waits for Hello and Status, and looks at what they say.
func (p *Parity) met() {
	hello := p.expect("hello", nil)
	if hello.number("version") != 5 || hello.number("shared") != 1 || hello.number("offset") != 0x10 {
		p.t.fatalf("parity meets us with %s", hello)
	}
	p.expect("status", nil)
}

// stillUp fails the test if parity had to complain of anything.
func (p *Parity) stillUp() {
	for _, kind := range []string{"disable", "wide-code", "closed"} {
		if list := p.all(kind); len(list) > 0 {
			_, file, line, _ := runtime.Caller(1)
			p.t.fail(file, line, "parity does not like us: "+list[0].String())
		}
	}
}

// rallies waits while parity sends a few packets, empty ones if it has nothing.
func (p *Parity) rallies() {
	p.t.sleep(3 * 2.5)
	p.stillUp()
}

// post says something and tells with how much work.
func (p *Parity) post(text []byte) float64 {
	before := len(p.all("posted"))
	p.command("post", string(text))
	p.t.until("a post of parity", func() bool { return len(p.all("posted")) > before })
	return p.all("posted")[before].number("work")
}

// pool is how many envelopes it holds, and the best work among them.
func (p *Parity) pool() (count int, best float64) {
	before := len(p.all("pool"))
	p.command("pool")
	p.t.until("parity's pool", func() bool { return len(p.all("pool")) > before })
	o := p.all("pool")[before]
	return int(o.number("count")), o.number("best")
}

// outbids is work that parity's pool will take: it wants nothing but records.
func (p *Parity) outbids() string {
	_, best := p.pool()
	return fmt.Sprint(max(1, 2*best))
}

func (p *Parity) has(text []byte) func(Object) bool {
	return func(e Object) bool {
		payload, err := hex.DecodeString(e.text("payload"))
		return err == nil && string(payload) == string(text)
	}
}

func (p *Parity) heard(text []byte) Object {
	found, err := p.event("message", p.has(text))
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, "parity did not read the message: "+err.Error())
	}
	return found
}

func parityKeys() keys { return keys{sym: random(32), topic: random(4)} }

func playParityDialsUs(t *T) {
	n := t.node(settings{})
	p := t.parityDials(parityKeys(), n.url)
	p.rallies()
	n.quit()
	if e := p.expect("closed", nil); !e.truth("by_peer") || e.number("reason") != 8 {
		t.fatalf("at our end parity saw %s", e)
	}
}

func playParityWeDial(t *T) {
	p := t.parityWaits(parityKeys())
	n := t.node(settings{peers: []string{p.enode}})
	p.met()
	p.rallies()
	p.command("quit")
	p.wait(patience)
	n.running()
}

// playParityHello: a Status that says nothing is no obstacle.
func playParityHello(t *T) {
	p := t.parityWaits(parityKeys())
	out := t.must(nil, "hello", p.enode)
	for _, want := range []string{"Parity-Ethereum/v2.4.9", "shh/6"} {
		if !strings.Contains(out, want) {
			t.fatalf("sotto hello says nothing of %q: %s", want, out)
		}
	}
}

func playParityMessagesToUs(t *T) {
	k := parityKeys()
	p := t.parityWaits(k)
	l := t.listen("--peer", p.enode, "--symkey", hexOf(k.sym), "--topic", hexOf(k.topic), "--count", "2")
	p.met()
	said := [][]byte{text(1), text(1000)}
	for _, payload := range said {
		p.post(payload)
	}
	checkParityHeard(t, l.all(), said, k)
}

func checkParityHeard(t *T, heard []Heard, said [][]byte, k keys) {
	for i, payload := range said {
		if string(heard[i].bytes()) != string(payload) || heard[i].Topic != "0x"+hexOf(k.topic) ||
			heard[i].Sig != "" || heard[i].TTL != 50 {
			t.fatalf("sotto listen printed %+v, parity had said %s", heard[i], payload)
		}
	}
}

func playParityMessagesFromUs(t *T) {
	k := parityKeys()
	signer := t.keyFile(randomHex(32))
	for _, form := range []string{"parity", "both"} {
		for _, m := range notes(1, 1000) {
			if m.asym {
				continue // the scripted peer has no key of its own
			}
			p := t.parityWaits(k)
			args := []string{"send", "--peer", p.enode, "--symkey", hexOf(k.sym),
				"--topic", hexOf(k.topic), "--form", form}
			if m.signed {
				args = append(args, "--sign", signer)
			}
			t.must(m.payload, append(args, "-")...)
			if e := p.heard(m.payload); e.truth("signed") != m.signed {
				t.fatalf("%s in form %s arrived as %s", m, form, e)
			}
		}
	}
}

// playParityRelay: geth 1.8.27, a node and parity.  Envelopes cross both ways,
// and what was said in both layouts is read at both ends.
func playParityRelay(t *T) {
	n := t.node(settings{})
	k := parityKeys()
	sym, topic := hexOf(k.sym), hexOf(k.topic)
	g := t.peer("geth18")
	g.do("subscribe", Object{"sym": sym, "topics": []string{topic}})
	g.do("dial", Object{"enode": n.url})
	g.connected(n.url)
	g.greeted()
	p := t.parityDials(k, n.url)

	l := t.listen("--peer", n.url, "--symkey", sym, "--topic", topic, "--count", "4")

	// From geth: parity takes it, its key fits, and the layout is not its own.
	there := text(100)
	g.do("post", k.post(note{payload: there}, 0.2))
	p.expect("unreadable", nil)

	// In both layouts, from one of ours: each reads its own.
	both := text(100)
	t.must(both, "send", "--peer", n.url, "--symkey", sym, "--topic", topic,
		"--form", "both", "--pow", p.outbids(), "-")
	g.heard(both)
	p.heard(both)

	// From parity: geth takes the envelope and keeps it, ours reads the text.
	pooled := g.do("pool", nil).number("count")
	back := text(100)
	p.post(back)
	t.until("parity's envelope at geth", func() bool { return g.do("pool", nil).number("count") > pooled })
	var heard []string
	for _, h := range l.all() {
		heard = append(heard, string(h.bytes()))
	}
	if want := []string{string(there), string(both), string(both), string(back)}; !slices.Equal(heard, want) {
		t.fatalf("sotto listen printed %q, said were %q", heard, want)
	}
	p.rallies()
	g.stillUp()
	n.running()
}

// playParityWeak: what parity takes without work, and nobody else does, costs
// it nothing but that message.
func playParityWeak(t *T) {
	n := t.node(settings{})
	k := parityKeys()
	p := t.parityDials(k, n.url)
	l := t.listen("--peer", n.url, "--symkey", hexOf(k.sym), "--topic", hexOf(k.topic), "--count", "1")
	p.command("weak", "unheard")
	said := text(100)
	p.post(said)
	checkParityHeard(t, l.all(), [][]byte{said}, k)
	p.rallies()
	n.running()
}

// playParitySettings: our requirements go out as parity takes them, or not at all.
func playParitySettings(t *T) {
	c := t.nodectl(settings{})
	k := parityKeys()
	p := t.parityDials(k, c.URL())
	c.Listen(k.sym, false)
	isSet := func(v float64) func(Object) bool {
		return func(e Object) bool { return e.number("value") == v }
	}
	c.SetPoW(50)
	p.expect("pow", isSet(50))
	dull := text(40)
	p.post(dull) // its 14 bits do not make 50
	c.SetBloom(topicBloom(topicTwo))
	p.rallies()
	c.NotHeard(dull)
	c.SetPoW(0)
	p.expect("pow", func(e Object) bool { return e.number("value") < 1e-100 })
	c.SetBloom(everything)
	c.Heard(dull)
	if list := p.all("bloom"); len(list) > 0 {
		t.fatalf("parity was sent a bloom whose bits it reads from the other end")
	}
	p.rallies()
}

// playParityDirect: a direct message has a code that parity cannot read.
func playParityDirect(t *T) {
	c := t.nodectl(settings{})
	k := parityKeys()
	p := t.parityWaits(k)
	c.Dial(p.enode)
	p.met()
	c.Connected(p.enode)
	c.Direct(p.enode, k.sym, k.topic, text(40))
	c.expect("error", func(e Object) bool { return e.text("command") == "post" })
	p.rallies()
}
