package replay

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
)

// mostWord is how much of a name from outside is shown, mostReason of a reason: a
// whole page is then less than the 65,536 characters that GitHub takes.
const (
	mostWord   = 120
	mostReason = 300
)

// code shows a name from outside as a span of code, which nothing in it ends: in
// it no forge looks for mentions, references or addresses.
func code(s string) string { return span(s, mostWord) }

// reason is code for what is longer.
func reason(s string) string { return span(s, mostReason) }

func span(s string, most int) string {
	s = clip(strings.NewReplacer("`", "'", "|", "¦").Replace(markup.Line(s)), most)
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	return "`" + s + "`"
}

// clip shortens text to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%s %ss", thousands(n), what)
}

// thousands is a whole number with its thousands apart.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// some names the first of a list, and says how many there are beyond.
func some(list []string, most int, show func(string) string) string {
	var out []string
	for i, s := range list {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		out = append(out, show(s))
	}
	return strings.Join(out, ", ")
}

// parts joins what is not empty.
func parts(list ...string) string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

// counted is "n what" where there are any, "" where not.
func counted(n int, what string) string {
	if n == 0 {
		return ""
	}
	return thousands(n) + " " + what
}
