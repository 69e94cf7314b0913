package osv

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// decode reads a record as json.Unmarshal would, in less than half its time:
// distributions publish tens of thousands, and all are read at every plan.
// Whatever is unusual (a member twice or in other case, a value of another
// type) is left to json.Unmarshal, so that the two never differ.
func decode(data []byte, r *record) error {
	if json.Valid(data) {
		s := scan{data: data}
		s.record(r)
		if !s.odd {
			return nil
		}
		*r = record{}
	}
	return json.Unmarshal(data, r)
}

// scan walks valid JSON. odd says that something was not as expected.
type scan struct {
	data []byte
	i    int
	odd  bool
}

func (s *scan) record(r *record) {
	s.object(recordNames, func(name int) {
		switch name {
		case 0:
			r.ID = s.str()
		case 1:
			r.Summary = s.str()
		case 2:
			r.Details = s.str()
		case 3:
			r.Published = s.str()
		case 4:
			r.Modified = s.str()
		case 5:
			r.Withdrawn = s.str()
		case 6:
			r.Aliases = s.strs()
		case 7:
			r.Related = s.strs()
		case 8:
			r.Upstream = s.strs()
		case 9:
			r.Severity = s.severities()
		case 10:
			s.array(func() {
				r.Affected = append(r.Affected, affected{})
				s.affected(&r.Affected[len(r.Affected)-1])
			})
		}
	})
}

// The members that are read, in the order of the cases that read them.
var (
	recordNames   = []string{"id", "summary", "details", "published", "modified", "withdrawn", "aliases", "related", "upstream", "severity", "affected"}
	affectedNames = []string{"package", "severity", "ranges", "versions", "ecosystem_specific"}
	packageNames  = []string{"ecosystem", "name", "purl"}
	rangeNames    = []string{"type", "events"}
	eventNames    = []string{"introduced", "fixed", "last_affected"}
	severityNames = []string{"type", "score"}
)

func (s *scan) affected(x *affected) {
	s.object(affectedNames, func(name int) {
		switch name {
		case 0:
			s.strings(packageNames, &x.Package.Ecosystem, &x.Package.Name, &x.Package.PURL)
		case 1:
			x.Severity = s.severities()
		case 2:
			s.array(func() {
				var r ranges
				s.ranges(&r)
				x.Ranges = append(x.Ranges, r)
			})
		case 3:
			x.Versions = s.raw()
		case 4:
			x.Ecosystem = s.raw()
		}
	})
}

func (s *scan) ranges(r *ranges) {
	s.object(rangeNames, func(name int) {
		switch name {
		case 0:
			r.Type = s.str()
		case 1:
			s.array(func() {
				var e event
				s.strings(eventNames, &e.Introduced, &e.Fixed, &e.LastAffected)
				r.Events = append(r.Events, e)
			})
		}
	})
}

func (s *scan) severities() (list []severity) {
	s.array(func() {
		var x severity
		s.strings(severityNames, &x.Type, &x.Score)
		list = append(list, x)
	})
	return list
}

func (s *scan) strs() (list []string) {
	s.array(func() { list = append(list, s.str()) })
	return list
}

// strings reads an object whose members of interest are all strings.
func (s *scan) strings(names []string, into ...*string) {
	s.object(names, func(name int) { *into[name] = s.str() })
}

// object calls member at the value of each member that has one of the names.
func (s *scan) object(names []string, member func(name int)) {
	if !s.open('{') {
		return
	}
	seen := 0
	for s.more('}') {
		key := s.text()
		s.space()
		s.i++ // the colon
		s.space()
		name := s.nameOf(key, names)
		if name < 0 {
			s.raw()
			continue
		}
		if seen&(1<<name) != 0 {
			s.odd = true
		}
		seen |= 1 << name
		member(name)
	}
}

// nameOf returns which of the names a key is, -1 for none. One that is a name in
// another case, or that might be with its escapes undone, is odd.
func (s *scan) nameOf(key []byte, names []string) int {
	for i, n := range names {
		if string(key) == n {
			return i
		}
	}
	for _, c := range key {
		s.odd = s.odd || c == '\\' || c >= utf8.RuneSelf
	}
	for _, n := range names {
		s.odd = s.odd || len(key) == len(n) && strings.EqualFold(string(key), n)
	}
	return -1
}

func (s *scan) array(element func()) {
	if !s.open('[') {
		return
	}
	for s.more(']') {
		element()
	}
}

// open enters an object or list; null is as if it were not there.
func (s *scan) open(bracket byte) bool {
	s.space()
	if s.data[s.i] == bracket {
		s.i++
		return true
	}
	s.odd = s.odd || s.data[s.i] != 'n'
	s.raw()
	return false
}

// more passes over a comma, and leaves what is at its end.
func (s *scan) more(end byte) bool {
	s.space()
	if s.data[s.i] == ',' {
		s.i++
		s.space()
	}
	if s.data[s.i] == end {
		s.i++
		return false
	}
	return true
}

func (s *scan) space() {
	for s.i < len(s.data) && (s.data[s.i] == ' ' || s.data[s.i] == '\n' || s.data[s.i] == '\r' || s.data[s.i] == '\t') {
		s.i++
	}
}

// str reads a string; null is "".
func (s *scan) str() string {
	s.space()
	if s.data[s.i] != '"' {
		s.odd = s.odd || s.data[s.i] != 'n'
		s.raw()
		return ""
	}
	start := s.i
	text := s.text()
	if bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) {
		return string(text)
	}
	var v string
	if json.Unmarshal(s.data[start:s.i], &v) != nil {
		s.odd = true
	}
	return v
}

// text passes over a string and returns what stands between its quotes.
func (s *scan) text() []byte {
	start := s.i + 1
	for i := start; ; i++ {
		switch s.data[i] {
		case '\\':
			i++
		case '"':
			s.i = i + 1
			return s.data[start:i]
		}
	}
}

// raw passes over any value and returns it as it is written.
func (s *scan) raw() []byte {
	s.space()
	start, depth := s.i, 0
	for s.i < len(s.data) {
		switch s.data[s.i] {
		case '"':
			s.text()
			if depth == 0 {
				return s.data[start:s.i]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.data[start:s.i]
			}
			if depth--; depth == 0 {
				s.i++
				return s.data[start:s.i]
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return s.data[start:s.i]
			}
		}
		s.i++
	}
	return s.data[start:s.i]
}
