package inventory

import (
	"fmt"
	"strings"
)

// Problem is what a reader of foreign files could not take, or took on an
// assumption. Readers never stop at the first: whatever else the file knows is
// returned beside the problems.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`  // from 1, 0 where lines mean nothing
	Where   string `json:"where,omitempty"` // host or JSON path within the file, "" the file as a whole
	Message string `json:"message"`
	// Note is true where nothing was lost: the reader says what it assumed, or
	// what the file could have told but does not.
	Note bool `json:"note,omitempty"`
}

// String is the problem as people read it: file:line: where: message.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Where != "" {
		b.WriteString(": " + p.Where)
	}
	b.WriteString(": " + p.Message)
	return b.String()
}

// HostGrammar says what a host name is, as the end of a message.
const HostGrammar = `expected labels of letters, digits, "-" and "_" joined by "."`

// Problems collects the problems of one file.
type Problems struct {
	File string
	List []Problem
}

// Lost records that something of the file is not kept.
func (p *Problems) Lost(where, format string, args ...any) {
	p.List = append(p.List, Problem{File: p.File, Where: where, Message: fmt.Sprintf(format, args...)})
}

// Note records an assumption, by which nothing is lost.
func (p *Problems) Note(where, format string, args ...any) {
	p.List = append(p.List, Problem{File: p.File, Where: where, Message: fmt.Sprintf(format, args...), Note: true})
}

// Host begins the place of a problem that concerns one host.
func (id HostID) where() string { return fmt.Sprintf("host %q", string(id)) }

// some names the first few of a list and counts the rest.
func some(names []string) string {
	const most = 5
	shown := make([]string, 0, most)
	for _, n := range names[:min(most, len(names))] {
		shown = append(shown, fmt.Sprintf("%q", n))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
