// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A scenario is one load and what is read from it.
type scenario struct {
	name, about string
	rounds      int
	alone       bool // no stock peer plays it
	fullOnly    bool
	run         func(b *bench, who *subject) (result, error)
	figures     []figure
}

// fresh puts a load on a node started for it.
func fresh(args ...any) func(*bench, *subject) (result, error) {
	return func(b *bench, who *subject) (result, error) {
		n, err := who.start(b.dir, 0)
		if err != nil {
			return nil, err
		}
		defer n.stop()
		return b.load(n, texts(args)...)
	}
}

func texts(args []any) []string {
	var t []string
	for _, a := range args {
		t = append(t, fmt.Sprint(a))
	}
	return t
}

// per is the quotient of two fields, times a factor.
func per(factor float64, what, by string) func(*bench, string, result) float64 {
	return func(_ *bench, _ string, r result) float64 {
		if r.number(by) == 0 {
			return math.NaN()
		}
		return factor * r.number(what) / r.number(by)
	}
}

func plain(what string) func(*bench, string, result) float64 {
	return func(_ *bench, _ string, r result) float64 { return r.number(what) }
}

// growth is how much memory an act took for each of what, without the pages of
// files, which the system takes away and gives back as it likes.
func growth(act, what string) func(*bench, string, result) float64 {
	return func(_ *bench, _ string, r result) float64 {
		return (r.number(act+"_anon_after") - r.number(act+"_anon_before")) / r.number(what)
	}
}

func pick(full bool, long, short int) int {
	if full {
		return long
	}
	return short
}

func sizeName(size int) string {
	if size < 1024 {
		return strconv.Itoa(size) + "B"
	}
	return strconv.Itoa(size/1024) + "K"
}

func scenarios(full bool) []*scenario {
	var list []*scenario
	list = append(list, intakes(full)...)
	list = append(list, relays(full)...)
	list = append(list, latencies()...)
	list = append(list, memories()...)
	return append(list, starts()...)
}

// --- what comes in ------------------------------------------------------------

func intakes(full bool) []*scenario {
	var list []*scenario
	many := pick(full, 40000, 20000)
	for _, c := range []struct {
		size, batch, count int
		ratio              float64
	}{
		{256, 16, 60000, 4}, {1024, 16, 60000, 2.2}, {16384, 16, 6000, 1.4},
		{256, 1, 60000, 6}, {1024, 1, 60000, 0}, {16384, 1, 6000, 0},
	} {
		list = append(list, &scenario{
			name:     fmt.Sprintf("intake-%s-%d", sizeName(c.size), c.batch),
			about:    fmt.Sprintf("one publisher, %d envelopes of %d bytes, %d in a packet", c.count, c.size, c.batch),
			rounds:   3,
			fullOnly: c.batch == 1 && c.size > 256,
			run:      fresh("--size", c.size, "--batch", c.batch, "--count", c.count, "--audit"),
			figures: []figure{
				{name: "CPU per envelope", unit: "us", value: per(1e6, "stream_cpu_s", "count"), ratio: c.ratio},
				{name: "taken per second", unit: "/s", value: per(1, "count", "stream_s"), more: true},
			},
		})
	}
	list = append(list, &scenario{
		name:   "publishers",
		about:  fmt.Sprintf("20 publishers, %d envelopes of 256 bytes in all", many),
		rounds: 2,
		run:    fresh("--publishers", 20, "--count", many, "--timeout", 120),
		figures: []figure{
			{name: "taken per second", unit: "/s", value: per(1, "count", "stream_s"), more: true, ratio: 15},
			{name: "CPU per envelope", unit: "us", value: per(1e6, "stream_cpu_s", "count")},
		},
	})
	for _, c := range []struct {
		size, count int
		ratio       float64
	}{{256, 20000, 8}, {1024, 20000, 6}, {16384, 2000, 4}} {
		list = append(list, &scenario{
			name:   "repeat-" + sizeName(c.size),
			about:  fmt.Sprintf("four publishers repeat %d envelopes of %d bytes that are there", c.count, c.size),
			rounds: 3,
			run:    fresh("--publishers", 5, "--size", c.size, "--preload", c.count, "--repeat"),
			figures: []figure{
				{name: "CPU per repeated envelope", unit: "us", value: per(1e6, "stream_cpu_s", "count"), ratio: c.ratio},
			},
		})
	}
	return append(list, &scenario{
		name:   "accept",
		about:  "200 peers come, to the end of Status, and stay",
		rounds: 3,
		run:    fresh("--publishers", 0, "--idle", 200),
		figures: []figure{
			{name: "CPU per accepted peer", unit: "us", value: per(1e6, "connect_cpu_s", "idle"), ratio: 4},
		},
	})
}

// --- what goes out --------------------------------------------------------------

func relays(full bool) []*scenario {
	stored := pick(full, 60000, 30000)
	delivery := per(1e6, "stream_cpu_s", "delivered")
	var list []*scenario
	for _, c := range []struct {
		receivers int
		ratio     float64
	}{{1, 0}, {5, 0}, {20, 3}, {100, 0}} {
		list = append(list, &scenario{
			name:     fmt.Sprintf("relay-%d", c.receivers),
			about:    fmt.Sprintf("8000 envelopes of 256 bytes at 8000/s to %d receivers", c.receivers),
			rounds:   3,
			fullOnly: c.receivers == 100 || c.receivers == 5,
			run:      fresh("--receivers", c.receivers, "--count", 8000, "--rate", 8000, "--batch", 10),
			figures: []figure{
				{name: "CPU per delivery", unit: "us", value: delivery, ratio: c.ratio},
				{name: "latency p99", unit: "ms", value: plain("p99_ms")},
			},
		})
	}
	list = append(list, &scenario{
		name:   "burst-20",
		about:  "8000 envelopes of 256 bytes at once to 20 receivers",
		rounds: 3,
		run:    fresh("--receivers", 20, "--count", 8000, "--batch", 10),
		figures: []figure{
			{name: "CPU per delivery", unit: "us", value: delivery, ratio: 3},
		},
	}, &scenario{
		name:   "sustained",
		about:  fmt.Sprintf("%d stored, then 3000/s for 3 s to 20 receivers", stored),
		rounds: 2,
		run: fresh("--receivers", 20, "--preload", stored, "--count", 9000, "--rate", 3000, "--batch", 10,
			"--timeout", 60),
		figures: []figure{
			{name: "CPU per delivery", unit: "us", value: func(_ *bench, _ string, r result) float64 {
				return 1e6 * r.number("stream_cpu_s") / (r.number("count") * r.number("receivers"))
			}, ratio: 10},
			{name: "latency p99", unit: "ms", value: plain("p99_ms")},
		},
	}, &scenario{
		name:   "stored",
		about:  "100000 stored, 11 peers: 5 s of silence, then 1000/s for 3 s",
		rounds: 2,
		run: fresh("--receivers", 10, "--preload", 100000, "--hold", 5, "--count", 3000, "--rate", 1000,
			"--batch", 1, "--timeout", 120),
		figures: []figure{
			{name: "idle CPU", unit: "cores", value: per(1, "hold_cpu_s", "hold_s"), ratio: 100, limit: 0.01},
			{name: "CPU per envelope", unit: "us", value: per(1e6, "stream_cpu_s", "count")},
			{name: "latency p50", unit: "ms", value: plain("p50_ms"), ratio: 30, limit: 5},
			{name: "latency p99", unit: "ms", value: plain("p99_ms"), limit: 20},
			{name: "memory per envelope, 11 peers", unit: "B", value: growth("preload", "preload")},
		},
	})
	for _, c := range []struct {
		count int
		alone bool
	}{{3000, false}, {10000, true}, {100000, true}} {
		s := &scenario{
			name:   "join-" + strconv.Itoa(c.count),
			about:  fmt.Sprintf("a receiver that takes packets up to 1 MiB joins where %d x 256 bytes are stored", c.count),
			rounds: 2,
			alone:  c.alone, // geth hands such a pool over in one packet, and is left
			run:    fresh("--receivers", 1, "--preload", c.count, "--late", "--limit", 1<<20),
			figures: []figure{
				{name: "until complete", unit: "s", value: plain("join_s"), limit: 2},
			},
		}
		list = append(list, s)
	}
	return list
}

// --- how soon -------------------------------------------------------------------

// chain starts nodes in a row, each dialling the one before.
func (b *bench) chain(who *subject, length int) ([]*node, error) {
	var nodes []*node
	for i := range length {
		var dial []string
		if i > 0 {
			dial = []string{nodes[i-1].url}
		}
		n, err := who.start(b.dir, 0, dial...)
		if err != nil {
			stopAll(nodes)
			return nil, err
		}
		nodes = append(nodes, n)
	}
	// That they are connected nobody tells us; a first envelope that does
	// not arrive would make the run void.
	settle()
	return nodes, nil
}

func stopAll(nodes []*node) {
	for _, n := range nodes {
		n.stop()
	}
}

func through(length int, args ...any) func(*bench, *subject) (result, error) {
	return func(b *bench, who *subject) (result, error) {
		nodes, err := b.chain(who, length)
		if err != nil {
			return nil, err
		}
		defer stopAll(nodes)
		return b.load(nodes[0], append(texts(args), "--far", nodes[length-1].url)...)
	}
}

// lossless finds what two nodes carry: ours as fast as it goes, a stock peer
// at the highest rate at which its link survives.
func lossless(size, count int) func(*bench, *subject) (result, error) {
	return func(b *bench, who *subject) (result, error) {
		best := result{}
		rates := []int{0}
		if who.name == "geth" {
			rates = []int{1 << 21 / size, 3 << 20 / size, 5 << 20 / size}
		}
		for _, rate := range rates {
			n := count
			if rate > 0 {
				n = 2 * rate
			}
			r, err := through(2, "--receivers", 1, "--size", size, "--batch", max(1, 16384/size),
				"--count", n, "--rate", rate, "--timeout", 8)(b, who)
			if err != nil {
				return nil, err
			}
			if r.number("missing") > 0 {
				break
			}
			best = r
			best["mb_s"] = r.number("count") * float64(size) / r.number("stream_s") / 1e6
		}
		return best, nil
	}
}

// perCPU is what the first of the two nodes carries if nobody else wants its core.
func perCPU(size float64) func(*bench, string, result) float64 {
	return per(size/1e6, "count", "stream_cpu_s")
}

func latencies() []*scenario {
	var list []*scenario
	for _, receivers := range []int{1, 10} {
		list = append(list, &scenario{
			name:     fmt.Sprintf("hop-%d", receivers),
			about:    fmt.Sprintf("1000 envelopes a second for 3 s, one hop, %d receivers", receivers),
			rounds:   3,
			fullOnly: receivers > 1,
			run:      fresh("--receivers", receivers, "--count", 3000, "--rate", 1000, "--batch", 1),
			figures: []figure{
				{name: "latency p50", unit: "ms", value: plain("p50_ms"), ratio: 30, limit: 5},
				{name: "latency p99", unit: "ms", value: plain("p99_ms"), limit: 20},
				{name: "CPU per envelope", unit: "us", value: per(1e6, "stream_cpu_s", "count")},
			},
		})
	}
	return append(list, &scenario{
		name:   "hops-3",
		about:  "250 envelopes a second through three nodes",
		rounds: 2,
		run:    through(3, "--receivers", 1, "--count", 750, "--rate", 250, "--batch", 1),
		figures: []figure{
			{name: "latency p50", unit: "ms", value: plain("p50_ms"), limit: 15},
			{name: "latency p99", unit: "ms", value: plain("p99_ms")},
		},
	}, &scenario{
		name:   "lossless-1K",
		about:  "what two nodes carry with none lost, 1 KiB each",
		rounds: 2,
		run:    lossless(1024, 60000),
		figures: []figure{
			{name: "carried", unit: "MB/s", value: plain("mb_s"), more: true, ratio: 14, limit: 50},
			{name: "carried for each CPU second", unit: "MB", value: perCPU(1024), more: true},
		},
	}, &scenario{
		name:   "lossless-16K",
		about:  "what two nodes carry with none lost, 16 KiB each",
		rounds: 2,
		run:    lossless(16384, 6000),
		figures: []figure{
			{name: "carried", unit: "MB/s", value: plain("mb_s"), more: true},
			{name: "carried for each CPU second", unit: "MB", value: perCPU(16384), more: true},
		},
	})
}

// --- how much memory --------------------------------------------------------------

func memories() []*scenario {
	return []*scenario{{
		name:   "idle-500",
		about:  "500 idle peers for 5 s",
		rounds: 2,
		run:    fresh("--publishers", 0, "--idle", 500, "--hold", 5),
		figures: []figure{
			{name: "memory per peer", unit: "B", value: growth("connect", "idle"), ratio: 8, limit: 5 * 1024},
			{name: "idle CPU", unit: "cores", value: per(1, "hold_cpu_s", "hold_s"), limit: 0.002},
			{name: "CPU per accepted peer", unit: "us", value: per(1e6, "connect_cpu_s", "idle"), ratio: 4},
		},
	}, {
		name:   "pool-256B",
		about:  "100000 envelopes of 256 bytes stored",
		rounds: 2,
		run:    fresh("--preload", 100000, "--audit"),
		figures: []figure{
			{name: "memory per envelope", unit: "B", value: growth("preload", "preload"), ratio: 2.8, limit: 450},
			{name: "memory per envelope and peer", unit: "B", value: knownRecord, limit: 2},
		},
	}, {
		name:   "pool-1K",
		about:  "100000 envelopes of 1 KiB stored",
		rounds: 2,
		run:    fresh("--size", 1024, "--preload", 100000),
		figures: []figure{
			{name: "memory per envelope", unit: "B", value: growth("preload", "preload"), ratio: 2.2, limit: 1250},
		},
	}, {
		name:   "churn",
		about:  "20000 envelopes that live 3 s, again and again",
		rounds: 1,
		alone:  true,
		run:    churn,
		figures: []figure{
			{name: "growth per envelope", unit: "B", value: plain("growth"), limit: 5},
		},
	}}
}

// knownRecord is what 10 more peers add to each envelope: the difference to the
// same pool with 11 peers.
func knownRecord(b *bench, who string, r result) float64 {
	eleven, ok := b.medians["stored/memory per envelope, 11 peers/"+who]
	if !ok {
		return math.NaN()
	}
	return (eleven - growth("preload", "preload")(b, who, r)) / 10
}

// churn fills one node again and again and lets everything expire between.
// The heap has its shape after some rounds; what it holds after the next few
// and after the last few is compared.
func churn(b *bench, who *subject) (result, error) {
	const count, warm, few = 20000, 5, 3
	times := pick(b.full, 40, warm+2*few)
	n, err := who.start(b.dir, 0)
	if err != nil {
		return nil, err
	}
	defer n.stop()
	var held []float64
	for range times {
		r, err := b.load(n, "--preload", strconv.Itoa(count), "--ttl", "3", "--receivers", "1")
		if err != nil {
			return nil, err
		}
		held = append(held, r.number("preload_anon_after"))
		expire()
	}
	grown := slices.Min(held[times-few:]) - slices.Min(held[warm:warm+few])
	return result{"growth": math.Max(0, grown) / float64(count*(times-warm-few))}, nil
}
