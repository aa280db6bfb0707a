// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"runtime"
	"strings"
)

// Ctl is sotto as build/tests/nodectl: a node of ours under line commands, for
// what the command line cannot change while it runs.
//
// A command is words on a line; reports come as JSON, one object a line.  Used
// here, of those that tests/tools/nodectl.c has:
//
//	pow X                   minimum work from now on
//	bloom HEX               bloom from now on, 64 bytes
//	trust ENODE             take direct messages of that peer
//	peer ENODE              dial it and stay connected
//	unpeer ENODE            hang up
//	listen symkey=HEX direct=1
//	direct ENODE symkey=HEX topic=HEX payload=HEX ttl=S
//	say ENODE CAP CODE HEX  a message of a made-up capability
//	quit
//
//	{"event":"ready","enode":...}
//	{"event":"up","id":...}               id is the 128 digits of the enode URL
//	{"event":"down","id":...,"reason":N}  N as on the wire, whoever said it
//	{"event":"message","payload":HEX,...}
//	{"event":"packet","cap":NAME,"code":N,"data":HEX}
//	{"event":"posted","err":NAME}         err is OK or says why not
type Ctl struct {
	*process
	t   *T
	url string
}

// Disconnect reasons in go-ethereum's words, which the scenes compare.
var reasons = map[int]string{
	0x00: "disconnect requested", 0x03: "useless peer", 0x04: "too many peers",
	0x08: "client quitting", 0x0b: "read timeout", 0x10: "subprotocol error",
}

func (t *T) nodectl(s settings) *Ctl {
	args := append([]string{"--addr", "127.0.0.1", "--port", "0"}, s.options()...)
	proc, err := startProcess("nodectl", t.dir, t.nodectlPath(), args...)
	t.check(err, "start nodectl")
	t.keep(proc)
	c := &Ctl{process: proc, t: t}
	c.url = c.expect("ready", nil).text("enode")
	return c
}

func (c *Ctl) command(words ...string) {
	if err := c.send(strings.Join(words, " ")); err != nil {
		c.t.fatalf("nodectl %s: %v", words[0], err)
	}
}

func (c *Ctl) expect(kind string, ok func(Object) bool) Object {
	found, err := c.event(kind, ok)
	if err != nil {
		_, file, line, _ := runtime.Caller(2)
		c.t.fail(file, line, "nodectl reported no "+kind+": "+err.Error())
	}
	return found
}

// idOf is the public key in an enode URL.
func idOf(enode string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(enode, "enode://"), "@")
	return id
}

func (c *Ctl) URL() string           { return c.url }
func (c *Ctl) Dial(enode string)     { c.command("peer", enode) }
func (c *Ctl) Hangup(enode string)   { c.command("unpeer", enode) }
func (c *Ctl) SetPoW(pow float64)    { c.command("pow", fmt.Sprint(pow)) }
func (c *Ctl) SetBloom(bloom []byte) { c.command("bloom", hexOf(bloom)) }
func (c *Ctl) Trust(enode string)    { c.command("trust", enode) }

func (c *Ctl) Listen(sym []byte, direct bool) {
	words := []string{"listen", "symkey=" + hexOf(sym)}
	if direct {
		words = append(words, "direct=1")
	}
	c.command(words...)
}

func (c *Ctl) Direct(enode string, sym, topic, payload []byte) {
	c.command("direct", enode, "symkey="+hexOf(sym), "topic="+hexOf(topic),
		"payload="+hexOf(payload), "ttl=20")
}

func (c *Ctl) hears(payload []byte) func(Object) bool {
	return func(e Object) bool { return strings.TrimPrefix(e.text("payload"), "0x") == hexOf(payload) }
}

func (c *Ctl) Heard(payload []byte) { c.expect("message", c.hears(payload)) }

func (c *Ctl) NotHeard(payload []byte) {
	for _, e := range c.all("message") {
		if c.hears(payload)(e) {
			c.t.fatalf("nodectl received what it must not: %s", e)
		}
	}
}

func (c *Ctl) Connected(enode string) {
	c.expect("up", func(e Object) bool { return e.text("id") == idOf(enode) })
}

func (c *Ctl) Gone(enode string) string {
	e := c.expect("down", func(e Object) bool { return e.text("id") == idOf(enode) })
	if text, known := reasons[int(e.number("reason"))]; known {
		return text
	}
	return e.String()
}

// HeardCapability waits for a message of the made-up capability.
func (c *Ctl) HeardCapability(code int, data string) {
	c.expect("packet", func(e Object) bool {
		return int(e.number("code")) == code && e.text("data") == data
	})
}

// SayCapability sends a message of the made-up capability.
func (c *Ctl) SayCapability(enode string, code int, data string) {
	c.command("say", enode, strings.Split(madeUp, "/")[0], fmt.Sprint(code), data)
}

// Quit asks it to leave and expects it to do so in good order.
func (c *Ctl) Quit() {
	c.command("quit")
	code, err := c.wait(patience)
	c.t.check(err, "nodectl after quit")
	if code != 0 {
		c.t.fatalf("nodectl left with %d", code)
	}
}
