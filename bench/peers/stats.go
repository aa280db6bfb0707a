// SPDX-License-Identifier: MIT

package main

import (
	"math/rand/v2"
	"slices"
)

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// interval is where 95 % of the medians of resampled rounds lie.  The seed is
// fixed: the same rounds give the same interval.
func interval(v []float64) (lo, hi float64) {
	const samples = 2000
	if len(v) == 0 {
		return 0, 0
	}
	random := rand.New(rand.NewPCG(1, 2))
	medians := make([]float64, samples)
	for i := range medians {
		pick := make([]float64, len(v))
		for k := range pick {
			pick[k] = v[random.IntN(len(v))]
		}
		medians[i] = median(pick)
	}
	slices.Sort(medians)
	return medians[samples/40], medians[samples-1-samples/40]
}
