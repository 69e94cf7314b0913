package main

import (
	"strings"
	"unicode"
)

// plain is text from outside as a terminal may show it: what moves a cursor,
// colours, hides or turns text round is left out, and only line ends stay.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

// line is plain text on one line, so that nothing from outside begins a line of
// its own: a workflow's runner would read "::" there as a command.
func line(s string) string {
	return strings.TrimRight(strings.ReplaceAll(plain(s), "\n", " "), " ")
}
