// SPDX-License-Identifier: MIT

package main

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/p2p/rlpx"
	"github.com/ethereum/go-ethereum/rlp"

	"sotto/interop/peerkit"
)

// Codes of the base protocol, devp2p rlpx.md, "p2p" capability.
const (
	codeHello = iota
	codeDisconnect
	codePing
	codePong
)

// How long a Pong may take before rawping gives up.
const pongPatience = 10 * time.Second

// rawPeer is one RLPx connection without a p2p server around it.
type rawPeer struct {
	out  *peerkit.Out
	key  *ecdsa.PrivateKey
	name string

	conn  *rlpx.Conn
	write sync.Mutex
	pongs chan time.Time
}

type hello struct {
	Version    uint64
	Name       string
	Caps       []p2p.Cap
	ListenPort uint64
	ID         []byte
	Rest       []rlp.RawValue `rlp:"tail"`
}

func (r *rawPeer) handlers() map[string]peerkit.Handler {
	return map[string]peerkit.Handler{
		"rawdial":      r.dial,
		"rawsend":      r.sendRaw,
		"rawstatus":    r.status,
		"rawping":      r.ping,
		"rawenvelopes": r.envelopes,
		"rawclose":     r.close,
	}
}

// dial connects, shakes hands and exchanges Hellos; Caps is what we announce.
func (r *rawPeer) dial(c *peerkit.Command) (peerkit.Fields, error) {
	n, err := enode.ParseV4(c.Enode)
	if err != nil {
		return nil, err
	}
	fd, err := net.Dial("tcp", net.JoinHostPort(n.IP().String(), strconv.Itoa(n.TCP())))
	if err != nil {
		return nil, err
	}
	conn := rlpx.NewConn(fd, n.Pubkey())
	theirs, err := r.greet(conn, c.Caps)
	if err != nil {
		fd.Close()
		return nil, err
	}
	r.conn, r.pongs = conn, make(chan time.Time, 16)
	go r.read(conn)
	caps := []string{}
	for _, p := range theirs.Caps {
		caps = append(caps, p.String())
	}
	return peerkit.Fields{"version": theirs.Version, "name": theirs.Name, "caps": caps,
		"port": theirs.ListenPort, "pub": peerkit.Bytes(theirs.ID)}, nil
}

func (r *rawPeer) greet(conn *rlpx.Conn, caps []string) (*hello, error) {
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Handshake(r.key); err != nil {
		return nil, err
	}
	ours := hello{Version: 5, Name: r.name, ID: crypto.FromECDSAPub(&r.key.PublicKey)[1:]}
	for _, text := range caps {
		name, version, _, err := parseCap(text + "/0")
		if err != nil {
			return nil, err
		}
		ours.Caps = append(ours.Caps, p2p.Cap{Name: name, Version: version})
	}
	if _, err := conn.Write(codeHello, mustEncode(&ours)); err != nil {
		return nil, err
	}
	code, body, _, err := conn.Read()
	if err != nil {
		return nil, err
	}
	if code == codeDisconnect {
		return nil, fmt.Errorf("Disconnect %s instead of Hello", reasonOf(body))
	}
	if code != codeHello {
		return nil, fmt.Errorf("message %d instead of Hello", code)
	}
	var theirs hello
	if err := rlp.DecodeBytes(body, &theirs); err != nil {
		return nil, err
	}
	conn.SetSnappy(theirs.Version >= 5)
	conn.SetDeadline(time.Time{})
	return &theirs, nil
}

// reasonOf reads a Disconnect: a list of one number, or the bare number.
func reasonOf(body []byte) string {
	var list []uint64
	if rlp.DecodeBytes(body, &list) == nil && len(list) > 0 {
		return fmt.Sprintf("%#x list", list[0])
	}
	var bare uint64
	if rlp.DecodeBytes(body, &bare) == nil {
		return fmt.Sprintf("%#x bare", bare)
	}
	return fmt.Sprintf("unreadable %x", body)
}

func (r *rawPeer) read(conn *rlpx.Conn) {
	for {
		code, body, _, err := conn.Read()
		if err != nil {
			r.out.Event("rawclosed", peerkit.Fields{"error": err.Error()})
			return
		}
		switch code {
		case codePing:
			r.send(codePong, []byte{0xc0})
		case codePong:
			r.pongs <- time.Now()
		case codeDisconnect:
			r.out.Event("rawdisconnect", peerkit.Fields{"reason": reasonOf(body)})
		default:
			r.out.Event("rawpacket", packetFields("", code, append([]byte{}, body...), peerkit.Fields{}))
		}
	}
}

func (r *rawPeer) send(code uint64, body []byte) error {
	r.write.Lock()
	defer r.write.Unlock()
	if r.conn == nil {
		return errors.New("not connected")
	}
	_, err := r.conn.Write(code, body)
	return err
}

func (r *rawPeer) sendRaw(c *peerkit.Command) (peerkit.Fields, error) {
	return nil, r.send(c.Code, c.Data)
}

// status sends shh's Status; Code is where shh begins.
func (r *rawPeer) status(c *peerkit.Command) (peerkit.Fields, error) {
	return nil, r.send(c.Code, shhStatus(c.PoW, c.Bloom, c.On))
}

func (r *rawPeer) envelopes(c *peerkit.Command) (peerkit.Fields, error) {
	return sendEnvelopes(c, func(body []byte) error { return r.send(c.Code+1, body) })
}

// ping sends Count Pings, one after the other's answer and Work ms apart, and
// tells how long each answer took.
func (r *rawPeer) ping(c *peerkit.Command) (peerkit.Fields, error) {
	times := []float64{}
	for range c.Count {
		begin := time.Now()
		if err := r.send(codePing, []byte{0xc0}); err != nil {
			return nil, err
		}
		select {
		case at := <-r.pongs:
			times = append(times, float64(at.Sub(begin).Microseconds())/1000)
		case <-time.After(pongPatience):
			return nil, fmt.Errorf("no Pong within %v", pongPatience)
		}
		time.Sleep(time.Duration(c.Work) * time.Millisecond)
	}
	return peerkit.Fields{"ms": times}, nil
}

func (r *rawPeer) close(*peerkit.Command) (peerkit.Fields, error) {
	r.write.Lock()
	defer r.write.Unlock()
	if r.conn == nil {
		return nil, errors.New("not connected")
	}
	err := r.conn.Close()
	r.conn = nil
	return nil, err
}
