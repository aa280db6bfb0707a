// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// built is one thing that scenarios need, and whether it is there yet.
type built struct {
	done    chan struct{} // closed when it is decided
	missing string        // why it cannot be had here, when that is no error
	err     error
}

// Things to build, in this order: what most scenarios need comes first, the
// tool that takes minutes last.
var goPrograms = []struct{ name, folder, target string }{
	{"geth19", "geth19", "."},
	{"geth18", "geth18", "."},
	{"status", "status", "."},
	{"today", "today", "."},
	{"devp2p", "today", "github.com/ethereum/go-ethereum/cmd/devp2p"},
}

// build starts making everything that the scenarios of the list need.
func (s *suite) build(list []scenario) {
	wanted := map[string]bool{}
	for _, sc := range list {
		for _, n := range sc.needs {
			wanted[n] = true
		}
	}
	s.built = map[string]*built{}
	for _, n := range []string{"geth18", "geth19", "status", "today", "devp2p", "js", "sotto", "nodectl", "parity"} {
		s.built[n] = &built{done: make(chan struct{})}
	}
	for name, path := range map[string]string{"sotto": s.sottoPath(), "nodectl": s.nodectlPath(), "parity": s.parityPath()} {
		b := s.built[name]
		if _, err := os.Stat(path); err != nil && s.standIn == "" {
			b.err = fmt.Errorf("%w (make builds it)", err)
		}
		close(b.done)
	}
	go s.buildJS(wanted["js"])
	go func() {
		for _, g := range goPrograms {
			if b := s.built[g.name]; wanted[g.name] {
				b.err = s.buildGo(g.name, g.folder, g.target)
				close(b.done)
			}
		}
	}()
}

func (s *suite) sottoPath() string   { return filepath.Join(s.out, "sotto") }
func (s *suite) nodectlPath() string { return filepath.Join(s.out, "tests", "nodectl") }
func (s *suite) parityPath() string  { return filepath.Join(s.out, "tests", "parity") }
func (s *suite) peerPath(name string) string {
	return filepath.Join(s.out, "interop", name)
}

func (s *suite) buildGo(name, folder, target string) error {
	begin := time.Now()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", s.peerPath(name), target)
	cmd.Dir = filepath.Join(s.source, folder)
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%v\n%s", err, text)
	}
	if took := time.Since(begin); took > 5*time.Second {
		fmt.Printf("built %s (%.0f s)\n", name, took.Seconds())
	}
	return nil
}

// buildJS installs what package-lock.json names, beside a copy of the peer.
func (s *suite) buildJS(wanted bool) {
	b := s.built["js"]
	defer close(b.done)
	if !wanted {
		return
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			b.missing = program + " is not installed"
			return
		}
	}
	dir := s.peerPath("js")
	if b.err = os.MkdirAll(dir, 0o755); b.err != nil {
		return
	}
	fresh := true
	for _, name := range []string{"package.json", "package-lock.json", "peer.js"} {
		text, err := os.ReadFile(filepath.Join(s.source, "js", name))
		if err != nil {
			b.err = err
			return
		}
		there, _ := os.ReadFile(filepath.Join(dir, name))
		fresh = fresh && (name == "peer.js" || string(there) == string(text))
		if b.err = os.WriteFile(filepath.Join(dir, name), text, 0o644); b.err != nil {
			return
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil && fresh {
		return
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		b.err = fmt.Errorf("npm ci: %v\n%s", err, strings.TrimSpace(string(text)))
	}
}
