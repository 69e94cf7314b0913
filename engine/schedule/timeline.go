package schedule

import (
	"slices"
	"sort"
)

// timeline counts what is in use over time: from at[i] to at[i+1] it is n[i];
// before at[0] and from the last one on it is 0.
type timeline struct {
	at []int64
	n  []int32
}

// index returns the last step that begins at or before t, -1 before the first.
func (l *timeline) index(t int64) int {
	if k := len(l.at); k == 0 || t >= l.at[k-1] {
		return k - 1
	}
	return sort.Search(len(l.at), func(i int) bool { return l.at[i] > t }) - 1
}

// most is the largest count in [from, to).
func (l *timeline) most(from, to int64) int {
	i, m := l.index(from), 0
	if i >= 0 {
		m = int(l.n[i])
	}
	for i++; i < len(l.at) && l.at[i] < to; i++ {
		m = max(m, int(l.n[i]))
	}
	return m
}

// free returns the first moment at or after t from which the count stays below
// the limit for a length of time.
func (l *timeline) free(t, length int64, limit int) int64 {
	i := max(l.index(t), 0)
	for ; i < len(l.at) && l.at[i] < t+length; i++ {
		if int(l.n[i]) >= limit {
			// The last step is always 0, so there is a next one.
			t = max(t, l.at[i+1])
		}
	}
	return t
}

// add counts n more, or fewer, in [from, to).
func (l *timeline) add(from, to int64, n int) {
	i := l.split(from)
	j := l.split(to)
	for k := i; k < j; k++ {
		l.n[k] += int32(n)
	}
	l.tidy(j)
	l.tidy(i)
}

// split makes a step begin at t and returns it.
func (l *timeline) split(t int64) int {
	i := l.index(t)
	if i >= 0 && l.at[i] == t {
		return i
	}
	var n int32
	if i >= 0 {
		n = l.n[i]
	}
	l.at = slices.Insert(l.at, i+1, t)
	l.n = slices.Insert(l.n, i+1, n)
	return i + 1
}

// tidy drops step i where it changes nothing.
func (l *timeline) tidy(i int) {
	var before int32
	if i > 0 {
		before = l.n[i-1]
	}
	if l.n[i] == before {
		l.at = slices.Delete(l.at, i, i+1)
		l.n = slices.Delete(l.n, i, i+1)
	}
}
