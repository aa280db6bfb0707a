// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Node is what stands between the peers: sotto, or with -standin a stock peer
// in its place, which shows that the suite asks nothing that is not usual.
type Node struct {
	*process
	t    *T
	url  string
	peer *Peer // the stand-in
}

// settings of a node; zero means the default.
type settings struct {
	pow         string
	maxSize     int
	maxPeers    int
	pace        int      // bytes a second towards each peer
	pool        int      // envelopes
	key         string   // hex digits
	peers       []string // enode URLs to dial
	more        []string // other options
	standInKind string
}

func (s settings) options() []string {
	var o []string
	number := func(name string, n int) {
		if n != 0 {
			o = append(o, name, strconv.Itoa(n))
		}
	}
	if s.pow != "" {
		o = append(o, "--shh.pow", s.pow)
	}
	number("--shh.maxmessagesize", s.maxSize)
	number("--maxpeers", s.maxPeers)
	number("--shh.pace", s.pace)
	number("--shh.pool.count", s.pool)
	if s.key != "" {
		o = append(o, "--nodekeyhex", s.key)
	}
	if len(s.peers) > 0 {
		o = append(o, "--peers", strings.Join(s.peers, ","))
	}
	return append(o, s.more...)
}

func (s settings) standIn() []string {
	var o []string
	if s.pow != "" {
		o = append(o, "-pow", s.pow)
	}
	if s.maxSize != 0 {
		o = append(o, "-maxsize", strconv.Itoa(s.maxSize))
	}
	if s.key != "" {
		o = append(o, "-key", s.key)
	}
	return o
}

// node starts `sotto node` and waits until it accepts connections.
func (t *T) node(s settings) *Node {
	if t.standIn != "" {
		return t.standInNode(s)
	}
	args := append([]string{"node", "--datadir", filepath.Join(t.dir, "sotto-"+randomHex(4)),
		"--addr", "127.0.0.1", "--port", "0", "--verbosity", "4", "--log.format", "text"}, s.options()...)
	proc, err := startProcess("sotto", t.dir, t.sottoPath(), args...)
	t.check(err, "start sotto node")
	proc.deaf = true
	t.keep(proc)
	n := &Node{process: proc, t: t}
	err = proc.await(patience, func() bool {
		for _, l := range proc.lines {
			if _, url, ok := strings.Cut(l, "enode: "); ok {
				n.url = strings.TrimSpace(url)
				return true
			}
		}
		return false
	})
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		t.fail(file, line, "sotto node printed no enode: "+err.Error())
	}
	return n
}

func (t *T) standInNode(s settings) *Node {
	kind := t.standIn
	if s.standInKind != "" {
		kind = s.standInKind
	}
	p := t.peer(kind, s.standIn()...)
	for _, url := range s.peers {
		p.do("dial", Object{"enode": url})
	}
	return &Node{process: p.process, t: t, url: p.enode, peer: p}
}

// sottoOnly skips what no stock peer can do in sotto's place.
func (t *T) sottoOnly() {
	if t.standIn != "" {
		t.skip("only sotto can")
	}
}

// quit asks a node to leave and expects it to do so in good order.
func (n *Node) quit() {
	if n.peer != nil {
		n.stop()
		return
	}
	n.cmd.Process.Signal(syscall.SIGTERM)
	code, err := n.wait(patience)
	n.t.check(err, "sotto node after SIGTERM")
	if code != 0 {
		n.t.fatalf("sotto node left with %d after SIGTERM", code)
	}
}

// running fails the test if the node has ended.
func (n *Node) running() {
	select {
	case <-n.done:
		_, file, line, _ := runtime.Caller(1)
		n.t.fail(file, line, "sotto has ended by itself")
	default:
	}
}

// outcome of a command that ends by itself.
type outcome struct {
	code           int
	stdout, stderr string
}

// sotto runs a command to its end.
func (t *T) sotto(stdin []byte, args ...string) outcome {
	cmd := exec.Command(t.sottoPath(), args...)
	cmd.Dir = t.dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.SysProcAttr = childAttributes()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	t.check(cmd.Start(), "sotto %s", args[0])
	late := time.AfterFunc(2*patience, func() { cmd.Process.Kill() })
	cmd.Wait()
	if !late.Stop() {
		t.fatalf("sotto %s did not end\n%s", strings.Join(args, " "), stderr.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must is sotto for commands that have to succeed.
func (t *T) must(stdin []byte, args ...string) string {
	o := t.sotto(stdin, args...)
	if o.code != 0 {
		_, file, line, _ := runtime.Caller(1)
		t.fail(file, line, "sotto "+strings.Join(args, " ")+" left with "+strconv.Itoa(o.code)+"\n"+o.stderr)
	}
	return o.stdout
}

// Heard is a message as `sotto listen --json` prints it.
type Heard struct {
	Hash, Payload, Topic, Sig string
	Timestamp, TTL            int64
	PoW                       float64
}

// bytes is the payload, which goes out as hex digits.
func (h Heard) bytes() []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(h.Payload, "0x"))
	if err != nil {
		return nil
	}
	return b
}

// listening is a running `sotto listen`.
type listening struct {
	*process
	t *T
}

func (t *T) listen(args ...string) *listening {
	all := append([]string{"listen", "--json", "--timeout", "300"}, args...)
	proc, err := startProcess("sotto listen", t.dir, t.sottoPath(), all...)
	t.check(err, "start sotto listen")
	proc.deaf = true
	t.keep(proc)
	return &listening{proc, t}
}

// all waits until it has left by itself with 0, and returns what it printed.
func (l *listening) all() []Heard {
	code, err := l.wait(5 * patience)
	l.t.check(err, "sotto listen")
	if code != 0 {
		_, file, line, _ := runtime.Caller(1)
		l.t.fail(file, line, "sotto listen left with "+strconv.Itoa(code))
	}
	var list []Heard
	for _, e := range l.events {
		var h Heard
		text, _ := json.Marshal(e)
		l.t.check(json.Unmarshal(text, &h), "line of sotto listen %s", e)
		list = append(list, h)
	}
	return list
}

// keyFile writes a private key as `--sign` and `--key` take it.
func (t *T) keyFile(key string) string {
	path := filepath.Join(t.dir, "key-"+randomHex(4))
	t.check(os.WriteFile(path, []byte(key+"\n"), 0o600), "key file")
	return path
}
