// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"

	"sotto/interop/gethkit"
	"sotto/interop/peerkit"
)

// Packets up to this size are reported with their bytes.
const reportMax = 8 << 10

// carrier runs made-up capabilities on a p2p server: everything that comes in
// is reported, everything that goes out is the runner's.
type carrier struct {
	o   *gethkit.Options
	out *peerkit.Out

	mu    sync.Mutex
	links map[string]*link // by capability and peer
}

type link struct {
	rw   p2p.MsgReadWriter
	fail chan error
}

func newCarrier(o *gethkit.Options, out *peerkit.Out) *carrier {
	return &carrier{o: o, out: out, links: map[string]*link{}}
}

func (c *carrier) protocols(list string) ([]p2p.Protocol, error) {
	var protos []p2p.Protocol
	for _, text := range strings.Split(list, ",") {
		name, version, length, err := parseCap(text)
		if err != nil {
			return nil, err
		}
		protos = append(protos, p2p.Protocol{
			Name: name, Version: version, Length: length,
			Run: func(p *p2p.Peer, rw p2p.MsgReadWriter) error { return c.run(name, p, rw) },
		})
	}
	return protos, nil
}

func parseCap(text string) (name string, version uint, length uint64, err error) {
	part := strings.Split(text, "/")
	if len(part) != 3 {
		return "", 0, 0, fmt.Errorf("capability %q is not name/version/length", text)
	}
	v, err := strconv.ParseUint(part[1], 10, 32)
	if err == nil {
		length, err = strconv.ParseUint(part[2], 10, 32)
	}
	return part[0], uint(v), length, err
}

func (c *carrier) run(name string, p *p2p.Peer, rw p2p.MsgReadWriter) error {
	l := &link{rw: rw, fail: make(chan error, 1)}
	key := name + " " + p.ID().String()
	c.mu.Lock()
	c.links[key] = l
	c.mu.Unlock()
	if name == "shh" {
		if err := write(rw, 0, shhStatus(c.o.PoW, nil, c.o.Light)); err != nil {
			return err
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- c.read(name, p, rw) }()
	select {
	case err := <-ended:
		return err
	case err := <-l.fail:
		return err
	}
}

func (c *carrier) read(name string, p *p2p.Peer, rw p2p.MsgReadWriter) error {
	for {
		m, err := rw.ReadMsg()
		if err != nil {
			return err
		}
		body, err := io.ReadAll(m.Payload)
		if err != nil {
			return err
		}
		c.out.Event("packet", packetFields(name, m.Code, body, peerkit.Fields{"peer": p.ID().String()}))
	}
}

func packetFields(name string, code uint64, body []byte, f peerkit.Fields) peerkit.Fields {
	f["cap"], f["code"], f["size"], f["digest"] = name, code, len(body), peerkit.Digest(body)
	if len(body) <= reportMax {
		f["data"] = peerkit.Bytes(body)
	}
	return f
}

func write(rw p2p.MsgReadWriter, code uint64, body []byte) error {
	return rw.WriteMsg(p2p.Msg{Code: code, Size: uint32(len(body)), Payload: bytes.NewReader(body)})
}

func (c *carrier) handlers() map[string]peerkit.Handler {
	return map[string]peerkit.Handler{
		"send":      c.send,
		"fail":      c.fail,
		"envelopes": c.envelopes,
	}
}

func (c *carrier) link(cmd *peerkit.Command) (*link, error) {
	n, err := enode.ParseV4(cmd.Enode)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.links[cmd.Cap+" "+n.ID().String()]
	if !ok {
		return nil, errors.New("not connected")
	}
	return l, nil
}

func (c *carrier) send(cmd *peerkit.Command) (peerkit.Fields, error) {
	l, err := c.link(cmd)
	if err != nil {
		return nil, err
	}
	return nil, write(l.rw, cmd.Code, cmd.Data)
}

// fail ends the capability with an error, as a protocol does that was lied to.
func (c *carrier) fail(cmd *peerkit.Command) (peerkit.Fields, error) {
	l, err := c.link(cmd)
	if err != nil {
		return nil, err
	}
	l.fail <- errors.New("told to fail")
	return nil, nil
}

func (c *carrier) envelopes(cmd *peerkit.Command) (peerkit.Fields, error) {
	l, err := c.link(cmd)
	if err != nil {
		return nil, err
	}
	return sendEnvelopes(cmd, func(body []byte) error { return write(l.rw, 1, body) })
}
