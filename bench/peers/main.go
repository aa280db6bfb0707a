// SPDX-License-Identifier: MIT

// Command peers measures sotto beside go-ethereum's Whisper in one run: the
// same load from the same generator, first on the one, then on the other, and
// again.  What it prints are medians, and the median of the rounds' ratios
// with the interval that resampling gives it; against a goal it says "met" or
// "MISSED" only if the whole interval lies on one side.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

type bench struct {
	out    string // where the programs are
	dir    string // scratch, gone at the end
	full   bool
	record *os.File
	frames string // measures the stock peer's frames alone
	geth   *subject
	sotto  *subject

	// Medians of earlier figures, by "scenario/figure/subject".
	medians                   map[string]float64
	met, missed, open, failed int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench-peers: ")
	b := &bench{medians: map[string]float64{}}
	pattern := flag.String("run", "", "only scenarios whose name matches")
	rounds := flag.Int("rounds", 0, "rounds of each scenario; 0: as many as it has by itself")
	list := flag.Bool("list", false, "print the scenarios")
	source := flag.String("source", "tests/interop", "where the stock peers' sources are")
	keep := flag.String("record", "", "append every line of the generator to this file")
	flag.StringVar(&b.out, "out", "build", "build directory")
	flag.BoolVar(&b.full, "full", false, "more rounds and longer runs")
	flag.Parse()
	if *list {
		for _, s := range scenarios(b.full) {
			fmt.Printf("%-10s %s\n", s.name, s.about)
		}
		return
	}
	match, err := regexp.Compile(*pattern)
	if err != nil {
		log.Fatal(err)
	}
	if err := b.prepare(*source, *keep); err != nil {
		log.Fatal(err)
	}
	begin := time.Now()
	for _, s := range scenarios(b.full) {
		if match.MatchString(s.name) && (b.full || !s.fullOnly) {
			b.play(s, *rounds)
		}
	}
	os.RemoveAll(b.dir)
	fmt.Printf("\n%d goals met, %d missed, %d open, %d scenarios failed (%.0f s)\n",
		b.met, b.missed, b.open, b.failed, time.Since(begin).Seconds())
	if b.failed > 0 {
		os.Exit(1)
	}
}

// prepare builds the stock peer and finds ours.
func (b *bench) prepare(source, keep string) error {
	var err error
	if b.out, err = filepath.Abs(b.out); err != nil {
		return err
	}
	b.sotto = sotto(filepath.Join(b.out, "sotto"))
	b.geth = geth18(filepath.Join(b.out, "interop", "geth18"))
	b.frames = filepath.Join(b.out, "interop", "frames18")
	for program, target := range map[string]string{b.geth.program: ".", b.frames: "./frames"} {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, target)
		cmd.Dir = filepath.Join(source, "geth18")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("the stock peer cannot be built: %v\n%s", err, text)
		}
	}
	if keep != "" {
		if b.record, err = os.OpenFile(keep, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			return err
		}
	}
	b.dir, err = os.MkdirTemp("", "bench-peers")
	return err
}

// How often a void run is made again before it counts as failed, and how long
// one may have taken to be tried again.
const (
	attempts = 3
	tooLong  = 20 * time.Second
)

// measure is one run of a scenario on a fresh subject.
func (b *bench) measure(s *scenario, who *subject) (result, error) {
	why := ""
	for range attempts {
		begin := time.Now()
		r, err := s.run(b, who)
		if err != nil {
			return nil, err
		}
		if why = r.text("void"); why == "" {
			return r, nil
		}
		if time.Since(begin) > tooLong {
			break
		}
	}
	return nil, fmt.Errorf("void: %s", why)
}

// round is one run of each subject in turn; all or nothing, so that ratios are
// of neighbours.
func (b *bench) round(s *scenario, subjects []*subject, results map[string][]result) error {
	var these []result
	for _, who := range subjects {
		r, err := b.measure(s, who)
		if err != nil {
			return fmt.Errorf("%s: %w", who.name, err)
		}
		these = append(these, r)
	}
	for i, who := range subjects {
		results[who.name] = append(results[who.name], these[i])
	}
	return nil
}

// play runs a scenario and prints its figures, of the rounds that were good.
func (b *bench) play(s *scenario, rounds int) {
	if rounds == 0 {
		rounds = s.rounds
		if b.full {
			rounds = max(7, s.rounds)
		}
	}
	fmt.Printf("\n%s: %s\n", s.name, s.about)
	subjects := []*subject{b.geth, b.sotto}
	if s.alone {
		subjects = subjects[1:]
	}
	results := map[string][]result{}
	for range rounds {
		if err := b.round(s, subjects, results); err != nil {
			fmt.Printf("  a round failed: %v\n", err)
		}
	}
	if len(results["sotto"]) == 0 {
		b.failed++
		return
	}
	for _, f := range s.figures {
		b.report(s, &f, results)
	}
}
