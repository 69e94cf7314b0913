// Package markup puts text from outside into pages, and keeps it text.
//
// Advisories, scanners, hosts and people say what they like; in Markdown, in HTML
// and in a commit's message it shows as it was said and becomes nothing else: no
// heading, list, link, picture, mention, reference, formula or order to a forge.
// markuptest holds pages to that, as a renderer and a browser read them.
package markup

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes text from outside safe inside a line of Markdown or a table cell:
// it shows as it is and becomes nothing else.
func Text(s string) string {
	var b strings.Builder
	s = strings.TrimSpace(dead(Line(s)))
	if s == "" {
		return "&#8203;" // with nothing in it, "- " and "****" are something else
	}
	if n := bullet(s); n >= 0 { // a list of its own, where it begins an item
		b.WriteString(s[:n] + `\` + s[n:n+1])
		s = s[n+1:]
	}
	for _, r := range s {
		switch r {
		case '`', '<', '>', '&':
			fmt.Fprintf(&b, "&#%d;", r)
		case '\\', '*', '_', '[', ']', '|', '~', '#', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '$':
			b.WriteString(dollar)
		case gap:
			b.WriteString("&#8203;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Cell is a text in a table, where nothing may stand too.
func Cell(s string) string {
	if s == "" {
		return ""
	}
	return Text(s)
}

// dollar is a dollar that begins no formula, as GitHub's documentation has it.
const dollar = "<span>$</span>"

// bullet is the place of what would make a list's item of a text, -1 where
// nothing does.
func bullet(s string) int {
	if s == "" {
		return -1
	}
	if strings.ContainsRune("-+=", rune(s[0])) {
		return 0
	}
	n := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if n > 0 && n < len(s) && (s[n] == '.' || s[n] == ')') && (n+1 == len(s) || s[n+1] == ' ') {
		return n
	}
	return -1
}

// gap has no width. A forge looks for mentions, references and addresses in the
// finished text, where escapes and entities are letters again; none has a gap in
// the middle.
const gap = '\u200b'

var (
	// linkStart is where a forge would begin a link of its own making.
	linkStart = regexp.MustCompile(`(?i)@|#|:/|\bwww|\bgh-`)
	// sha is what could name a commit.
	sha = regexp.MustCompile(`(?i)\b[0-9a-f]{7,40}\b`)
	// byName is what GitHub shows as a picture: :tada:. Its colons may be those of
	// two names, and its second one the page's own.
	byName = regexp.MustCompile(`^(?:[0-9]*[A-Za-z_+-][A-Za-z0-9_+-]*|100|1234)(?::|$)`)
)

// dead puts a gap into whatever a forge would make more of. The text holds no
// gaps before.
func dead(s string) string {
	s = linkStart.ReplaceAllStringFunc(s, func(m string) string {
		if m == ":/" {
			return ":" + string(gap) + "/"
		}
		return m + string(gap)
	})
	s = sha.ReplaceAllStringFunc(s, func(m string) string {
		if !strings.ContainsAny(m, "0123456789") || strings.Trim(m, "0123456789") == "" {
			return m // a word, or a number
		}
		return inGroups(m, 6)
	})
	var b strings.Builder
	for i, r := range s {
		b.WriteRune(r)
		if r == ':' && byName.MatchString(s[i+1:]) {
			b.WriteRune(gap)
		}
	}
	return b.String()
}

// toRunners is what a forge takes for an order to run no workflows, where a
// commit's message or a pull request's title says it.
var toRunners = regexp.MustCompile(`(?i)\[(?:skip|ci|no|actions)|skip-checks`)

// Message is text from outside as one line of a commit's message or a title: it
// mentions nobody, closes no issue and keeps no workflow from running. What
// begins a line with it is the caller's, so that it is no trailer.
func Message(s string) string {
	return toRunners.ReplaceAllStringFunc(dead(Line(s)), func(m string) string { return m[:1] + string(gap) + m[1:] })
}

// inGroups puts a gap after every n letters.
func inGroups(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + string(gap))
		s = s[n:]
	}
	return b.String() + s
}

// codeSpan takes what would end a span of code, or a table cell.
var codeSpan = strings.NewReplacer("`", "'", "|", "¦")

// Code shows a name as code. Nothing ends the span early.
func Code(s string) string {
	s = codeSpan.Replace(Line(s))
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return "`" + s + "`"
}

// HTML is text inside an HTML element, where Markdown may or may not be read.
func HTML(s string) string {
	var b strings.Builder
	for _, r := range dead(Line(s)) {
		switch {
		case r == '$':
			b.WriteString("<span>&#36;</span>")
		case r == gap || strings.ContainsRune("&<>\"'\\`*_[]|~!", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// address is what a link may lead to: a page on the web, spelt so that it ends
// no link early.
var address = regexp.MustCompile(`^https?://[A-Za-z0-9._~:/?#@!$&*+,;=%\[\]-]+$`)

// Link is a text that leads to an address, and the text alone where there is none.
func Link(text, to string) string {
	if !address.MatchString(to) || len(to) > 500 {
		return text
	}
	return "[" + text + "](" + to + ")"
}

// Line takes out control characters, also those that turn the direction of
// text around, and joins lines.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}
