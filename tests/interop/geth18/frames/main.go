// SPDX-License-Identifier: MIT

// Command frames measures what a message costs over go-ethereum 1.8.27's RLPx:
// two servers of this process, one TCP connection on loopback between them, one
// sends and the other throws away.  For each size that is asked for it prints
// the CPU time of both ends together.
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/p2p"
)

const volume = 64 << 20 // bytes sent of each size, at most messages of them

const (
	messages = 20000
	warmUp   = 10 // one part in so many is sent before the clock starts
)

// link is a connection whose one end sends what it is told.
type link struct {
	sizes chan int
	taken chan struct{} // one for each message that arrived
}

func (l *link) send(_ *p2p.Peer, rw p2p.MsgReadWriter) error {
	for size := range l.sizes {
		data := make([]byte, size)
		rand.Read(data)
		for range count(size) + count(size)/warmUp {
			err := rw.WriteMsg(p2p.Msg{Size: uint32(size), Payload: bytes.NewReader(data)})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *link) take(_ *p2p.Peer, rw p2p.MsgReadWriter) error {
	for {
		msg, err := rw.ReadMsg()
		if err != nil {
			return err
		}
		if err := msg.Discard(); err != nil {
			return err
		}
		l.taken <- struct{}{}
	}
}

func count(size int) int { return max(warmUp, min(messages, volume/size)) }

func server(run func(*p2p.Peer, p2p.MsgReadWriter) error) *p2p.Server {
	key, err := crypto.GenerateKey()
	if err != nil {
		log.Fatal(err)
	}
	s := &p2p.Server{Config: p2p.Config{
		PrivateKey:  key,
		MaxPeers:    2,
		NoDiscovery: true,
		Name:        "frames",
		ListenAddr:  "127.0.0.1:0",
		Protocols:   []p2p.Protocol{{Name: "frames", Version: 1, Length: 1, Run: run}},
	}}
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
	return s
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (l *link) measure(size int) time.Duration {
	l.sizes <- size
	for range count(size) / warmUp {
		<-l.taken
	}
	before := cpu()
	for range count(size) {
		<-l.taken
	}
	return (cpu() - before) / time.Duration(count(size))
}

func main() {
	l := &link{sizes: make(chan int), taken: make(chan struct{}, messages)}
	to := server(l.take)
	from := server(l.send)
	from.AddPeer(to.Self())
	for _, text := range os.Args[1:] {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 || size > 1<<20 {
			log.Fatalf("expected sizes from 1 to 1048576, not %q", text)
		}
		fmt.Printf("%d %d\n", size, l.measure(size).Nanoseconds())
	}
}
