// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// patience is how long anything may take that ought to happen: it only bounds
// a failure, no test passes or fails by the clock.
const patience = 60 * time.Second

// scenario is one test.
type scenario struct {
	name  string
	needs []string // what must have been built: geth18, js, ...
	kind  kind
	play  func(t *T)
}

type kind int

const (
	light  kind = iota // mostly waits; several run side by side
	heavy              // keeps the processor busy; one at a time
	alone              // measures; nothing else starts beside it
	backer             // long and light; runs beside everything
)

// T is a running test, much as testing.T.
type T struct {
	*suite
	name     string
	dir      string // for its files; removed when it passed
	mu       sync.Mutex
	failed   bool
	skipped  string
	log      []string
	children []*process
	cleanups []func()
}

type suite struct {
	source, out string
	traffic     time.Duration
	ci          bool
	standIn     string // kind of peer to put in the place of sotto; "" for sotto
	built       map[string]*built

	mu                      sync.Mutex
	passed, failed, skipped int
}

func (t *T) logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log = append(t.log, fmt.Sprintf(format, args...))
}

// fatalf fails the test and leaves it.
func (t *T) fatalf(format string, args ...any) {
	_, file, line, _ := runtime.Caller(1)
	t.fail(file, line, fmt.Sprintf(format, args...))
}

func (t *T) fail(file string, line int, text string) {
	t.logf("%s:%d: %s", filepath.Base(file), line, text)
	t.mu.Lock()
	t.failed = true
	t.mu.Unlock()
	runtime.Goexit()
}

// check fails the test if there is an error; it names the caller's line.
func (t *T) check(err error, format string, args ...any) {
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		t.fail(file, line, fmt.Sprintf(format, args...)+": "+err.Error())
	}
}

// skip leaves the test undone and says why.
func (t *T) skip(why string) {
	t.mu.Lock()
	t.skipped = why
	t.mu.Unlock()
	runtime.Goexit()
}

// until waits for something that is asked for rather than reported.
func (t *T) until(what string, done func() bool) {
	end := time.Now().Add(patience)
	for !done() {
		if time.Now().After(end) {
			_, file, line, _ := runtime.Caller(1)
			t.fail(file, line, "not within "+patience.String()+": "+what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (t *T) keep(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.children = append(t.children, p)
}

// play runs one scenario to its end and prints its line.
func (s *suite) play(sc scenario) {
	t := &T{suite: s, name: sc.name}
	begin := time.Now()
	dir, err := os.MkdirTemp("", "sotto-interop-")
	if err == nil {
		t.dir = dir
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			sc.play(t)
		}()
		<-finished
	} else {
		t.failed, t.log = true, []string{err.Error()}
	}
	t.tidy()
	s.verdict(t, time.Since(begin))
}

func (t *T) tidy() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
	var all sync.WaitGroup
	for _, p := range t.children {
		all.Add(1)
		go func() { defer all.Done(); p.stop() }()
	}
	all.Wait()
	if t.failed {
		for _, p := range t.children {
			t.log = append(t.log, p.report())
		}
	}
	if t.dir != "" {
		os.RemoveAll(t.dir)
	}
}

func (s *suite) verdict(t *T, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seconds := fmt.Sprintf("%.1f s", took.Seconds())
	switch {
	case t.failed:
		s.failed++
		fmt.Printf("FAIL  %s (%s)\n%s\n", t.name, seconds, indent(strings.Join(t.log, "\n")))
	case t.skipped != "":
		s.skipped++
		fmt.Printf("SKIPPED  %s: %s\n", t.name, t.skipped)
	default:
		s.passed++
		note := ""
		if len(t.log) > 0 {
			note = ": " + strings.Join(t.log, "; ")
		}
		fmt.Printf("ok    %s (%s)%s\n", t.name, seconds, note)
	}
}

func indent(text string) string {
	return "      " + strings.ReplaceAll(text, "\n", "\n      ")
}

// run plays everything: backers at once, light ones a few at a time, heavy
// ones one at a time beside them, and last, one by one, those that measure.
func (s *suite) run(list []scenario) {
	var backers, crowd sync.WaitGroup
	slots, heavySlot := make(chan struct{}, 4), make(chan struct{}, 1)
	for _, sc := range list {
		group, slot := &crowd, slots
		switch sc.kind {
		case alone:
			continue
		case heavy:
			slot = heavySlot
		case backer:
			group, slot = &backers, make(chan struct{}, 1)
		}
		group.Add(1)
		go func() {
			defer group.Done()
			if !s.ready(sc) {
				return
			}
			slot <- struct{}{}
			defer func() { <-slot }()
			s.play(sc)
		}()
	}
	crowd.Wait()
	for _, sc := range list {
		if sc.kind == alone && s.ready(sc) {
			s.play(sc)
		}
	}
	backers.Wait()
}

// ready waits for what a scenario needs; false, and counted, if it cannot be had.
func (s *suite) ready(sc scenario) bool {
	for _, name := range sc.needs {
		b := s.built[name]
		<-b.done
		if b.err == nil && b.missing == "" {
			continue
		}
		t := &T{suite: s, name: sc.name, skipped: b.missing}
		if b.err != nil || s.ci {
			t.failed = true
			t.log = []string{fmt.Sprintf("%s could not be built: %s%v", name, b.missing, errText(b.err))}
		}
		s.verdict(t, 0)
		return false
	}
	return true
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
