package hclfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxWords is how many words a message lists; of more, the nearest are named.
const maxWords = 12

// Expected says what would have been right instead of got, as the end of a
// message: `expected "x"`, `expected one of "a", "b"`, led by a suggestion where
// one word is close. Words are listed in the order given; of more than twelve,
// the nearest five stand there and the rest are counted.
func Expected(got string, words []string) string {
	switch len(words) {
	case 0:
		return "none is declared"
	case 1:
		return fmt.Sprintf("expected %q", words[0])
	}
	var b strings.Builder
	if near := Nearest(got, words); near != "" {
		fmt.Fprintf(&b, "did you mean %q? ", near)
	}
	b.WriteString("expected one of ")
	listed := words
	if len(words) > maxWords {
		listed = slices.Clone(words)
		slices.SortStableFunc(listed, func(a, b string) int {
			return cmp.Or(cmp.Compare(distance(got, a), distance(got, b)), cmp.Compare(a, b))
		})
		listed = listed[:5]
	}
	for i, w := range listed {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", w)
	}
	if more := len(words) - len(listed); more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// Nearest returns the word that was probably meant: the one at the smallest
// edit distance, if that is at most a third of its length (at least 1); the
// first of equals, "" when none is that close.
func Nearest(got string, words []string) string {
	best, bestAt := "", -1
	for _, w := range words {
		d := distance(strings.ToLower(got), strings.ToLower(w))
		if d <= max(1, len(w)/3) && (bestAt < 0 || d < bestAt) {
			best, bestAt = w, d
		}
	}
	return best
}

// distance counts insertions, deletions, substitutions and swaps of neighbours
// (optimal string alignment). Only the first 64 bytes of each are compared.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	var rows [3][65]int
	for j := 0; j <= len(b); j++ {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above, above2 := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], above2[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
