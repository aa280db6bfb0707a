// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settle lets a chain of nodes connect, and expire a pool of envelopes that
// live 3 s die.
func settle() { time.Sleep(2 * time.Second) }
func expire() { time.Sleep(4 * time.Second) }

// freePort is one that nobody listens on just now.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// firstAccept starts a node and knocks until it is let in.
func firstAccept(b *bench, who *subject) (result, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	accepted := make(chan time.Time, 1)
	quit := make(chan struct{})
	go knock(port, accepted, quit)
	n, err := who.start(b.dir, port)
	if err != nil {
		close(quit)
		return nil, err
	}
	defer n.stop()
	at := <-accepted
	time.Sleep(time.Second)
	return result{
		"accept_ms": float64(at.Sub(n.begun).Microseconds()) / 1e3,
		"rss":       memory(n.pid()),
		"size":      stripped(b, who.program),
	}, nil
}

func knock(port int, accepted chan<- time.Time, quit <-chan struct{}) {
	for {
		c, err := net.Dial("tcp4", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			accepted <- time.Now()
			c.Close()
			return
		}
		select {
		case <-quit:
			return
		case <-time.After(200 * time.Microsecond):
		}
	}
}

// memory is a process's resident set in bytes.
func memory(pid int) float64 {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			return kb * 1024
		}
	}
	return math.NaN()
}

// stripped is the size of a program without its symbols.
func stripped(b *bench, program string) float64 {
	copy := b.dir + "/stripped"
	if err := exec.Command("strip", "-o", copy, program).Run(); err != nil {
		return math.NaN()
	}
	defer os.Remove(copy)
	info, err := os.Stat(copy)
	if err != nil {
		return math.NaN()
	}
	return float64(info.Size())
}

// calls counts the system calls of a node under single-envelope frames, with
// perf where it may be used.
func calls(b *bench, who *subject) (result, error) {
	n, err := who.start(b.dir, 0)
	if err != nil {
		return nil, err
	}
	defer n.stop()
	var text bytes.Buffer
	perf := exec.Command("perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", strconv.Itoa(n.pid()))
	perf.Stderr = &text
	perf.SysProcAttr = childAttributes()
	usable := perf.Start() == nil
	time.Sleep(300 * time.Millisecond)
	r, err := b.load(n, "--count", "20000", "--batch", "1")
	if usable {
		perf.Process.Signal(syscall.SIGINT)
		perf.Wait()
	}
	if err != nil {
		return nil, err
	}
	r["calls"] = math.NaN()
	for line := range strings.Lines(text.String()) {
		field, _, _ := strings.Cut(line, ",")
		if v, err := strconv.ParseFloat(field, 64); err == nil && strings.Contains(line, "sys_enter") {
			r["calls"] = v / r.number("count")
		}
	}
	return r, nil
}

// Sizes of the messages that cross a bare RLPx connection.
var frameSizes = []int{1024, 16384, 1<<20 - 1024}

func frameField(size int) string { return fmt.Sprintf("frame_%d", size) }

// frames is the CPU of both ends of a connection over TCP: ours as make bench
// measures it.
func frames(b *bench, who *subject) (result, error) {
	r := result{}
	if who.name == "sotto" {
		last := b.dir + "/frames"
		if text, err := exec.Command(filepath.Join(b.out, "bench"), "--last", last, "tcp").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v\n%s", err, text)
		}
		text, err := os.ReadFile(last)
		if err != nil {
			return nil, err
		}
		defer os.Remove(last)
		for _, size := range frameSizes {
			_, rest, _ := strings.Cut(string(text), fmt.Sprintf("tcp/both ends %d B\t", size))
			number, _, _ := strings.Cut(rest, "\n")
			if r[frameField(size)], err = strconv.ParseFloat(number, 64); err != nil {
				return nil, err
			}
		}
		return r, nil
	}
	for _, size := range frameSizes {
		text, err := exec.Command(b.frames, strconv.Itoa(size)).Output()
		if err != nil {
			return nil, err
		}
		var same, ns float64
		if _, err := fmt.Sscan(string(text), &same, &ns); err != nil {
			return nil, err
		}
		r[frameField(size)] = ns / 1e3
	}
	return r, nil
}

func starts() []*scenario {
	return []*scenario{{
		name:   "frames",
		about:  "messages over one RLPx connection, TCP and Snappy, the CPU of both ends",
		rounds: 2,
		run:    frames,
		figures: []figure{
			{name: "1 KiB", unit: "us", value: plain(frameField(frameSizes[0])), ratio: 3},
			{name: "16 KiB", unit: "us", value: plain(frameField(frameSizes[1])), ratio: 3},
			{name: "1 MiB", unit: "us", value: plain(frameField(frameSizes[2])), ratio: 2.5},
		},
	}, {
		name:   "start",
		about:  "from exec to the first accepted connection, an empty data folder",
		rounds: 9,
		run:    firstAccept,
		figures: []figure{
			{name: "first accepted connection", unit: "ms", value: plain("accept_ms"), limit: 10},
			{name: "memory after 1 s", unit: "B", value: plain("rss"), limit: 8 << 20},
			{name: "program, stripped", unit: "B", value: plain("size"), limit: 1500000},
		},
	}, {
		name:   "calls",
		about:  "20000 frames of one envelope, as fast as it goes",
		rounds: 2,
		run:    calls,
		figures: []figure{
			{name: "system calls per frame", unit: "", value: plain("calls"), limit: 1.2},
		},
	}}
}
