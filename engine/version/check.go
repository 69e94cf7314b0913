package version

import (
	"fmt"
	"strconv"
	"strings"
)

// grammar is what Check holds the versions of a type to. name completes "is
// not … version".
type grammar struct {
	name  string
	fault func(s string) string
}

var grammars = map[Type]grammar{
	Deb:     {"a dpkg", debFault},
	RPM:     {"an rpm", rpmFault},
	APK:     {"an apk", func(s string) string { return firstFault(shapeFault(s, "._~-"), func() string { return apkFault(s) }) }},
	Windows: {"a Windows", func(s string) string { return shapeFault(s, "._+~-") }},
	Generic: {"a generic", func(s string) string { return shapeFault(s, "._+~^:-") }},
}

// debFault follows deb-version(7) and dpkg's own parser, which lets an upstream
// version begin with a letter.
func debFault(s string) string {
	epoch, rest := cutEpoch(s)
	upstream, revision := cutRevision(rest)
	extra := ".+~-"
	if epoch != "" {
		extra += ":"
	}
	return firstFault(epochFault(epoch), func() string { return shapeFault(upstream, extra) }, func() string {
		if strings.HasSuffix(rest, "-") {
			return "the revision is empty"
		}
		return charFault(revision, ".+~")
	})
}

// rpmFault follows rpm-version(7): a release need not be there, as in what
// other packages require.
func rpmFault(s string) string {
	epoch, rest := cutEpoch(s)
	v, release, has := cutRelease(rest)
	return firstFault(epochFault(epoch), func() string { return shapeFault(v, "._+~^") }, func() string {
		if has && release == "" {
			return "the release is empty"
		}
		return charFault(release, "._+~^")
	})
}

// epochFault limits an epoch to what dpkg and rpm hold, a 32-bit number.
func epochFault(epoch string) string {
	if epoch == "" {
		return ""
	}
	if _, err := strconv.ParseInt(epoch, 10, 32); err != nil {
		return fmt.Sprintf("epoch %s is too large", epoch)
	}
	return ""
}

// shapeFault wants letters, digits and extra characters, a letter or digit first.
func shapeFault(s, extra string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > maxLength:
		return fmt.Sprintf("it is %d characters long; at most %d are allowed", len(s), maxLength)
	case !isDigit(s[0]) && !isLetter(s[0]):
		return "it begins with " + quoted(s[:1])
	}
	return charFault(s, extra)
}

func charFault(s, extra string) string {
	for _, r := range s {
		if r >= 0x80 || !isDigit(byte(r)) && !isLetter(byte(r)) && !strings.ContainsRune(extra, r) {
			return "it holds " + quoted(string(r))
		}
	}
	if len(s) > maxLength {
		return fmt.Sprintf("it is longer than %d characters", maxLength)
	}
	return ""
}

func firstFault(first string, others ...func() string) string {
	for _, f := range others {
		if first != "" {
			return first
		}
		first = f()
	}
	return first
}

func quoted(s string) string { return strconv.Quote(s) }
