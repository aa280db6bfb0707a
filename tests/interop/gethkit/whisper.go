// SPDX-License-Identifier: MIT

package gethkit

import (
	"errors"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/rlp"

	"sotto/interop/peerkit"
)

// How often filters are emptied.
const pollEvery = 50 * time.Millisecond

// Whisper is what an age of go-ethereum (or Status' copy) supplies: thin
// wrappers around its own whisperv6, whose types the ages do not share.
type Whisper interface {
	Protocols() []p2p.Protocol
	Start() error
	Stop() error

	Seal(p *Post) (*Sealed, error)
	Send(e *Sealed) error
	SendDirect(peer []byte, list ...*Sealed) error
	Trust(peer []byte) error

	Subscribe(f *Filter) (retrieve func() []Message, cancel func(), err error)

	SetMinimumPoW(pow float64) error
	SetBloomFilter(bloom []byte) error
	SetLightClientMode(on bool)
	TopicBloom(topics [][]byte) []byte
	PoolCount() int
}

// Post is a message to seal: with Sym to a shared key, else with Pub to its owner.
type Post struct {
	Sym, Pub, Sign, Topic []byte
	Payload, Padding      []byte
	TTL, Work             uint32
	PoW                   float64
}

// Sealed is an envelope, in whatever type the age has for it.
type Sealed struct {
	Envelope any // RLP-encodable
	Hash     string
	PoW      float64
}

// Filter is what a node listens for.
type Filter struct {
	Sym, Key []byte
	Topics   [][]byte
	PoW      float64
	Direct   bool
}

// Message is one that a filter opened.
type Message struct {
	Hash, Sig, Topic string
	Payload          []byte
	PoW              float64
	TTL, Sent        uint32
}

// Peer is a whole Whisper peer: a p2p server and an age's whisperv6.
type Peer struct {
	*Server
	shh Whisper

	mu      sync.Mutex
	filters []*inbox
}

type inbox struct {
	quiet    bool
	retrieve func() []Message
	cancel   func()
	tally    peerkit.Tally
	stopped  chan struct{}
}

// Run is the life of a peer program.
func Run(o *Options, shh Whisper, out *peerkit.Out) error {
	if err := shh.Start(); err != nil {
		return err
	}
	shh.SetLightClientMode(o.Light)
	server, err := Start(o, shh.Protocols(), out)
	if err != nil {
		return err
	}
	p := &Peer{Server: server, shh: shh}
	handlers := server.Handlers()
	for name, h := range map[string]peerkit.Handler{
		"post":      p.post,
		"seal":      p.seal,
		"direct":    p.direct,
		"burst":     p.burst,
		"subscribe": p.subscribe,
		"drop":      p.drop,
		"got":       p.got,
		"trust":     p.trust,
		"pow":       p.pow,
		"bloom":     p.bloom,
		"light":     p.light,
		"pool":      p.pool,
	} {
		handlers[name] = h
	}
	out.Event("ready", peerkit.Fields{"enode": server.URL(), "peer": server.Self().ID().String()})
	peerkit.Serve(out, handlers, "post", "seal", "direct", "burst")
	server.Stop()
	return shh.Stop()
}

func toPost(c *peerkit.Command) *Post {
	work := c.Work
	if work == 0 {
		work = 60
	}
	return &Post{Sym: c.Sym, Pub: c.Pub, Sign: c.Sign, Topic: c.Topic, Payload: c.Payload,
		Padding: make([]byte, c.Padding), TTL: c.TTL, Work: work, PoW: c.PoW}
}

func (p *Peer) post(c *peerkit.Command) (peerkit.Fields, error) {
	e, err := p.shh.Seal(toPost(c))
	if err != nil {
		return nil, err
	}
	return peerkit.Fields{"hash": e.Hash, "pow": e.PoW}, p.shh.Send(e)
}

// seal makes an envelope and hands it out instead of sending it.
func (p *Peer) seal(c *peerkit.Command) (peerkit.Fields, error) {
	e, err := p.shh.Seal(toPost(c))
	if err != nil {
		return nil, err
	}
	text, err := rlp.EncodeToBytes(e.Envelope)
	return peerkit.Fields{"hash": e.Hash, "pow": e.PoW, "rlp": peerkit.Bytes(text)}, err
}

// direct sends to one connected peer only (packet 127): one message, or Count
// of them with payloads as in a burst.
func (p *Peer) direct(c *peerkit.Command) (peerkit.Fields, error) {
	n, err := enode.ParseV4(c.Enode)
	if err != nil {
		return nil, err
	}
	var list []*Sealed
	for i := range max(c.Count, 1) {
		post := toPost(c)
		if c.Count > 0 {
			post.Payload = peerkit.BurstPayload(c.Tag, i, c.Size)
		}
		e, err := p.shh.Seal(post)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	id := n.ID()
	return peerkit.Fields{"hash": list[0].Hash, "pow": list[0].PoW}, p.shh.SendDirect(id[:], list...)
}

// burst seals everything first, then posts without a pause, or with one after
// each chunk: geth puts all that it has for a peer into one packet, and many at
// once would pass the peer's limit.
func (p *Peer) burst(c *peerkit.Command) (peerkit.Fields, error) {
	var tally peerkit.Tally
	sealed := make([]*Sealed, 0, c.Count)
	for i := range c.Count {
		post := toPost(c)
		post.Payload = peerkit.BurstPayload(c.Tag, i, c.Size)
		e, err := p.shh.Seal(post)
		if err != nil {
			return nil, err
		}
		tally.Add(post.Payload)
		sealed = append(sealed, e)
	}
	for i, e := range sealed {
		if err := p.shh.Send(e); err != nil {
			return nil, err
		}
		if c.Chunk > 0 && (i+1)%c.Chunk == 0 {
			time.Sleep(time.Duration(c.Pause) * time.Millisecond)
		}
	}
	return tally.Fields(), nil
}

func (p *Peer) subscribe(c *peerkit.Command) (peerkit.Fields, error) {
	f := &Filter{Sym: c.Sym, Key: c.Key, PoW: c.PoW, Direct: c.Direct}
	for _, t := range c.Topics {
		f.Topics = append(f.Topics, t)
	}
	retrieve, cancel, err := p.shh.Subscribe(f)
	if err != nil {
		return nil, err
	}
	in := &inbox{quiet: c.Quiet, retrieve: retrieve, cancel: cancel, stopped: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filters = append(p.filters, in)
	go p.watch(len(p.filters)-1, in)
	return peerkit.Fields{"filter": len(p.filters) - 1}, nil
}

func (p *Peer) watch(number int, in *inbox) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-in.stopped:
			return
		case <-tick.C:
		}
		for _, m := range in.retrieve() {
			in.tally.Add(m.Payload)
			if in.quiet {
				continue
			}
			p.out.Event("message", peerkit.Fields{
				"filter": number, "hash": m.Hash, "sig": m.Sig, "topic": m.Topic,
				"size": len(m.Payload), "digest": peerkit.Digest(m.Payload),
				"pow": m.PoW, "ttl": m.TTL, "sent": m.Sent})
		}
	}
}

func (p *Peer) inbox(number int) (*inbox, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if number < 0 || number >= len(p.filters) {
		return nil, errors.New("no such filter")
	}
	return p.filters[number], nil
}

func (p *Peer) drop(c *peerkit.Command) (peerkit.Fields, error) {
	in, err := p.inbox(c.Filter)
	if err == nil {
		in.cancel()
		close(in.stopped)
	}
	return nil, err
}

func (p *Peer) got(c *peerkit.Command) (peerkit.Fields, error) {
	in, err := p.inbox(c.Filter)
	if err != nil {
		return nil, err
	}
	return in.tally.Fields(), nil
}

func (p *Peer) trust(c *peerkit.Command) (peerkit.Fields, error) {
	n, err := enode.ParseV4(c.Enode)
	if err != nil {
		return nil, err
	}
	id := n.ID()
	return nil, p.shh.Trust(id[:])
}

func (p *Peer) pow(c *peerkit.Command) (peerkit.Fields, error) {
	return nil, p.shh.SetMinimumPoW(c.PoW)
}

func (p *Peer) bloom(c *peerkit.Command) (peerkit.Fields, error) {
	b := []byte(c.Bloom)
	if len(b) == 0 {
		topics := [][]byte{}
		for _, t := range c.Topics {
			topics = append(topics, t)
		}
		b = p.shh.TopicBloom(topics)
	}
	return peerkit.Fields{"bloom": peerkit.Bytes(b)}, p.shh.SetBloomFilter(b)
}

func (p *Peer) light(c *peerkit.Command) (peerkit.Fields, error) {
	p.shh.SetLightClientMode(c.On)
	return nil, nil
}

func (p *Peer) pool(*peerkit.Command) (peerkit.Fields, error) {
	return peerkit.Fields{"count": p.shh.PoolCount()}, nil
}
