package version

import "strings"

// apkKind is a part of an apk version (apk-package(5)):
//
//	number{.number}{letter}{_suffix{number}}{~hash}{-r#}
//
// The order of the kinds is that in which versions go on after equal parts: a
// version that goes on is newer than one that ends there, except for what
// follows a suffix that announces a release, and what is not understood.
type apkKind int

const (
	apkEarly    apkKind = iota // _alpha _beta _pre _rc
	apkUnknown                 // the rest of what is not an apk version
	apkEnd                     // nothing
	apkRevision                // -r3
	apkHash                    // ~1a2b3c
	apkCount                   // the number of a suffix
	apkLate                    // _cvs _svn _git _hg _p
	apkLetter                  // 1.1a
	apkNumber                  // .4
	apkFirst                   // the first number
)

var apkEarlies = [...]string{"alpha", "beta", "pre", "rc"}
var apkLates = [...]string{"cvs", "svn", "git", "hg", "p"}

// apkPart is one part: its text, or its place among suffixes.
type apkPart struct {
	kind   apkKind
	suffix int
	text   string
}

// compareAPK is the order of apk-tools 3.
func compareAPK(a, b string) int {
	pa, a := apkFirstPart(a)
	pb, b := apkFirstPart(b)
	for {
		if pa.kind != pb.kind {
			return order(int(pa.kind), int(pb.kind))
		}
		if c := pa.compare(pb); c != 0 || pa.kind == apkEnd || pa.kind == apkUnknown {
			return c
		}
		pa, a = apkNextPart(pa.kind, a)
		pb, b = apkNextPart(pb.kind, b)
	}
}

// compare orders two parts of one kind.
func (p apkPart) compare(q apkPart) int {
	switch p.kind {
	case apkEnd:
		return 0
	case apkEarly, apkLate:
		return order(p.suffix, q.suffix)
	case apkLetter, apkHash:
		return strings.Compare(p.text, q.text)
	case apkUnknown:
		return compareGeneric(p.text, q.text)
	case apkNumber:
		// As in Gentoo's order, a leading zero makes it a decimal fraction.
		if p.text[0] == '0' || q.text[0] == '0' {
			return strings.Compare(p.text, q.text)
		}
	}
	return compareDigits(p.text, q.text)
}

func apkFirstPart(s string) (apkPart, string) {
	return apkDigits(apkFirst, s, s)
}

// apkNextPart returns the part that s begins with, given the kind before it.
func apkNextPart(before apkKind, s string) (apkPart, string) {
	if s == "" {
		return apkPart{kind: apkEnd}, ""
	}
	inNumbers := before == apkFirst || before == apkNumber
	afterSuffix := before == apkEarly || before == apkLate
	beforeHash := inNumbers || afterSuffix || before == apkLetter || before == apkCount
	switch c := s[0]; {
	case 'a' <= c && c <= 'z' && inNumbers:
		return apkPart{kind: apkLetter, text: s[:1]}, s[1:]
	case c == '.' && inNumbers:
		return apkDigits(apkNumber, s[1:], s)
	case isDigit(c) && afterSuffix:
		return apkDigits(apkCount, s, s)
	case c == '_' && beforeHash:
		return apkSuffix(s)
	case c == '~' && beforeHash:
		return apkCommit(s)
	case c == '-' && before != apkRevision && strings.HasPrefix(s, "-r"):
		return apkDigits(apkRevision, s[2:], s)
	}
	return apkPart{kind: apkUnknown, text: s}, ""
}

// apkDigits takes a run of digits off s; where there is none, all of whole is
// not understood.
func apkDigits(kind apkKind, s, whole string) (apkPart, string) {
	n := digits(s)
	if n == 0 {
		return apkPart{kind: apkUnknown, text: whole}, ""
	}
	return apkPart{kind: kind, text: s[:n]}, s[n:]
}

func apkSuffix(s string) (apkPart, string) {
	n := 1
	for n < len(s) && 'a' <= s[n] && s[n] <= 'z' {
		n++
	}
	for i, word := range apkEarlies {
		if s[1:n] == word {
			return apkPart{kind: apkEarly, suffix: i}, s[n:]
		}
	}
	for i, word := range apkLates {
		if s[1:n] == word {
			return apkPart{kind: apkLate, suffix: i}, s[n:]
		}
	}
	return apkPart{kind: apkUnknown, text: s}, ""
}

func apkCommit(s string) (apkPart, string) {
	n := 1
	for n < len(s) && (isDigit(s[n]) || 'a' <= s[n] && s[n] <= 'f') {
		n++
	}
	if n == 1 {
		return apkPart{kind: apkUnknown, text: s}, ""
	}
	return apkPart{kind: apkHash, text: s[1:n]}, s[n:]
}

// apkFault says what keeps s from being an apk version, "" when nothing does.
func apkFault(s string) string {
	p, rest := apkFirstPart(s)
	for p.kind != apkEnd && p.kind != apkUnknown {
		p, rest = apkNextPart(p.kind, rest)
	}
	if p.kind == apkUnknown {
		return quoted(p.text) + ` does not belong there; expected number{.number}{letter}{_suffix{number}}{~hash}{-r#}`
	}
	return ""
}
