package advisory

import (
	"cmp"
	"slices"
	"strings"
)

// Merge returns the advisories sorted by id, each id once. Feeds publish some
// ids once a platform (ALSA-2024:0265 for AlmaLinux 8 and, apart, for 9) and
// some in several formats, so of two records of one id the newest Modified says
// what the advisory is, and for each platform the newest one that speaks of it
// says what is fixed there; CVEs and aliases are joined. Of records of the same
// time the first in the list counts.
//
// An id whose newest record is withdrawn is left out. The list is reordered,
// and what is returned shares its slices.
func Merge(list []Advisory) []Advisory {
	slices.SortStableFunc(list, func(a, b Advisory) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), b.Modified.Compare(a.Modified))
	})
	merged := list[:0]
	for i := 0; i < len(list); {
		same := i + 1
		for same < len(list) && list[same].ID == list[i].ID {
			same++
		}
		a := list[i]
		for _, older := range list[i+1 : same] {
			a = a.with(older)
		}
		if a.Withdrawn.IsZero() {
			merged = append(merged, a)
		}
		i = same
	}
	clear(list[len(merged):])
	return merged
}

// with adds what an older record of the same advisory says beyond this one.
func (a Advisory) with(older Advisory) Advisory {
	if !older.Withdrawn.IsZero() {
		return a
	}
	spoken := map[Platform]bool{}
	for _, f := range a.Fixes {
		spoken[f.Platform] = true
	}
	a.Fixes = slices.Clip(a.Fixes)
	for _, f := range older.Fixes {
		if !spoken[f.Platform] {
			a.Fixes = append(a.Fixes, f)
		}
	}
	a.CVEs = JoinCVEs(a.CVEs, older.CVEs)
	if a.NoRollback == nil {
		a.NoRollback = older.NoRollback // nobody took it back
	}
	a.Aliases = sortedSet(slices.Concat(a.Aliases, older.Aliases))
	return a
}

// JoinCVEs returns both lists as one, sorted by id. Of a CVE that both have the
// first list's entry counts, with the second's vectors where it has none.
func JoinCVEs(a, b []CVE) []CVE {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y CVE) int { return strings.Compare(x.ID, y.ID) })
	joined := all[:0]
	for _, c := range all {
		if n := len(joined); n > 0 && joined[n-1].ID == c.ID {
			if len(joined[n-1].Vectors) == 0 {
				joined[n-1].Vectors = c.Vectors
			}
			continue
		}
		joined = append(joined, c)
	}
	return joined
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
