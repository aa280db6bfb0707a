// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"math"
)

// A figure is one number of a scenario's result, and what it ought to be.
// The better ratio is always above 1.
type figure struct {
	name  string
	unit  string
	value func(b *bench, who string, r result) float64 // NaN: cannot be told
	more  bool                                         // more is better
	ratio float64                                      // at least so many times better than geth; 0: no such goal
	limit float64                                      // at most (or, with more, at least); 0: no such goal
	zero  bool                                         // at most 0
}

// judge compares an interval with a goal that it should reach from above.
func (b *bench) judge(lo, hi, goal float64) string {
	switch {
	case lo >= goal:
		b.met++
		return "met"
	case hi < goal:
		b.missed++
		return "MISSED"
	}
	b.open++
	return "open"
}

func (b *bench) values(f *figure, who string, results []result) []float64 {
	var v []float64
	for _, r := range results {
		if x := f.value(b, who, r); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	return v
}

func (b *bench) report(s *scenario, f *figure, results map[string][]result) {
	theirs := b.values(f, "geth", results["geth"])
	ours := b.values(f, "sotto", results["sotto"])
	if len(ours) == 0 {
		fmt.Printf("  %-34s not measured here\n", f.name)
		return
	}
	b.medians[s.name+"/"+f.name+"/geth"] = median(theirs)
	b.medians[s.name+"/"+f.name+"/sotto"] = median(ours)
	line := fmt.Sprintf("  %-34s %10s %10.4g %s", f.name, "", median(ours), f.unit)
	if len(theirs) > 0 {
		line = fmt.Sprintf("  %-34s %10.4g %10.4g %s", f.name, median(theirs), median(ours), f.unit)
	}
	fmt.Printf("%-66s", line)
	if len(theirs) == len(ours) {
		b.compare(f, theirs, ours)
	}
	if f.limit > 0 || f.zero {
		b.bound(f, ours)
	}
	fmt.Println()
}

// compare prints the median of the rounds' ratios.
func (b *bench) compare(f *figure, theirs, ours []float64) {
	var ratios []float64
	for i := range ours {
		x, y := theirs[i], ours[i]
		if f.more {
			x, y = y, x
		}
		// Next to nothing counts as a thousandth of the other.
		ratios = append(ratios, x/math.Max(y, x/1000))
	}
	lo, hi := interval(ratios)
	fmt.Printf(" %7.4gx [%.3g..%.3g]", median(ratios), lo, hi)
	if f.ratio > 0 {
		fmt.Printf("  must %gx: %s", f.ratio, b.judge(lo, hi, f.ratio))
	}
}

func (b *bench) bound(f *figure, ours []float64) {
	lo, hi := interval(ours)
	if f.more {
		fmt.Printf("  must be >= %g: %s", f.limit, b.judge(lo, hi, f.limit))
	} else {
		fmt.Printf("  must be <= %g: %s", f.limit, b.judge(-hi, -lo, -f.limit))
	}
}
