package version

import "strings"

// compareRPM is librpm's order: epoch, then version, then release. A version
// with a release is newer than the same one without.
func compareRPM(a, b string) int {
	ea, a := cutEpoch(a)
	eb, b := cutEpoch(b)
	if c := compareDigits(ea, eb); c != 0 {
		return c
	}
	a, ra, hasA := cutRelease(a)
	b, rb, hasB := cutRelease(b)
	if c := compareRPMPart(a, b); c != 0 {
		return c
	}
	if hasA != hasB {
		if hasA {
			return 1
		}
		return -1
	}
	return compareRPMPart(ra, rb)
}

func cutRelease(s string) (version, release string, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// What a part can go on with, oldest first: "1~rc" < "1" < "1^git" < "1.a" < "1.0".
const (
	rpmTilde = iota
	rpmEnd
	rpmCaret
	rpmLetters
	rpmDigits
)

// compareRPMPart is rpmvercmp: tilde, caret, runs of letters and runs of digits
// are compared in turn, and whatever stands between them only separates.
func compareRPMPart(a, b string) int {
	for {
		ka, ta, restA := rpmSegment(a)
		kb, tb, restB := rpmSegment(b)
		if ka != kb {
			return order(ka, kb)
		}
		c := 0
		switch ka {
		case rpmEnd:
			return 0
		case rpmDigits:
			c = compareDigits(ta, tb)
		case rpmLetters:
			c = strings.Compare(ta, tb)
		}
		if c != 0 {
			return c
		}
		a, b = restA, restB
	}
}

func rpmSegment(s string) (kind int, text, rest string) {
	i := 0
	for i < len(s) && !isDigit(s[i]) && !isLetter(s[i]) && s[i] != '~' && s[i] != '^' {
		i++
	}
	s = s[i:]
	switch {
	case s == "":
		return rpmEnd, "", ""
	case s[0] == '~':
		return rpmTilde, "", s[1:]
	case s[0] == '^':
		return rpmCaret, "", s[1:]
	case isDigit(s[0]):
		n := digits(s)
		return rpmDigits, s[:n], s[n:]
	}
	n := 1
	for n < len(s) && isLetter(s[n]) {
		n++
	}
	return rpmLetters, s[:n], s[n:]
}
