// SPDX-License-Identifier: MIT

// Command run plays the interop scenarios: it builds the real peers, starts
// them beside sotto on loopback, makes them talk, and checks at both ends.  It
// prints one line a scenario and closes with "N passed, N failed".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	source := flag.String("source", ".", "the folder with the peers' modules")
	out := flag.String("out", "../../build", "the build directory, with sotto in it")
	pattern := flag.String("run", "", "play only scenarios whose name matches")
	list := flag.Bool("list", false, "print the names of the scenarios")
	ci := os.Getenv("CI") == "true"
	length := 30 * time.Second
	if ci {
		length = 10 * time.Minute
	}
	traffic := flag.Duration("traffic", length, "how long the mixed traffic runs")
	standIn := flag.String("standin", "", "a kind of peer to put in sotto's place, to check the suite itself")
	flag.Parse()

	chosen, err := choose(*pattern)
	if err != nil {
		fmt.Fprintf(os.Stderr, "interop: -run %q is not a regular expression: %v\n", *pattern, err)
		os.Exit(1)
	}
	if *list {
		for _, sc := range chosen {
			fmt.Println(sc.name)
		}
		return
	}
	s := &suite{source: absolute(*source), out: absolute(*out), traffic: *traffic,
		ci: ci, standIn: *standIn}
	s.build(chosen)
	s.run(chosen)
	fmt.Printf("%d passed, %d failed", s.passed, s.failed)
	if s.skipped > 0 {
		fmt.Printf(", %d skipped", s.skipped)
	}
	fmt.Println()
	if s.failed > 0 || s.passed+s.skipped == 0 {
		os.Exit(1)
	}
}

func choose(pattern string) ([]scenario, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var chosen []scenario
	for _, sc := range scenarios() {
		if re.MatchString(sc.name) {
			chosen = append(chosen, sc)
		}
	}
	return chosen, nil
}

func absolute(path string) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return full
}
