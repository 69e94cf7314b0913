// Package rollback knows which changes cannot be rolled back, and what people do
// instead.
//
// Most updates can: the former version is installed again. For some that does not
// bring the host back to what it was, or is not supported by who makes the
// package. What is known of that in general is a table (Rules); of a certain
// update its vendor may say more (advisory.NoRollback), and an estate has the last
// word on its own hosts (ring.Rollback), which is not this package's business.
package rollback

import (
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Verdict is why a change cannot be rolled back, and what people do instead. The
// zero Verdict says that it can.
type Verdict struct {
	Why     string
	Instead string
}

// Possible says whether the change can be rolled back.
func (v Verdict) Possible() bool { return v == Verdict{} }

// Judge says whether a patch that is installed over the version from can be rolled
// back: what the advisories that it fixes say of it counts first, then the table.
func Judge(patch plan.PatchID, from string, advisories []*advisory.Advisory) Verdict {
	for _, a := range advisories {
		if a.NoRollback != nil {
			return Verdict{a.NoRollback.Why, a.NoRollback.Instead}
		}
	}
	for _, r := range Rules {
		if r.takes(patch, from, advisories) {
			return Verdict{r.Why, r.Instead}
		}
	}
	return Verdict{}
}

func (r *Rule) takes(patch plan.PatchID, from string, advisories []*advisory.Advisory) bool {
	if !slices.ContainsFunc(r.Patches, patch.Matches) {
		return false
	}
	if r.Component != "" && !slices.ContainsFunc(advisories, func(a *advisory.Advisory) bool { return slices.Contains(a.Components, r.Component) }) {
		return false
	}
	_, _, to, _ := patch.Parts()
	return r.Numbers == 0 || crosses(from, to, r.Numbers)
}

// crosses says whether two versions may differ in their first n numbers: what
// cannot be read may.
func crosses(from, to string, n int) bool {
	a, b := numbers(from, n), numbers(to, n)
	return len(a) < n || len(b) < n || !slices.Equal(a, b)
}

// numbers are the first n numbers of a version without its epoch, fewer where it
// has no more; "2:8.0.36-1" begins 8, 0.
func numbers(version string, n int) []string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	var list []string
	for len(list) < n {
		end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(version)
		}
		if end == 0 {
			break
		}
		digits := strings.TrimLeft(version[:end], "0")
		list = append(list, digits)
		if version = version[end:]; !strings.HasPrefix(version, ".") {
			break
		}
		version = version[1:]
	}
	return list
}
