// SPDX-License-Identifier: MIT

// Package shh puts go-ethereum's whisperv6 behind gethkit.Whisper.  The same
// lines serve 1.8.27 and 1.9.18; the module that links them picks the age.
package shh

import (
	"encoding/hex"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
	whisper "github.com/ethereum/go-ethereum/whisper/whisperv6"

	"sotto/interop/gethkit"
)

// Node is a gethkit.Whisper.
type Node struct{ *whisper.Whisper }

// New makes a node that has not started yet.
func New(o *gethkit.Options) Node {
	return Node{whisper.New(&whisper.Config{
		MaxMessageSize:     uint32(o.MaxSize),
		MinimumAcceptedPOW: o.PoW,
	})}
}

// Start begins the node's own housekeeping.
func (n Node) Start() error { return n.Whisper.Start(nil) }

// Protocols is what the p2p server offers.
func (n Node) Protocols() []p2p.Protocol { return n.Whisper.Protocols() }

// Seal encrypts and works as the age does.
func (n Node) Seal(p *gethkit.Post) (*gethkit.Sealed, error) {
	params := &whisper.MessageParams{
		TTL: p.TTL, Topic: whisper.BytesToTopic(p.Topic), Payload: p.Payload,
		Padding: p.Padding, PoW: p.PoW, WorkTime: p.Work,
	}
	var err error
	if len(p.Sign) > 0 {
		if params.Src, err = crypto.ToECDSA(p.Sign); err != nil {
			return nil, err
		}
	}
	if len(p.Sym) > 0 {
		params.KeySym = p.Sym
	} else if params.Dst, err = crypto.UnmarshalPubkey(p.Pub); err != nil {
		return nil, err
	}
	m, err := whisper.NewSentMessage(params)
	if err != nil {
		return nil, err
	}
	e, err := m.Wrap(params)
	if err != nil {
		return nil, err
	}
	return &gethkit.Sealed{Envelope: e, Hash: hex.EncodeToString(e.Hash().Bytes()), PoW: e.PoW()}, nil
}

// Send pools an envelope, from where it goes to the peers.
func (n Node) Send(e *gethkit.Sealed) error {
	return n.Whisper.Send(e.Envelope.(*whisper.Envelope))
}

// SendDirect gives envelopes to one peer only, a packet for each.
func (n Node) SendDirect(peer []byte, list ...*gethkit.Sealed) error {
	for _, e := range list {
		if err := n.SendP2PMessage(peer, e.Envelope.(*whisper.Envelope)); err != nil {
			return err
		}
	}
	return nil
}

// Trust lets direct messages of a connected peer in.
func (n Node) Trust(peer []byte) error { return n.AllowP2PMessagesFromPeer(peer) }

// Subscribe installs a filter.
func (n Node) Subscribe(f *gethkit.Filter) (func() []gethkit.Message, func(), error) {
	w := &whisper.Filter{Topics: f.Topics, PoW: f.PoW, AllowP2P: f.Direct}
	if len(f.Sym) > 0 {
		w.KeySym = f.Sym
	} else {
		k, err := crypto.ToECDSA(f.Key)
		if err != nil {
			return nil, nil, err
		}
		w.KeyAsym = k
	}
	id, err := n.Whisper.Subscribe(w)
	if err != nil {
		return nil, nil, err
	}
	retrieve := func() []gethkit.Message { return messages(w.Retrieve()) }
	return retrieve, func() { n.Unsubscribe(id) }, nil
}

func messages(from []*whisper.ReceivedMessage) []gethkit.Message {
	var list []gethkit.Message
	for _, m := range from {
		sig := ""
		if m.Src != nil {
			sig = hex.EncodeToString(crypto.FromECDSAPub(m.Src))
		}
		list = append(list, gethkit.Message{
			Hash: hex.EncodeToString(m.EnvelopeHash.Bytes()), Sig: sig,
			Topic: hex.EncodeToString(m.Topic[:]), Payload: m.Payload,
			PoW: m.PoW, TTL: m.TTL, Sent: m.Sent})
	}
	return list
}

// TopicBloom is the bloom of some topics, as the age computes it.
func (n Node) TopicBloom(topics [][]byte) []byte {
	all := make([]byte, whisper.BloomFilterSize)
	for _, t := range topics {
		for i, b := range whisper.TopicToBloom(whisper.BytesToTopic(t)) {
			all[i] |= b
		}
	}
	return all
}

// PoolCount is how many envelopes the node holds.
func (n Node) PoolCount() int { return len(n.Envelopes()) }
