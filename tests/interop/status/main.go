// SPDX-License-Identifier: MIT

// Command status is a Whisper peer made of Status' whisper 1.6.2.  Beside what
// every peer here does it reports the confirmations (packets 11 and 12) that
// others send for its batches.
package main

import (
	"encoding/hex"
	"fmt"
	"log"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
	whisper "github.com/status-im/whisper/whisperv6"

	"sotto/interop/gethkit"
	"sotto/interop/gethkit/log15"
	"sotto/interop/peerkit"
)

func main() {
	o, err := gethkit.Flags("Statusim/v0.36-interop", log15.Watch)
	if err != nil {
		log.Fatal(err)
	}
	out := peerkit.NewOut()
	n := node{whisper.New(&whisper.Config{
		MaxMessageSize:     uint32(o.MaxSize),
		MinimumAcceptedPOW: o.PoW,
	})}
	events := make(chan whisper.EnvelopeEvent, 1<<16)
	n.SubscribeEnvelopeEvents(events)
	go report(events, out)
	if err := gethkit.Run(o, n, out); err != nil {
		log.Fatal(err)
	}
}

// A batch is acknowledged twice: packet 11 names it, packet 12 also lists the
// envelopes that were refused.  Both carry the hash of the packet that we sent.
func report(events <-chan whisper.EnvelopeEvent, out *peerkit.Out) {
	for e := range events {
		if e.Event != whisper.EventBatchAcknowledged &&
			!(e.Event == whisper.EventEnvelopeSent && e.Batch != [32]byte{}) {
			continue
		}
		refused := []string{}
		list, listed := e.Data.([]whisper.EnvelopeError)
		for _, r := range list {
			refused = append(refused, fmt.Sprintf("%x %d %s", r.Hash, r.Code, r.Description))
		}
		kind := "acknowledged"
		if e.Event == whisper.EventEnvelopeSent {
			kind = "sent"
		}
		out.Event(kind, peerkit.Fields{
			"peer": e.Peer.String(), "batch": hex.EncodeToString(e.Batch[:]),
			"hash": hex.EncodeToString(e.Hash[:]), "listed": listed, "refused": refused})
	}
}

type node struct{ *whisper.Whisper }

func (n node) Start() error {
	n.SetTimeSource(time.Now)
	return n.Whisper.Start(nil)
}

func (n node) Protocols() []p2p.Protocol { return n.Whisper.Protocols() }

func (n node) Seal(p *gethkit.Post) (*gethkit.Sealed, error) {
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
	e, err := m.Wrap(params, time.Now())
	if err != nil {
		return nil, err
	}
	return &gethkit.Sealed{Envelope: e, Hash: hex.EncodeToString(e.Hash().Bytes()), PoW: e.PoW()}, nil
}

func (n node) Send(e *gethkit.Sealed) error {
	return n.Whisper.Send(e.Envelope.(*whisper.Envelope))
}

// Several go as one packet with a list, which only Status does.
func (n node) SendDirect(peer []byte, list ...*gethkit.Sealed) error {
	var envelopes []*whisper.Envelope
	for _, e := range list {
		envelopes = append(envelopes, e.Envelope.(*whisper.Envelope))
	}
	return n.SendP2PMessage(peer, envelopes...)
}

func (n node) Trust(peer []byte) error { return n.AllowP2PMessagesFromPeer(peer) }

func (n node) Subscribe(f *gethkit.Filter) (func() []gethkit.Message, func(), error) {
	w := &whisper.Filter{Topics: f.Topics, PoW: f.PoW, AllowP2P: f.Direct,
		Messages: whisper.NewMemoryMessageStore()}
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

func (n node) TopicBloom(topics [][]byte) []byte {
	all := make([]byte, whisper.BloomFilterSize)
	for _, t := range topics {
		for i, b := range whisper.TopicToBloom(whisper.BytesToTopic(t)) {
			all[i] |= b
		}
	}
	return all
}

func (n node) PoolCount() int { return len(n.Envelopes()) }
