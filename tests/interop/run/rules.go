// SPDX-License-Identifier: MIT

package main

import "time"

// Minimum work and bloom, changed while connections are up, and obeyed: a stock
// peer disconnects whoever sends it something else once its tolerance of ten
// seconds is over.

const tolerance = 10 * time.Second

// Two topics whose blooms have no bit in common, and no two bits in one byte.
var topicOne, topicTwo = []byte{0x10, 0x60, 0xb0, 0x00}, []byte{0x20, 0x70, 0xc0, 0x07}

var everything = allOnes()

func allOnes() []byte {
	b := make([]byte, 64)
	for i := range b {
		b[i] = 0xff
	}
	return b
}

// poster says something with a given work under a given topic.
type poster struct {
	p   *Peer
	sym []byte
}

func (p poster) say(topic []byte, pow float64) []byte {
	payload := text(40)
	p.p.do("post", Object{"sym": hexOf(p.sym), "topic": hexOf(topic), "payload": hexOf(payload),
		"ttl": 120, "pow": pow})
	return payload
}

func playTheirWork(t *T, family string) {
	n := t.node(settings{pow: "0", standInKind: family})
	a, g := trio(t, family, family, n.url, "-pow", "0")
	sym := random(32)
	g.do("subscribe", Object{"sym": hexOf(sym)})
	out := poster{a, sym}

	g.do("pow", Object{"pow": 5})
	t.sleep(1)
	cheap, dear := out.say(topicOne, 0), out.say(topicOne, 10)
	g.heard(dear)
	g.notHeard(cheap)

	time.Sleep(tolerance + time.Second)
	cheap2, dear2 := out.say(topicOne, 0), out.say(topicOne, 10)
	g.heard(dear2)
	t.sleep(1)
	g.notHeard(cheap)
	g.notHeard(cheap2)
	g.stillUp()

	g.do("pow", Object{"pow": 0})
	g.heard(cheap)
	g.heard(cheap2)
	g.stillUp()
	a.stillUp()
}

func playOurWork(t *T, family string) {
	c := t.control(settings{pow: "0", standInKind: family})
	a, g := trio(t, family, family, c.URL(), "-pow", "0")
	sym := random(32)
	a.do("subscribe", Object{"sym": hexOf(sym)})
	in := poster{g, sym}

	c.SetPoW(5)
	t.until("our work requirement at "+family, func() bool { return g.count("recv", "shh", "2") == 1 })
	t.sleep(0.5)
	cheap := in.say(topicOne, 0)
	t.sleep(1)
	if n := g.count("send", "shh", "1"); n != 0 {
		t.fatalf("%s sent %d packets of what we do not want", family, n)
	}
	a.heard(in.say(topicOne, 10))
	a.notHeard(cheap)

	c.SetPoW(0)
	a.heard(cheap)
	a.stillUp()
	g.stillUp()
}

func playTheirBloom(t *T, family string) {
	n := t.node(settings{pow: "0", standInKind: family})
	a, g := trio(t, family, family, n.url, "-pow", "0")
	sym := random(32)
	g.do("subscribe", Object{"sym": hexOf(sym)})
	out := poster{a, sym}

	g.do("bloom", Object{"bloom": hexOf(topicBloom(topicOne))})
	t.sleep(1)
	unwanted, wanted := out.say(topicTwo, 0), out.say(topicOne, 0)
	g.heard(wanted)
	g.notHeard(unwanted)

	time.Sleep(tolerance + time.Second)
	unwanted2, wanted2 := out.say(topicTwo, 0), out.say(topicOne, 0)
	g.heard(wanted2)
	t.sleep(1)
	g.notHeard(unwanted)
	g.notHeard(unwanted2)
	g.stillUp()

	g.do("bloom", Object{"bloom": hexOf(everything)})
	g.heard(unwanted)
	g.heard(unwanted2)
	g.stillUp()
	a.stillUp()
}

func playOurBloom(t *T, family string) {
	c := t.control(settings{pow: "0", standInKind: family})
	a, g := trio(t, family, family, c.URL(), "-pow", "0")
	sym := random(32)
	a.do("subscribe", Object{"sym": hexOf(sym)})
	in := poster{g, sym}

	c.SetBloom(topicBloom(topicOne))
	t.until("our bloom at "+family, func() bool { return g.count("recv", "shh", "3") == 1 })
	t.sleep(0.5)
	unwanted := in.say(topicTwo, 0)
	t.sleep(1)
	if n := g.count("send", "shh", "1"); n != 0 {
		t.fatalf("%s sent %d packets of what we do not want", family, n)
	}
	a.heard(in.say(topicOne, 0))
	a.notHeard(unwanted)

	c.SetBloom(everything)
	a.heard(unwanted)
	a.stillUp()
	g.stillUp()
}

// Direct messages (packet 127) reach only those who trust the sender.
func playDirect(t *T, family string) {
	c := t.control(settings{standInKind: family})
	p := t.peer(family)
	sym, topic := random(32), random(4)
	p.do("subscribe", Object{"sym": hexOf(sym), "direct": true})
	c.Listen(sym, true)
	p.do("dial", Object{"enode": c.URL()})
	met(p, c)

	say := func() []byte {
		payload := text(100)
		p.do("direct", Object{"enode": c.URL(), "sym": hexOf(sym), "topic": hexOf(topic),
			"payload": hexOf(payload), "ttl": 20})
		return payload
	}
	before := say()
	t.sleep(0.5)
	c.Trust(p.enode)
	t.sleep(0.5)
	c.Heard(say())
	c.NotHeard(before)

	unheard := text(100)
	c.Direct(p.enode, sym, topic, unheard)
	t.until("a direct message at "+family, func() bool { return p.count("recv", "shh", "127") == 1 })
	p.do("trust", Object{"enode": c.URL()})
	heard := text(100)
	c.Direct(p.enode, sym, topic, heard)
	p.heard(heard)
	p.notHeard(unheard)
	if n := p.do("pool", nil).number("count"); n != 0 {
		t.fatalf("%s pooled %v direct messages", family, n)
	}
	p.stillUp()
}
