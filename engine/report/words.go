package report

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// What pages are written with.
var inert, cell, code, htmlText, oneLine, link = markup.Text, markup.Cell, markup.Code, markup.HTML, markup.Line, markup.Link

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

func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// cut keeps the first entries of a list and says how many are left out.
func cut(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(append([]string{}, list[:n]...), fmt.Sprintf("%d more", len(list)-n))
}

// join is "a, b and c".
func join(list []string) string {
	switch len(list) {
	case 0:
		return "none"
	case 1:
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "ch"):
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// risk is "3.1 % (1.2–6.0 %)".
func risk(r plan.Risk) string {
	return fmt.Sprintf("%s %% (%s–%s %%)", percent(r.P), percent(r.Low), percent(r.High))
}

func percent(p float64) string {
	if p > 0 && p < 0.001 {
		return "<0.1"
	}
	return fmt.Sprintf("%.1f", 100*p)
}

func sourceName(s string) string {
	switch s {
	case "rules":
		return "rules alone"
	case "prior":
		return "imported history"
	case "model":
		return "the estate's own track record"
	}
	return inert(s)
}

func clockName(s string) string {
	switch s {
	case "ssvc":
		return "SSVC"
	case "bod-26-04":
		return "BOD 26-04"
	case "sla":
		return "SLA"
	}
	return s
}

// moment is a time as the clocks of its zone show it; read puts a plan's times
// into the estate's.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("Mon 2 Jan 2006 15:04")
}

// minute leaves out the year where it is that of the plan.
func minute(t, at time.Time) string { return t.Format("Mon 2 Jan" + year(t, at) + " 15:04") }

func day(t, at time.Time) string {
	if t.IsZero() {
		return "no date"
	}
	return t.Format("Mon 2 Jan" + year(t, at))
}

// year is the layout of a year that needs saying.
func year(t, at time.Time) string {
	if t.Year() == at.Year() {
		return ""
	}
	return " 2006"
}

// span is a length of time in its largest fitting units.
func span(d time.Duration) string {
	hours := int(d.Hours())
	switch {
	case hours >= 72 && hours%24 == 0 || hours > 240:
		return plural(hours/24, "day")
	case hours >= 1:
		return plural(hours, "hour")
	}
	return plural(int(d.Minutes()), "minute")
}
