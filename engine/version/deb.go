package version

import "strings"

// compareDeb is dpkg's order (deb-version(7)): epoch, then upstream version,
// then revision, where no revision is the same as revision 0.
func compareDeb(a, b string) int {
	ea, a := cutEpoch(a)
	eb, b := cutEpoch(b)
	if c := compareDigits(ea, eb); c != 0 {
		return c
	}
	a, ra := cutRevision(a)
	b, rb := cutRevision(b)
	if c := compareDebPart(a, b); c != 0 {
		return c
	}
	return compareDebPart(ra, rb)
}

// cutRevision splits at the last hyphen.
func cutRevision(s string) (upstream, revision string) {
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// compareDebPart compares runs of other characters and runs of digits in turn.
func compareDebPart(a, b string) int {
	n := commonPrefix(a, b)
	a, b = a[n:], b[n:]
	for len(a) > 0 || len(b) > 0 {
		for (len(a) > 0 && !isDigit(a[0])) || (len(b) > 0 && !isDigit(b[0])) {
			if x, y := debWeight(a), debWeight(b); x != y {
				return order(x, y)
			}
			a, b = a[1:], b[1:]
		}
		i, j := digits(a), digits(b)
		if c := compareDigits(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return 0
}

// commonPrefix is how much of a and b is the same, not counting digits that a
// longer number may begin with.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && isDigit(a[n-1]) {
		n--
	}
	return n
}

// debWeight orders the first character: "~" before the end of the part, which
// digits count as here, then letters, then everything else.
func debWeight(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isLetter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}
