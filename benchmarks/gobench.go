package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// goResult is one Go benchmark at one number of processors.
type goResult struct {
	name       string
	processors int
	nanosecond float64 // for an operation; the median of several runs
	allocs     int64
}

// goRuns is how often each Go benchmark is run.
const goRuns = 5

// benchmarkLine is a line such as
//
//	BenchmarkToken-2   51231234   22.9 ns/op   0 B/op   0 allocs/op
var benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-(\d+))?\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op`)

// benchmarkToken runs the Go benchmarks of Session.Token, on one processor and
// on all.
func benchmarkToken(ctx context.Context) ([]goResult, error) {
	processors := "1"
	if n := runtime.NumCPU(); n > 1 {
		processors += "," + strconv.Itoa(n)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkToken", "-benchmem",
		"-cpu", processors, "-count", strconv.Itoa(goRuns), ".")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the Go benchmarks failed: %w\n%s", err, out)
	}
	return parseBenchmarks(string(out)), nil
}

func parseBenchmarks(out string) []goResult {
	type key struct {
		name       string
		processors int
	}
	times := map[key][]float64{}
	allocs := map[key]int64{}
	for scanner := bufio.NewScanner(strings.NewReader(out)); scanner.Scan(); {
		m := benchmarkLine.FindStringSubmatch(scanner.Text())
		if m == nil {
			continue
		}
		k := key{m[1], 1}
		if m[2] != "" {
			k.processors, _ = strconv.Atoi(m[2])
		}
		nanoseconds, _ := strconv.ParseFloat(m[3], 64)
		times[k] = append(times[k], nanoseconds)
		n, _ := strconv.ParseInt(m[4], 10, 64)
		allocs[k] = max(allocs[k], n)
	}
	keys := slices.SortedFunc(maps.Keys(times), func(a, b key) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return a.processors - b.processors
	})
	results := make([]goResult, len(keys))
	for i, k := range keys {
		results[i] = goResult{k.name, k.processors, median(times[k]), allocs[k]}
	}
	return results
}
