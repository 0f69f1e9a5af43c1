package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 100}, 3},
	} {
		before := slices.Clone(test.values)
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v: got %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(test.values, before) {
			t.Errorf("the values were changed from %v to %v", before, test.values)
		}
	}
}

func TestRatioIsOfRounds(t *testing.T) {
	// The machine was ten times slower in the second round, for both.
	a := []time.Duration{2, 20, 3}
	b := []time.Duration{1, 10, 1}
	if got := ratio(a, b); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := excess(a, b); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
}

func TestParseBenchmarks(t *testing.T) {
	got := parseBenchmarks(`goos: linux
BenchmarkToken       	20000000	        20.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkToken       	20000000	        40.0 ns/op	       8 B/op	       1 allocs/op
BenchmarkToken       	20000000	        30.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkToken-2     	20000000	        31.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkTokenParallel-16 	20000000	         9.1 ns/op	       0 B/op	       0 allocs/op
PASS
`)
	want := []goResult{{"Token", 1, 30, 1}, {"Token", 2, 31.5, 0}, {"TokenParallel", 16, 9.1, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 10_000: "10,000", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUpstreamVersion(t *testing.T) {
	for version, want := range map[string]string{
		"42.1-1+b2": "42.1", "1:9.2-3-1": "9.2-3", "1.14.10-1~deb12u1": "1.14.10", "3": "3",
	} {
		if got := upstream(version); got != want {
			t.Errorf("%s: got %q, want %q", version, got, want)
		}
	}
}

func TestAtMost(t *testing.T) {
	for _, test := range []struct {
		got, limit float64
		want       string
	}{{1, 1, "met"}, {0, 0, "met"}, {1.1, 1, "missed by 10 %"}, {2, 0, "missed"}} {
		if got := atMost("", test.got, test.limit, "%v").verdict; got != test.want {
			t.Errorf("%v of %v: got %q, want %q", test.got, test.limit, got, test.want)
		}
	}
}

// example is a run in which every time is in proportion to its contender.
func example() *results {
	r := &results{
		date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), rounds: 2, binary: 14_000_000, stripped: 9_000_000,
		contenders: contenders(programs{}, item{}),
		machine:    machine{cores: 2, system: "Debian 12", golang: "1.26"},
		token:      []goResult{{"Token", 1, 20, 0}, {"TokenParallel", 1, 20, 0}, {"TokenParallel", 2, 11, 0}},
	}
	times := []float64{0.8, 1.3, 2.4, 3.4, 4.6, 6.6, 6.0, 8.2, 11.8, 94}
	for _, others := range otherItems {
		k := keyringResult{others: others, firstRead: time.Second, samples: map[string][]sample{}}
		for i, c := range r.contenders {
			took := times[i]
			if c.kind != floor {
				took += float64(others) / 1400
			}
			d := time.Duration(took * float64(time.Millisecond))
			k.samples[c.id] = []sample{{wall: d, processor: d / 2, daemon: d / 4, peak: 1e6}, {wall: d, processor: d / 2, daemon: d / 4, peak: 1e6}}
		}
		r.keyrings = append(r.keyrings, k)
	}
	return r
}

// TestChart looks whether the chart is well-formed. With the variable CHART it
// is written to that file, to be looked at.
func TestChart(t *testing.T) {
	svg := example().chart().svg()
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the chart has %s in it", bad)
		}
	}
	for _, c := range example().contenders {
		if !strings.Contains(svg, ">"+c.name+"</text>") {
			t.Errorf("the chart does not name %s", c.name)
		}
	}
	if path := os.Getenv("CHART"); path != "" {
		if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMarkdown(t *testing.T) {
	got := example().markdown()
	if strings.Contains(got, "%!") || strings.Contains(got, "missed") {
		t.Errorf("the tables are wrong:\n%s", got)
	}
	for _, line := range []string{
		"| **authring** | encrypted | 6.61 |",
		"| secret-tool (libsecret) | encrypted | 11.8 |",
		"| growth from 10 to 10,000 other items | no more than the daemon's own | 7.14 ms; the plain lookup, which only waits for the daemon, 7.14 ms | met |",
		"| size of the program | at most 15.0 MB | 14.0 MB, or 9.0 MB without symbols (`-ldflags \"-s -w\"`) | met |",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
}
