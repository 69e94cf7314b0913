package version

import "strings"

// Jump says how far a change of version goes: "major", "minor" or "patch" by
// the first number of the upstream version that differs, "revision" where only
// the distribution's part does, "epoch" where nothing but the epoch does, and
// "unknown" where the versions cannot be told apart that way: one is empty or
// does not begin with a number, both are dates, or they are equal.
//
// The epoch is left out of the comparison: it says that numbers were begun
// anew, not by how much. In Debian's "2.0+really1.9" the version is 1.9.
func Jump(t Type, from, to string) string {
	a, b := split(t, from), split(t, to)
	if !begins(a.upstream) || !begins(b.upstream) {
		return "unknown"
	}
	if Compare(t, a.upstream, b.upstream) != 0 {
		if dated(a.upstream) && dated(b.upstream) {
			return "unknown"
		}
		return [...]string{"major", "minor", "patch"}[min(differsAt(a.upstream, b.upstream), 2)]
	}
	switch {
	case a.revision != b.revision:
		return "revision"
	case compareDigits(a.epoch, b.epoch) != 0:
		return "epoch"
	}
	return "unknown"
}

// repacked are the marks of upstream sources without what Debian may not ship.
var repacked = [...]string{"+dfsg", "+ds", "~dfsg", "~ds", ".dfsg", ".ds"}

// parts of a version that its type knows of.
type parts struct{ epoch, upstream, revision string }

func split(t Type, s string) parts {
	var p parts
	switch t {
	case Deb:
		p.epoch, p.upstream = cutEpoch(s)
		p.upstream, p.revision = cutRevision(p.upstream)
		if _, really, ok := strings.Cut(p.upstream, "+really"); ok {
			p.upstream = really
		}
		// What follows tells how the source was repacked: the distribution's part.
		for _, mark := range repacked {
			if i := strings.Index(p.upstream, mark); i >= 0 {
				p.upstream, p.revision = p.upstream[:i], p.upstream[i:]+"-"+p.revision
			}
		}
	case RPM:
		p.epoch, p.upstream = cutEpoch(s)
		p.upstream, p.revision, _ = cutRelease(p.upstream)
	case APK:
		p.upstream = s
		if i := strings.LastIndex(s, "-r"); i >= 0 {
			p.upstream, p.revision = s[:i], s[i+2:]
		}
	case Windows:
		p.upstream = s // an update's number says nothing about how far it goes
	default:
		p.upstream = trimV(s)
		p.upstream, p.revision, _ = strings.Cut(p.upstream, "+")
	}
	return p
}

func begins(s string) bool { return s != "" && isDigit(s[0]) }

// dated holds for 20250101 and longer: a number that is a day.
func dated(s string) bool {
	n := digits(s)
	return n >= 8 && (s[:2] == "19" || s[:2] == "20")
}

// differsAt is the place of the first number that differs. Words between numbers
// are finer than the number before them: 2024a and 2024b differ at 1.
func differsAt(a, b string) int {
	for at := 0; ; at++ {
		i, j := digits(a), digits(b)
		if compareDigits(a[:i], b[:j]) != 0 {
			return at
		}
		a, b = a[i:], b[j:]
		i, j = wordLength(a), wordLength(b)
		if a[:i] != b[:j] && (strings.Trim(a[:i], ".") != "" || strings.Trim(b[:j], ".") != "") {
			return at + 1
		}
		a, b = a[i:], b[j:]
		if a == "" && b == "" {
			return at
		}
	}
}

func wordLength(s string) int {
	n := 0
	for n < len(s) && !isDigit(s[n]) {
		n++
	}
	return n
}
