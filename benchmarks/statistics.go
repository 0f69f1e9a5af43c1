package main

import (
	"cmp"
	"slices"
	"time"
)

// number is what can be summed up.
type number interface {
	~int64 | ~float64
}

// median returns the middle of the values, or half of the sum of the two in
// the middle. There must be one.
func median[T number](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// pairwise is the median of what f says about the two of each round. Two
// programs that ran in the same round met the same machine, so that this is
// steadier than the ratio, or difference, of their medians.
func pairwise[T number](a, b []time.Duration, f func(a, b time.Duration) T) T {
	values := make([]T, min(len(a), len(b)))
	for i := range values {
		values[i] = f(a[i], b[i])
	}
	return median(values)
}

// ratio returns how many times longer a took than b.
func ratio(a, b []time.Duration) float64 {
	return pairwise(a, b, func(a, b time.Duration) float64 { return float64(a) / float64(b) })
}

// excess returns how much longer a took than b.
func excess(a, b []time.Duration) time.Duration {
	return pairwise(a, b, func(a, b time.Duration) time.Duration { return a - b })
}

// column returns one figure of all samples.
func column[T cmp.Ordered](samples []sample, of func(sample) T) []T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return values
}

func wall(s sample) time.Duration      { return s.wall }
func processor(s sample) time.Duration { return s.processor }
func daemon(s sample) time.Duration    { return s.daemon }
func peak(s sample) int64              { return s.peak }
