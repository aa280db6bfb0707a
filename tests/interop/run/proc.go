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
	"strings"
	"sync"
	"time"
)

// Object is one JSON line of a peer.
type Object map[string]any

func (o Object) text(name string) string { s, _ := o[name].(string); return s }

func (o Object) number(name string) float64 { n, _ := o[name].(float64); return n }

func (o Object) truth(name string) bool { b, _ := o[name].(bool); return b }

func (o Object) String() string {
	text, _ := json.Marshal(o)
	if len(text) > 600 {
		text = append(text[:600], "..."...)
	}
	return string(text)
}

// process is a child that talks in lines on its standard output.
type process struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // closed when the child has ended and everything is read
	deaf bool          // it does not read its input: only a signal ends it

	mu      sync.Mutex
	changed *sync.Cond
	lines   []string // standard output, other than JSON objects
	events  []Object // standard output, JSON objects that answer nothing
	answers map[int64]Object
	stderr  []string // standard error, the last of it
	err     error    // how it ended
	ended   bool
}

// How much of a child's standard error is kept for a failure's report.
const stderrLines = 200

func startProcess(name, dir, path string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{}),
		answers: map[int64]Object{}}
	p.changed = sync.NewCond(&p.mu)
	p.cmd.Dir = dir
	p.cmd.SysProcAttr = childAttributes()
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	trouble, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var readers sync.WaitGroup
	readers.Add(2)
	go func() { defer readers.Done(); eachLine(stdout, p.takeLine) }()
	go func() { defer readers.Done(); eachLine(trouble, p.takeError) }()
	go func() {
		readers.Wait()
		err := p.cmd.Wait()
		p.mu.Lock()
		p.err, p.ended = err, true
		p.changed.Broadcast()
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

func eachLine(r io.Reader, take func(string)) {
	b := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := b.ReadString('\n')
		if line != "" {
			take(strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			return
		}
	}
}

func (p *process) takeLine(line string) {
	var o Object
	isObject := strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &o) == nil
	p.mu.Lock()
	defer p.mu.Unlock()
	id, answers := o["id"].(float64)
	switch {
	case !isObject:
		p.lines = append(p.lines, line)
	case answers && o["event"] == nil:
		p.answers[int64(id)] = o
	default:
		p.events = append(p.events, o)
	}
	p.changed.Broadcast()
}

func (p *process) takeError(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stderr = append(p.stderr, line)
	if len(p.stderr) > stderrLines {
		p.stderr = p.stderr[1:]
	}
	p.changed.Broadcast()
}

func (p *process) send(line string) error {
	_, err := io.WriteString(p.in, line+"\n")
	return err
}

// await blocks until check is true, the child has ended or time is up.
func (p *process) await(patience time.Duration, check func() bool) error {
	late := time.AfterFunc(patience, func() {
		p.mu.Lock()
		p.changed.Broadcast()
		p.mu.Unlock()
	})
	defer late.Stop()
	end := time.Now().Add(patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !check() {
		if p.ended {
			return fmt.Errorf("%s has ended: %v", p.name, p.err)
		}
		if !time.Now().Before(end) {
			return errors.New("nothing within " + patience.String())
		}
		p.changed.Wait()
	}
	return nil
}

// event waits for a report of that kind for which ok is true (nil: any).
func (p *process) event(kind string, ok func(Object) bool) (Object, error) {
	var found Object
	err := p.await(patience, func() bool {
		for _, e := range p.events {
			if e.text("event") == kind && (ok == nil || ok(e)) {
				found = e
				return true
			}
		}
		return false
	})
	return found, err
}

// all is every report of that kind so far.
func (p *process) all(kind string) []Object {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Object
	for _, e := range p.events {
		if e.text("event") == kind {
			list = append(list, e)
		}
	}
	return list
}

// stop lets the child end by itself (its input is closed), then ends it.
func (p *process) stop() {
	p.in.Close()
	for _, how := range []os.Signal{nil, os.Interrupt, os.Kill} {
		if how == nil && p.deaf {
			continue
		}
		if how != nil {
			p.cmd.Process.Signal(how)
		}
		select {
		case <-p.done:
			return
		case <-time.After(5 * time.Second):
		}
	}
}

// wait blocks until the child has ended and tells its exit code.
func (p *process) wait(patience time.Duration) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return -1, fmt.Errorf("%s still runs after %v", p.name, patience)
	}
}

// report is what a failure shows of this child.
func (p *process) report() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s: %s\n", p.name, strings.Join(p.cmd.Args, " "))
	tail(&b, p.lines, 10)
	events := []string{}
	for _, e := range p.events {
		events = append(events, e.String())
	}
	tail(&b, events, 15)
	tail(&b, p.stderr, 40)
	return b.String()
}

func tail(b *strings.Builder, lines []string, n int) {
	if len(lines) > n {
		fmt.Fprintf(b, "    (%d lines before)\n", len(lines)-n)
		lines = lines[len(lines)-n:]
	}
	for _, l := range lines {
		if len(l) > 700 {
			l = l[:700] + "..."
		}
		fmt.Fprintf(b, "    %s\n", l)
	}
}
