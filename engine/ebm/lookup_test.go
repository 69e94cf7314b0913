package ebm

import (
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

// Words that are alike in how they begin, end and how long they are.
func TestWordTable(t *testing.T) {
	var words []string
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 18, 33} {
		for _, at := range []int{0, n / 4, n / 2, 3 * n / 4, n - 1} {
			w := []byte(strings.Repeat("a", n))
			words = append(words, string(w))
			w[at] = 'b'
			words = append(words, string(w))
		}
	}
	slices.Sort(words)
	words = slices.Compact(words)
	for n := range words {
		some := words[:n]
		table := newWordTable(some)
		for k, w := range words {
			want := k + 1
			if k >= n {
				want = 0
			}
			if got := table.find(w); got != want {
				t.Fatalf("find(%q) among %q = %d, want %d", w, some, got, want)
			}
		}
		if table.find("") != 0 {
			t.Fatal("finds the word that is none")
		}
	}
}

func FuzzWordTable(f *testing.F) {
	f.Add("a b c", "b")
	f.Add("Married-civ-spouse Married-AF-spouse", "Married-spouse")
	f.Fuzz(func(t *testing.T, list, word string) {
		words := strings.Fields(list)
		slices.Sort(words)
		words = slices.Compact(words)
		words = words[:min(len(words), most-2)]
		want, _ := slices.BinarySearch(words, word)
		if !slices.Contains(words, word) {
			want = -1
		}
		table := newWordTable(words)
		if got := table.find(word); got != want+1 {
			t.Errorf("find(%q) among %q = %d, want %d", word, words, got, want+1)
		}
	})
}

// search and, within its range, the grid are place: with cuts far apart, close
// together, all in one square, at the range's ends and beyond.
func TestSearch(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	shapes := map[string]func(k int) float64{
		"even":    func(k int) float64 { return float64(k) },
		"near":    func(k int) float64 { return math.Exp(float64(k) / 8) },
		"crowded": func(k int) float64 { return 1 + float64(k)*1e-12 },
		"uneven":  func(k int) float64 { return float64(k) + 0.9*r.Float64() },
		"far":     func(k int) float64 { return float64(k-3) * 1e149 },
	}
	for name, shape := range shapes {
		for _, n := range []int{0, 1, 2, 3, 4, 9, 39, most - 2} {
			var cuts, tries []float64
			for k := range n {
				c := shape(k)
				cuts = append(cuts, c)
				tries = append(tries, c, math.Nextafter(c, math.Inf(1)), math.Nextafter(c, math.Inf(-1)), c+0.5)
			}
			low, high := -1.0, 1000.0
			if n > 0 {
				low, high = cuts[0], cuts[n-1]+1
			}
			g := newGrid(cuts, low, high)
			for _, x := range append(tries, low, high) {
				want := place(cuts, x)
				if got := search(cuts, x); got != want {
					t.Fatalf("%s: search(%d cuts, %v) = %d, want %d", name, n, x, got, want)
				}
				if x < low || x > high {
					continue
				}
				if got := g.place(x); got != want {
					t.Fatalf("%s: place(%v) in a grid of %d cuts = %d, want %d", name, x, n, got, want)
				}
			}
		}
	}
}
