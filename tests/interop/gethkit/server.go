// SPDX-License-Identifier: MIT

// Package gethkit runs go-ethereum's own p2p server under the runner's command.
// It is written against what go-ethereum 1.8.27, 1.9.5 (Status' copy), 1.9.18
// and 1.17.10 have in common; the module that links it picks the age.
package gethkit

import (
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"

	"sotto/interop/peerkit"
)

// Options come from the command line.
type Options struct {
	Port     int
	Key      *ecdsa.PrivateKey
	Name     string
	MaxPeers int
	PoW      float64
	MaxSize  uint
	Light    bool
	Lean     bool

	// WatchLog makes the age's log call line for each of its lines, with the
	// names and values that follow the text; how differs between ages.
	WatchLog func(line func(text string, context []any))
}

// Flags reads the command line, with whatever flags the caller has added; name
// is what Hello says by default.
func Flags(name string, watchLog func(func(string, []any))) (*Options, error) {
	o := &Options{WatchLog: watchLog}
	key := flag.String("key", "", "private key, 64 hex digits; random when empty")
	flag.IntVar(&o.Port, "port", 0, "TCP port on 127.0.0.1; 0 lets the system choose")
	flag.StringVar(&o.Name, "name", name, "client name in Hello")
	flag.IntVar(&o.MaxPeers, "maxpeers", 25, "peer slots")
	flag.Float64Var(&o.PoW, "pow", 0.2, "minimum work accepted")
	flag.UintVar(&o.MaxSize, "maxsize", 1<<20, "largest message accepted")
	flag.BoolVar(&o.Light, "light", false, "announce a light node")
	flag.BoolVar(&o.Lean, "lean", false, "count no messages and watch no log: to be measured")
	flag.Parse()
	var err error
	if *key == "" {
		o.Key, err = crypto.GenerateKey()
	} else {
		o.Key, err = crypto.HexToECDSA(*key)
	}
	return o, err
}

// Server is a p2p server that reports its peers' comings and goings.
type Server struct {
	*p2p.Server
	out    *peerkit.Out
	counts peerkit.Counts
}

// Start listens on 127.0.0.1 and begins to report.
func Start(o *Options, protos []p2p.Protocol, out *peerkit.Out) (*Server, error) {
	s := &Server{out: out}
	if !o.Lean {
		watchLog(o, out)
	}
	s.Server = &p2p.Server{Config: p2p.Config{
		PrivateKey:      o.Key,
		MaxPeers:        o.MaxPeers,
		NoDiscovery:     true,
		Name:            o.Name,
		Protocols:       protos,
		ListenAddr:      fmt.Sprintf("127.0.0.1:%d", o.Port),
		EnableMsgEvents: !o.Lean,
	}}
	if err := s.Server.Start(); err != nil {
		return nil, err
	}
	events := make(chan *p2p.PeerEvent, 1<<16)
	s.SubscribeEvents(events)
	go s.report(events)
	return s, nil
}

// URL is where this server can be dialled.
func (s *Server) URL() string {
	pub := crypto.FromECDSAPub(&s.PrivateKey.PublicKey)
	return fmt.Sprintf("enode://%x@127.0.0.1:%d", pub[1:], s.Self().TCP())
}

func (s *Server) report(events <-chan *p2p.PeerEvent) {
	for e := range events {
		switch e.Type {
		case p2p.PeerEventTypeAdd, p2p.PeerEventTypeDrop:
			s.out.Event(string(e.Type), peerkit.Fields{
				"peer": e.Peer.String(), "error": e.Error})
		case p2p.PeerEventTypeMsgRecv, p2p.PeerEventTypeMsgSend:
			way := "recv"
			if e.Type == p2p.PeerEventTypeMsgSend {
				way = "send"
			}
			s.counts.Add(way, e.Protocol, *e.MsgCode, int(*e.MsgSize))
		}
	}
}

// Handlers are the commands that every p2p server understands.
func (s *Server) Handlers() map[string]peerkit.Handler {
	return map[string]peerkit.Handler{
		"info":   s.info,
		"id":     s.id,
		"pub":    s.pub,
		"dial":   s.dial,
		"hangup": s.hangup,
		"peers":  s.peers,
		"counts": func(*peerkit.Command) (peerkit.Fields, error) { return s.counts.Fields(), nil },
	}
}

func (s *Server) info(*peerkit.Command) (peerkit.Fields, error) {
	return peerkit.Fields{"enode": s.URL(), "peer": s.Self().ID().String()}, nil
}

// id turns an enode URL into the short id that events carry.
func (s *Server) id(c *peerkit.Command) (peerkit.Fields, error) {
	n, err := enode.ParseV4(c.Enode)
	if err != nil {
		return nil, err
	}
	return peerkit.Fields{"peer": n.ID().String()}, nil
}

// pub turns a private key into its public one.
func (s *Server) pub(c *peerkit.Command) (peerkit.Fields, error) {
	k, err := crypto.ToECDSA(c.Key)
	if err != nil {
		return nil, err
	}
	return peerkit.Fields{"pub": hex.EncodeToString(crypto.FromECDSAPub(&k.PublicKey))}, nil
}

func (s *Server) dial(c *peerkit.Command) (peerkit.Fields, error) {
	n, err := enode.ParseV4(c.Enode)
	if err != nil {
		return nil, err
	}
	s.AddPeer(n)
	return nil, nil
}

// hangup sends Disconnect 0x00 (requested), or on request another reason.
func (s *Server) hangup(c *peerkit.Command) (peerkit.Fields, error) {
	n, err := enode.ParseV4(c.Enode)
	if err != nil {
		return nil, err
	}
	if c.Reason == 0 {
		s.RemovePeer(n)
		return nil, nil
	}
	for _, p := range s.Peers() {
		if p.ID() == n.ID() {
			p.Disconnect(p2p.DiscReason(c.Reason))
			return nil, nil
		}
	}
	return nil, errors.New("not connected")
}

func (s *Server) peers(*peerkit.Command) (peerkit.Fields, error) {
	list := []peerkit.Fields{}
	for _, p := range s.Peers() {
		list = append(list, peerkit.Fields{
			"peer": p.ID().String(), "name": p.Name(), "caps": capNames(p.Caps()),
			"remote": p.RemoteAddr().String(), "inbound": p.Inbound()})
	}
	return peerkit.Fields{"peers": list}, nil
}

func capNames(caps []p2p.Cap) []string {
	names := []string{}
	for _, c := range caps {
		names = append(names, c.String())
	}
	return names
}

// Connections that end before there is a peer leave their reason only in the
// log, so these lines become events too.
var watched = map[string]string{
	"Failed proto handshake":                           "refused",
	"Failed p2p handshake":                             "refused",
	"Rejected peer before protocol handshake":          "refused",
	"Rejected peer":                                    "refused",
	"Failed RLPx handshake":                            "refused",
	"Setting up connection failed":                     "refused",
	"Removing p2p peer":                                "removed",
	"bad envelope received, peer will be disconnected": "bad envelope",
}

func watchLog(o *Options, out *peerkit.Out) {
	o.WatchLog(func(text string, context []any) {
		kind, ok := watched[text]
		if !ok {
			return
		}
		f := peerkit.Fields{"log": text}
		for i := 0; i+1 < len(context); i += 2 {
			f[fmt.Sprint(context[i])] = fmt.Sprint(context[i+1])
		}
		out.Event(kind, f)
	})
}
