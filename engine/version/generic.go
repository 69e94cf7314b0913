package version

import "strings"

// A generic version is a sequence of parts that never ends: after the last one
// come zeros, so that 1.2 and 1.2.0 are equal. Semantic Versioning's order
// falls out of it for what is SemVer 2.0.0; everything else is split into
// numbers and words ("1.1.1w" is 1, 1, 1, w). The kinds in their order:
type genericKind int

const (
	genericEarly      genericKind = iota // a word that announces a release: alpha, beta, rc, …
	genericPreRelease                    // the whole pre-release of a SemVer version
	genericZero                          // 0, the end, "final", "ga", "release"
	genericWord                          // any other word: a letter release, a patch name
	genericNumber                        // a number above 0
)

type genericPart struct {
	kind genericKind
	text string
}

// genericEarlies are words that come before the release they name, by stage.
var genericEarlies = [...]struct {
	word  string
	stage int
}{
	{"dev", 0}, {"snapshot", 0}, {"nightly", 0}, {"canary", 0}, {"alpha", 1}, {"beta", 2},
	{"milestone", 3}, {"pre", 4}, {"preview", 4}, {"cr", 5}, {"rc", 5},
}

// compareGeneric is total because every version stands for one sequence, and
// sequences are compared part by part.
func compareGeneric(a, b string) int {
	x, y := newGeneric(a), newGeneric(b)
	for !x.done() || !y.done() {
		p, q := x.next(), y.next()
		if p.kind != q.kind {
			return order(int(p.kind), int(q.kind))
		}
		if c := p.compare(q); c != 0 {
			return c
		}
	}
	return 0
}

func (p genericPart) compare(q genericPart) int {
	switch p.kind {
	case genericEarly:
		return order(stage(p.text), stage(q.text))
	case genericPreRelease:
		return comparePreRelease(p.text, q.text)
	case genericWord:
		return compareFold(p.text, q.text)
	case genericNumber:
		return compareDigits(p.text, q.text)
	}
	return 0
}

// generic reads a version part by part.
type generic struct {
	rest       string // numbers and words still to come
	preRelease string // of a SemVer version, after them
}

func newGeneric(s string) generic {
	s = trimV(s)
	core, pre, ok := cutSemVer(s)
	if !ok {
		core = s
	}
	return generic{trimSeparators(core), pre}
}

func (g *generic) done() bool { return g.rest == "" && g.preRelease == "" }

func (g *generic) next() genericPart {
	if g.rest == "" {
		if pre := g.preRelease; pre != "" {
			g.preRelease = ""
			return genericPart{genericPreRelease, pre}
		}
		return genericPart{kind: genericZero}
	}
	n := digits(g.rest)
	number := n > 0
	for !number && n < len(g.rest) && !isDigit(g.rest[n]) && !isSeparator(g.rest[n]) {
		n++
	}
	text := g.rest[:n]
	g.rest = trimSeparators(g.rest[n:])
	switch {
	case number && trimZeros(text) == "":
		return genericPart{kind: genericZero}
	case number:
		return genericPart{genericNumber, text}
	case stage(text) >= 0:
		return genericPart{genericEarly, text}
	case compareFold(text, "final") == 0, compareFold(text, "ga") == 0, compareFold(text, "release") == 0:
		return genericPart{kind: genericZero}
	}
	return genericPart{genericWord, text}
}

// stage is how early a word comes, -1 when it does not announce a release.
func stage(word string) int {
	for _, e := range genericEarlies {
		if len(word) == len(e.word) && compareFold(word, e.word) == 0 {
			return e.stage
		}
	}
	return -1
}

// isSeparator holds for ASCII characters that are neither digits nor letters.
func isSeparator(c byte) bool { return c < 0x80 && !isDigit(c) && !isLetter(c) }

func trimSeparators(s string) string {
	for len(s) > 0 && isSeparator(s[0]) {
		s = s[1:]
	}
	return s
}

// trimV takes a "v" off that stands before a digit.
func trimV(s string) string {
	if len(s) > 1 && s[0]|0x20 == 'v' && isDigit(s[1]) {
		return s[1:]
	}
	return s
}

// trimKB takes the letters off a Windows update's number.
func trimKB(s string) string {
	if len(s) > 2 && s[0]|0x20 == 'k' && s[1]|0x20 == 'b' && isDigit(s[2]) {
		return s[2:]
	}
	return s
}

// compareFold compares bytewise, ASCII letters without their case.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return order(int(x), int(y))
		}
	}
	return order(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// cutSemVer splits what is a version of SemVer 2.0.0 and drops its build
// metadata, which has no part in the order.
func cutSemVer(s string) (core, pre string, ok bool) {
	s, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(s, "-")
	if hasBuild && !identifiers(build, true) || hasPre && !identifiers(pre, false) {
		return "", "", false
	}
	rest := core
	for i := range 3 {
		n := digits(rest)
		if n == 0 || n > 1 && rest[0] == '0' {
			return "", "", false
		}
		rest = rest[n:]
		if i < 2 {
			if rest == "" || rest[0] != '.' {
				return "", "", false
			}
			rest = rest[1:]
		}
	}
	return core, pre, rest == ""
}

// identifiers reports whether s is SemVer's dot-separated identifiers; numeric
// ones have no leading zeros, unless zeros are allowed.
func identifiers(s string, zeros bool) bool {
	for more := true; more; {
		var id string
		id, s, more = strings.Cut(s, ".")
		if id == "" || !zeros && len(id) > 1 && id[0] == '0' && digits(id) == len(id) {
			return false
		}
		for i := range len(id) {
			if c := id[i]; !isDigit(c) && !isLetter(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

// comparePreRelease is item 11 of SemVer 2.0.0.
func comparePreRelease(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		numX, numY := digits(x) == len(x), digits(y) == len(y)
		c := 0
		switch {
		case numX && numY:
			c = compareDigits(x, y)
		case numX:
			return -1
		case numY:
			return 1
		default:
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return order(len(a), len(b))
}
