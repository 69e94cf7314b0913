package estate

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

const (
	lowers  = "abcdefghijklmnopqrstuvwxyz"
	letters = lowers + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	alnum   = letters + digits
)

// made reports whether s has 1 to most characters, all of the alphabet, the
// first one of first.
func made(s, first, alphabet string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, alphabet) == ""
}

// validName is the grammar of the names that people give to blocks.
func validName(s string) bool { return made(s, alnum, alnum+"._-", 64) }

// validGroup is narrower: a group's name is part of plan ids and branch names.
func validGroup(s string) bool { return made(s, lowers+digits, lowers+digits+"-", 40) }

// validPerson is the grammar of owners, teams and members: a name, an address
// or a forge's @organisation/team.
func validPerson(s string) bool { return made(s, alnum+"@", alnum+"@+._/-", 128) }

// validID is the grammar of ids that feeds and scanners give: CVE-2024-0727,
// ALSA-2025:0288, GHSA-xxxx.
func validID(s string) bool { return made(s, alnum, alnum+"._:+@/~-", 128) }

// printable reports whether a text is valid UTF-8 of characters that print.
func printable(s string) bool {
	for i, r := range s {
		if r >= ' ' && r <= '~' {
			continue
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// validPattern is a host name with "*" and "?" in it.
func validPattern(s string) bool {
	return s != "" && len(s) <= 253 && strings.Trim(s, alnum+"._-*?") == ""
}

// name checks the grammar of a block's label.
func (r *reader) name(b *hclfile.Block) bool {
	if !validName(b.Name()) && len(b.Labels) > 0 {
		r.at(b.NamePlace(), `%s name %q: a name has up to 64 letters, digits, ".", "_" and "-", and begins with a letter or digit`, b.Type, b.Name())
		return false
	}
	return len(b.Labels) > 0
}

// people checks the grammar of owners and members.
func (r *reader) people(d *hclfile.Decoder, attr string, names []string) {
	for _, n := range names {
		if !validPerson(n) {
			d.Fault(attr, "attribute %q: %q is not the name of a person or team", attr, n)
		}
	}
}

// patterns reads a list of globs over host ids.
func (r *reader) patterns(d *hclfile.Decoder, attr string) []string {
	var list []string
	for _, it := range d.Items(attr) {
		switch {
		case !ring.IsGlob(it.Text) && !inventory.HostID(it.Text).Valid():
			d.At(it.Place, "%s: attribute %q: %q is not a host name", d.Title(), attr, it.Text)
		case ring.IsGlob(it.Text) && !validPattern(it.Text):
			d.At(it.Place, `%s: attribute %q: %q is not a pattern of host names; "*" stands for any characters, "?" for one`, d.Title(), attr, it.Text)
		default:
			list = append(list, it.Text)
		}
	}
	return list
}

// matches returns the range of sorted ids that can match a pattern, by the text
// before its first wildcard.
func matches(pattern string, ids []inventory.HostID) (from, to int) {
	prefix := pattern
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		prefix = pattern[:i]
	}
	from = sort.Search(len(ids), func(i int) bool { return string(ids[i]) >= prefix })
	to = from + sort.Search(len(ids)-from, func(i int) bool { return !strings.HasPrefix(string(ids[from+i]), prefix) })
	return from, to
}
