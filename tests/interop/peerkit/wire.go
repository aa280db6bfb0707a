// SPDX-License-Identifier: MIT

// Package peerkit is the half of an interop peer that has nothing to do with
// Ethereum: the conversation between a peer program and the test runner.
//
// One JSON object a line.  The runner writes commands on the peer's standard
// input, {"id": 7, "cmd": "dial", "enode": "..."}; the peer answers each on its
// standard output, {"id": 7, "ok": true, ...} or {"id": 7, "error": "..."}, and
// between the answers reports what happens by itself, {"event": "peer", ...}.
// A peer ends when its input ends, so a dead runner leaves nothing behind.
package peerkit

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// LineMax is the longest command taken: a 1 MiB payload in hex, and some room.
const LineMax = 4 << 20

// Fields is the body of an answer or of an event.
type Fields map[string]any

// Out writes whole lines; safe for use by many goroutines.
type Out struct {
	mu sync.Mutex
	w  *bufio.Writer
}

// Event reports something that happened without being asked for.
func (o *Out) Event(kind string, f Fields) {
	line := Fields{"event": kind}
	for k, v := range f {
		line[k] = v
	}
	o.line(line)
}

func (o *Out) answer(id int64, f Fields, err error) {
	line := Fields{"id": id}
	if err != nil {
		line["error"] = err.Error()
	} else {
		line["ok"] = true
		for k, v := range f {
			line[k] = v
		}
	}
	o.line(line)
}

func (o *Out) line(f Fields) {
	text, err := json.Marshal(f)
	if err != nil {
		text, _ = json.Marshal(Fields{"event": "broken", "error": err.Error()})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.Write(append(text, '\n'))
	o.w.Flush()
}

// Command is one request of the runner; which fields matter depends on Cmd.
type Command struct {
	ID      int64    `json:"id"`
	Cmd     string   `json:"cmd"`
	Enode   string   `json:"enode"`   // whom to dial, trust, write to
	Key     Bytes    `json:"key"`     // a private key
	Sym     Bytes    `json:"sym"`     // a symmetric key, 32 bytes
	Pub     Bytes    `json:"pub"`     // a public key, 65 bytes
	Sign    Bytes    `json:"sign"`    // the private key to sign with
	Topic   Bytes    `json:"topic"`   // 4 bytes
	Topics  []Bytes  `json:"topics"`  // of a filter or a bloom
	Payload Bytes    `json:"payload"` // of a post
	Padding int      `json:"padding"` // bytes of padding; 0 means up to a multiple of 256
	TTL     uint32   `json:"ttl"`     // seconds
	Work    uint32   `json:"work"`    // seconds that sealing may take
	PoW     float64  `json:"pow"`     // target of a post, minimum of a node or filter
	Count   int      `json:"count"`   // how many envelopes in a burst
	Size    int      `json:"size"`    // bytes of each payload of a burst
	Tag     string   `json:"tag"`     // first bytes of each payload of a burst
	Chunk   int      `json:"chunk"`   // pause after so many of a burst; 0 means never
	Pause   int      `json:"pause"`   // milliseconds of such a pause
	Bloom   Bytes    `json:"bloom"`   // 64 bytes, instead of Topics
	On      bool     `json:"on"`      // light client or not
	Direct  bool     `json:"direct"`  // a filter that also takes direct messages
	Quiet   bool     `json:"quiet"`   // a filter that counts and does not report
	Filter  int      `json:"filter"`  // number of a filter
	Cap     string   `json:"cap"`     // name of a capability
	Caps    []string `json:"caps"`    // name/version/length, for a raw connection
	Code    uint64   `json:"code"`    // message code within a capability
	Data    Bytes    `json:"data"`    // message body
	Reason  int      `json:"reason"`  // of a Disconnect
}

// Bytes travel as hex digits, with or without 0x.
type Bytes []byte

// UnmarshalJSON reads hex digits.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if len(s) >= 2 && s[:2] == "0x" {
		s = s[2:]
	}
	v, err := hex.DecodeString(s)
	*b = v
	return err
}

// MarshalJSON writes hex digits without 0x.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return json.Marshal(hex.EncodeToString(b))
}

// Handler carries out one command.
type Handler func(c *Command) (Fields, error)

// NewOut starts the conversation on standard output.
func NewOut() *Out {
	return &Out{w: bufio.NewWriterSize(os.Stdout, 1<<16)}
}

// Serve reads commands from standard input until "quit" or its end.  Commands
// named in slow run beside the others, each in a goroutine of its own.
func Serve(out *Out, handlers map[string]Handler, slow ...string) {
	isSlow := map[string]bool{}
	for _, s := range slow {
		isSlow[s] = true
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := readLine(in)
		if err != nil {
			return
		}
		var c Command
		if err := json.Unmarshal(line, &c); err != nil {
			out.answer(c.ID, nil, fmt.Errorf("bad command: %v", err))
			continue
		}
		if c.Cmd == "quit" {
			out.answer(c.ID, nil, nil)
			return
		}
		h, ok := handlers[c.Cmd]
		switch {
		case !ok:
			out.answer(c.ID, nil, fmt.Errorf("no such command: %q", c.Cmd))
		case isSlow[c.Cmd]:
			go func() { run(out, h, &c) }()
		default:
			run(out, h, &c)
		}
	}
}

func run(out *Out, h Handler, c *Command) {
	f, err := h(c)
	out.answer(c.ID, f, err)
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > LineMax {
			return nil, fmt.Errorf("line longer than %d bytes", LineMax)
		}
		if err == nil {
			return line, nil
		}
		if err != bufio.ErrBufferFull {
			return nil, io.EOF
		}
	}
}
