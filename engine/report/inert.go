package report

import (
	"fmt"
	"regexp"
	"strings"
)

// inert makes text from outside safe inside a line of Markdown or a table cell:
// it shows as it is and becomes nothing else.
func inert(s string) string {
	var b strings.Builder
	s = strings.TrimSpace(dead(oneLine(s)))
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

// cell is a text in a table, where nothing may stand too.
func cell(s string) string {
	if s == "" {
		return ""
	}
	return inert(s)
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
	// two names.
	byName = regexp.MustCompile(`^(?:[0-9]*[A-Za-z_+-][A-Za-z0-9_+-]*|100|1234):`)
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
	return toRunners.ReplaceAllStringFunc(dead(oneLine(s)), func(m string) string { return m[:1] + string(gap) + m[1:] })
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

// code shows a name as code. Nothing ends the span early.
func code(s string) string {
	s = codeSpan.Replace(oneLine(s))
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return "`" + s + "`"
}

func codes(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = code(s)
	}
	return out
}

// few is the first entries as code, and how many are left out.
func few(list []string, n int) string {
	if len(list) <= n+1 {
		return join(codes(list))
	}
	return join(append(codes(list[:n]), fmt.Sprintf("%d more", len(list)-n)))
}

// some is the ends of a sorted list as code: its first entries and its last, with their
// number where it is not plain to see.
func some(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(codes(names), " ")
	}
	return fmt.Sprintf("%d: %s … %s", len(names), strings.Join(codes(names[:max(1, most-1)]), " "), code(names[len(names)-1]))
}

// htmlText is text inside an HTML element, where Markdown may or may not be read.
func htmlText(s string) string {
	var b strings.Builder
	for _, r := range dead(oneLine(s)) {
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

// link is a text that leads to an address, and the text alone where there is none.
func link(text, to string) string {
	if !address.MatchString(to) || len(to) > 500 {
		return text
	}
	return "[" + text + "](" + to + ")"
}
