// SPDX-License-Identifier: MIT

// Command today is a peer made of today's go-ethereum p2p, which has no Whisper
// any more: it carries any capability it is told to, and whatever bytes the
// runner wants sent.  It can also leave the p2p server out and speak RLPx
// message by message (commands that begin with "raw").
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"

	gethlog "github.com/ethereum/go-ethereum/log"

	"sotto/interop/gethkit"
	"sotto/interop/peerkit"
)

func main() {
	caps := flag.String("caps", "shh/6/128", "name/version/length, comma separated")
	o, err := gethkit.Flags("Geth/v1.17.10-interop", watchLog)
	if err != nil {
		log.Fatal(err)
	}
	out := peerkit.NewOut()
	carrier := newCarrier(o, out)
	protos, err := carrier.protocols(*caps)
	if err != nil {
		log.Fatal(err)
	}
	server, err := gethkit.Start(o, protos, out)
	if err != nil {
		log.Fatal(err)
	}
	handlers := server.Handlers()
	for name, h := range carrier.handlers() {
		handlers[name] = h
	}
	raw := &rawPeer{out: out, key: o.Key, name: o.Name}
	for name, h := range raw.handlers() {
		handlers[name] = h
	}
	out.Event("ready", peerkit.Fields{"enode": server.URL(), "peer": server.Self().ID().String()})
	peerkit.Serve(out, handlers, "envelopes", "rawdial", "rawenvelopes", "rawping")
	server.Stop()
}

// watchLog is the slog body of gethkit.Options.WatchLog.
func watchLog(line func(string, []any)) {
	gethlog.SetDefault(gethlog.NewLogger(&handler{line: line}))
}

type handler struct {
	line func(string, []any)
	with []any
}

func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	list := append([]any{}, h.with...)
	r.Attrs(func(a slog.Attr) bool {
		list = append(list, a.Key, a.Value.Any())
		return true
	})
	h.line(r.Message, list)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	list := append([]any{}, h.with...)
	for _, a := range attrs {
		list = append(list, a.Key, a.Value.Any())
	}
	return &handler{line: h.line, with: list}
}

func (h *handler) WithGroup(string) slog.Handler { return h }
