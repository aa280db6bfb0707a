// SPDX-License-Identifier: MIT

package main

// Control is a node whose settings can be changed while it runs: sotto as
// build/tests/nodectl, or a stock peer with -standin.
type Control interface {
	URL() string
	Dial(enode string)
	Hangup(enode string)
	SetPoW(pow float64)
	SetBloom(bloom []byte)
	Trust(enode string)
	Listen(sym []byte, direct bool)
	Direct(enode string, sym, topic, payload []byte)
	Heard(payload []byte)
	NotHeard(payload []byte)
	Connected(enode string)
	Gone(enode string) string
	Quit()
}

func (t *T) control(s settings) Control {
	if t.standIn != "" {
		return stockControl{t.standInNode(s).peer}
	}
	return t.nodectl(s)
}

// stockControl is a stock peer in sotto's place.
type stockControl struct{ p *Peer }

func (c stockControl) URL() string             { return c.p.enode }
func (c stockControl) Dial(enode string)       { c.p.do("dial", Object{"enode": enode}) }
func (c stockControl) Hangup(enode string)     { c.p.do("hangup", Object{"enode": enode}) }
func (c stockControl) SetPoW(pow float64)      { c.p.do("pow", Object{"pow": pow}) }
func (c stockControl) SetBloom(bloom []byte)   { c.p.do("bloom", Object{"bloom": hexOf(bloom)}) }
func (c stockControl) Trust(enode string)      { c.p.do("trust", Object{"enode": enode}) }
func (c stockControl) Heard(payload []byte)    { c.p.heard(payload) }
func (c stockControl) NotHeard(payload []byte) { c.p.notHeard(payload) }
func (c stockControl) Connected(enode string)  { c.p.connected(enode) }
func (c stockControl) Gone(enode string) string {
	return c.p.dropped(enode)
}
func (c stockControl) Quit() { c.p.stop() }

func (c stockControl) Listen(sym []byte, direct bool) {
	c.p.do("subscribe", Object{"sym": hexOf(sym), "direct": direct})
}

func (c stockControl) Direct(enode string, sym, topic, payload []byte) {
	c.p.do("direct", Object{"enode": enode, "sym": hexOf(sym), "topic": hexOf(topic),
		"payload": hexOf(payload), "ttl": 20})
}
