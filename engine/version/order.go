package version

import (
	"fmt"
	"strings"
)

// maxLength is far above any version that a package manager accepts.
const maxLength = 256

// Check reports what is wrong with s as a version of type t: nil when it
// follows the type's grammar. Versions that are accepted hold no white space,
// control characters, quotes, "`", "$", ";", "|", "&", "<", ">", "(", ")", "\".
// A Windows update may have no version at all: its name says it.
func Check(t Type, s string) error {
	g, ok := grammars[t]
	if !ok {
		return fmt.Errorf("unknown package type %q; expected one of \"apk\", \"deb\", \"generic\", \"rpm\", \"windows\"", t)
	}
	if s == "" && t == Windows {
		return nil
	}
	if why := g.fault(s); why != "" {
		return fmt.Errorf("%q is not %s version: %s", s, g.name, why)
	}
	return nil
}

// Compare orders two versions of type t: negative when a is older than b, 0
// when they are equal, positive when a is newer. It allocates nothing and is
// total: what does not follow the grammar is still ordered. A version without
// an epoch has epoch 0.
func Compare(t Type, a, b string) int {
	if a == b {
		return 0
	}
	switch t {
	case Deb:
		return compareDeb(a, b)
	case RPM:
		return compareRPM(a, b)
	case APK:
		return compareAPK(a, b)
	case Windows:
		return compareGeneric(trimKB(a), trimKB(b))
	default:
		return compareGeneric(a, b)
	}
}

// cutEpoch takes the digits before the first colon off. Where something else
// stands before it, the colon belongs to the version.
func cutEpoch(s string) (epoch, rest string) {
	for i := range len(s) {
		if s[i] == ':' && i > 0 {
			return s[:i], s[i+1:]
		}
		if !isDigit(s[i]) {
			break
		}
	}
	return "", s
}

// compareDigits orders two runs of digits of any length by their value; none
// at all is zero.
func compareDigits(a, b string) int {
	a, b = trimZeros(a), trimZeros(b)
	if len(a) != len(b) {
		return order(len(a), len(b))
	}
	return strings.Compare(a, b)
}

func trimZeros(s string) string {
	for len(s) > 0 && s[0] == '0' {
		s = s[1:]
	}
	return s
}

// digits returns the length of the run of digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func order(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
