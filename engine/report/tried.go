package report

import (
	"fmt"
	"strings"
)

// Tried is a change in a sandbox, and what it met there under load.
type Tried struct {
	Patch, Host, Ring string
	What              string // where it stands, as "passed"
	Before, After     *Load  // nil: not measured
}

// Load is what a workload met.
type Load struct {
	Requests, Errors int
	Seconds          float64 // the median of those that were answered, 0 where none was
}

// tried is what sandboxes said, as a table of before and after.
func (a *Aftermath) tried(b *strings.Builder) {
	for i, t := range a.Tried {
		if i == 0 {
			b.WriteString("\n**Tried in a sandbox**, under the same workload before and after\n\n| patch | host | requests | went wrong | latency | verdict |\n|---|---|---:|---:|---:|---|\n")
		}
		if i == wrongMost {
			fmt.Fprintf(b, "| and %d more | | | | | |\n", len(a.Tried)-i)
			return
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", code(t.Patch), code(t.Host), t.span((*Load).requests), t.span((*Load).wrong), t.span((*Load).latency), inert(t.What))
	}
}

// Load is what it met under load, in a few words.
func (t Tried) Load() string {
	return "under load: " + t.span((*Load).wrong) + " wrong, " + t.span((*Load).latency)
}

// span is a figure before and after.
func (t Tried) span(of func(*Load) string) string {
	if t.Before == nil && t.After == nil {
		return ""
	}
	return of(t.Before) + " → " + of(t.After)
}

func (l *Load) requests() string {
	if l == nil {
		return "?"
	}
	return fmt.Sprint(l.Requests)
}

func (l *Load) wrong() string {
	if l == nil || l.Requests == 0 {
		return "?"
	}
	return percent(float64(l.Errors)/float64(l.Requests)) + " %"
}

func (l *Load) latency() string {
	if l == nil || l.Seconds == 0 {
		return "?"
	}
	return fmt.Sprintf("%.*f ms", decimals(l.Seconds), 1000*l.Seconds)
}

// decimals leaves three digits that count, of milliseconds.
func decimals(seconds float64) int {
	switch {
	case seconds >= 0.1:
		return 0
	case seconds >= 0.01:
		return 1
	}
	return 2
}
