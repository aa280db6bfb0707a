// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How long a node may take to start, and to leave.
const patience = 10 * time.Second

// A subject is a kind of node under test.
type subject struct {
	name    string
	program string
	args    func(dir string, port int, dial []string) []string
	enode   func(line string) string // from a line of its output; "" if not there
}

// A tiny minimum, so that no envelope needs work; checking it costs the same.
const pow = "0.000000001"

func geth18(program string) *subject {
	return &subject{
		name:    "geth",
		program: program,
		args: func(_ string, port int, _ []string) []string {
			return []string{"-lean", "-pow", pow, "-maxpeers", "1000", "-port", strconv.Itoa(port)}
		},
		enode: func(line string) string {
			var ready struct{ Event, Enode string }
			if json.Unmarshal([]byte(line), &ready) != nil || ready.Event != "ready" {
				return ""
			}
			return ready.Enode
		},
	}
}

func sotto(program string) *subject {
	return &subject{
		name:    "sotto",
		program: program,
		args: func(dir string, port int, dial []string) []string {
			args := []string{"node", "--datadir", dir, "--addr", "127.0.0.1", "--port", strconv.Itoa(port),
				"--shh.pow", pow, "--shh.pace", "0", "--maxpeers", "1000", "--verbosity", "1",
				"--shh.pool.bytes", "500000000", "--shh.pool.count", "1000000"}
			if len(dial) > 0 {
				args = append(args, "--peers", strings.Join(dial, ","))
			}
			return args
		},
		enode: func(line string) string {
			_, url, _ := strings.Cut(line, "enode: ")
			return strings.TrimSpace(url)
		},
	}
}

// A node is one running subject.
type node struct {
	*subject
	cmd   *exec.Cmd
	in    io.WriteCloser
	url   string
	done  chan struct{}
	begun time.Time
}

// start runs a node and waits until it has said where it listens.  It dials
// the nodes named.
func (s *subject) start(dir string, port int, dial ...string) (*node, error) {
	n := &node{subject: s, done: make(chan struct{})}
	data, err := os.MkdirTemp(dir, s.name)
	if err != nil {
		return nil, err
	}
	n.cmd = exec.Command(s.program, s.args(data, port, dial)...)
	n.cmd.Dir = data
	n.cmd.SysProcAttr = childAttributes()
	n.cmd.Stderr = io.Discard
	if n.in, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.begun = time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	urls := make(chan string, 1)
	go n.listen(out, urls)
	select {
	case n.url = <-urls:
	case <-n.done:
		return nil, fmt.Errorf("%s ended at once", s.name)
	case <-time.After(patience):
		n.stop()
		return nil, fmt.Errorf("%s does not say where it listens", s.name)
	}
	if s.name == "geth" {
		for i, url := range dial {
			fmt.Fprintf(n.in, "{\"id\":%d,\"cmd\":\"dial\",\"enode\":%q}\n", i+1, url)
		}
	}
	return n, nil
}

// listen reads all that the node prints, so that it never waits for us.
func (n *node) listen(out io.Reader, urls chan<- string) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<22)
	for found := false; lines.Scan(); {
		if url := n.enode(lines.Text()); url != "" && !found {
			found = true
			urls <- url
		}
	}
	n.cmd.Wait()
	close(n.done)
}

// stop ends a node: asked first, then forced, by its own process id.
func (n *node) stop() {
	n.in.Close()
	for _, how := range []os.Signal{syscall.SIGTERM, os.Kill} {
		n.cmd.Process.Signal(how)
		select {
		case <-n.done:
			return
		case <-time.After(patience / 2):
		}
	}
}

func (n *node) pid() int { return n.cmd.Process.Pid }

// A result is the line that the load generator prints.
type result map[string]any

func (r result) number(name string) float64 { v, _ := r[name].(float64); return v }
func (r result) text(name string) string    { s, _ := r[name].(string); return s }

// load runs the generator against a node.
func (b *bench) load(n *node, args ...string) (result, error) {
	all := append([]string{"--enode", n.url, "--pid", strconv.Itoa(n.pid()), "--name", n.name}, args...)
	cmd := exec.Command(filepath.Join(b.out, "load"), all...)
	cmd.SysProcAttr = childAttributes()
	var trouble strings.Builder
	cmd.Stderr = &trouble
	text, err := cmd.Output()
	if err != nil {
		return nil, errors.New(strings.TrimSpace(trouble.String()) + " " + err.Error())
	}
	r := result{}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	if b.record != nil {
		b.record.Write(text)
	}
	return r, nil
}
