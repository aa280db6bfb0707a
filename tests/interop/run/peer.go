// SPDX-License-Identifier: MIT

package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"runtime"
	"sync/atomic"
)

// Peer is a real peer that listens and takes commands.
type Peer struct {
	*process
	t     *T
	enode string
	id    string // as its reports name it
	last  atomic.Int64
}

// peer starts a peer program and waits until it listens.
func (t *T) peer(kind string, args ...string) *Peer {
	path := t.peerPath(kind)
	if kind == "js" {
		path, args = "node", append([]string{filepath.Join(t.peerPath("js"), "peer.js")}, args...)
	}
	proc, err := startProcess(kind, t.dir, path, args...)
	t.check(err, "start %s", kind)
	t.keep(proc)
	p := &Peer{process: proc, t: t}
	ready := p.expect("ready", nil)
	p.enode, p.id = ready.text("enode"), ready.text("peer")
	return p
}

// try sends a command and waits for its answer.
func (p *Peer) try(cmd string, fields Object) (Object, error) {
	line := Object{}
	for k, v := range fields {
		line[k] = v
	}
	id := p.last.Add(1)
	line["id"], line["cmd"] = id, cmd
	text, err := json.Marshal(line)
	if err == nil {
		err = p.send(string(text))
	}
	if err != nil {
		return nil, err
	}
	var answer Object
	err = p.await(3*patience, func() bool { answer = p.answers[id]; return answer != nil })
	if err != nil {
		return nil, err
	}
	if trouble := answer.text("error"); trouble != "" {
		return nil, errors.New(trouble)
	}
	return answer, nil
}

// do is try for commands that must succeed.
func (p *Peer) do(cmd string, fields Object) Object {
	answer, err := p.try(cmd, fields)
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, p.name+" "+cmd+": "+err.Error())
	}
	return answer
}

// expect waits for a report of that kind for which ok is true (nil: any).
func (p *Peer) expect(kind string, ok func(Object) bool) Object {
	found, err := p.event(kind, ok)
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, p.name+" reported no "+kind+": "+err.Error())
	}
	return found
}

// idOf is how this peer's reports name whoever has that enode URL.
func (p *Peer) idOf(enode string) string {
	return p.do("id", Object{"enode": enode}).text("peer")
}

// connected waits until the node at that URL is a peer.
func (p *Peer) connected(enode string) Object {
	id := p.idOf(enode)
	return p.expect("add", func(e Object) bool { return e.text("peer") == id })
}

// dropped waits until the node at that URL is gone, and tells why.
func (p *Peer) dropped(enode string) string {
	id := p.idOf(enode)
	return p.expect("drop", func(e Object) bool { return e.text("peer") == id }).text("error")
}

// stillUp fails the test if any connection of this peer has ended.
func (p *Peer) stillUp() {
	if drops := p.all("drop"); len(drops) > 0 {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, p.name+" lost a connection: "+drops[0].String())
	}
}

// count is how many messages of a code went one way ("recv" or "send").
func (p *Peer) count(way, capability string, code string) int {
	counts, _ := p.do("counts", nil)["counts"].(map[string]any)
	n, _ := counts[way+" "+capability+" "+code].(float64)
	return int(n)
}

// heard waits for a message with that payload.
func (p *Peer) heard(payload []byte) Object {
	want := digest(payload)
	found, err := p.event("message", func(e Object) bool { return e.text("digest") == want })
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, p.name+" did not receive the message: "+err.Error())
	}
	return found
}

// notHeard fails the test if a message with that payload has come.
func (p *Peer) notHeard(payload []byte) {
	want := digest(payload)
	for _, e := range p.all("message") {
		if e.text("digest") == want {
			_, file, line, _ := runtime.Caller(1)
			p.t.fail(file, line, p.name+" received what it must not: "+e.String())
		}
	}
}

// received waits until a quiet filter has counted want distinct payloads with
// that sum of digests.
func (p *Peer) received(filter int, sent Object) {
	want := sent.number("distinct")
	got := Object{}
	before := float64(-1)
	for waits := 0; waits < int(patience.Seconds()); waits++ {
		got = p.do("got", Object{"filter": filter})
		if got.number("distinct") >= want {
			break
		}
		if got.number("distinct") != before {
			before, waits = got.number("distinct"), 0
		}
		p.t.sleep(1)
	}
	if got.number("distinct") != want || got.text("sum") != sent.text("sum") {
		_, file, line, _ := runtime.Caller(1)
		p.t.fail(file, line, p.name+" has "+got.String()+", sent was "+sent.String())
	}
}
