package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// mermaid is the rings as a Gantt chart in Mermaid, which GitHub draws: each from
// its first wave to the end of its last soak, the first most of them. Its only
// text from outside is the rings' names, of which letters, digits, spaces and
// hyphens are kept.
func (s *sheet) mermaid(most int) string {
	if len(s.Rings) == 0 {
		return ""
	}
	const layout = "2006-01-02T15:04"
	var b strings.Builder
	format, every := s.axisOfChart()
	// No marker of today: it would go by the reader's clock, and the times are the estate's.
	fmt.Fprintf(&b, "```mermaid\ngantt\n    dateFormat YYYY-MM-DDTHH:mm\n    axisFormat %s\n    tickInterval %s\n    todayMarker off\n", format, every)
	for i, r := range s.Rings {
		first, last := watchedFor(r)
		if i == most {
			fmt.Fprintf(&b, "    section more\n    %s : %s, %s\n", plural(len(s.Rings)-i, "ring"), first.Format(layout), s.axis().to.Format(layout))
			break
		}
		fmt.Fprintf(&b, "    section %s\n    %s in %s : %s, %s\n", plainName(r.Name), plural(ringHosts(r), "host"), plural(len(r.Waves), "wave"), first.Format(layout), last.Format(layout))
	}
	if due := s.deadline(); !due.IsZero() && !due.Before(s.At) {
		fmt.Fprintf(&b, "    section deadline\n    due : milestone, %s, 0d\n", due.Format(layout))
	}
	b.WriteString("```\n\nEach ring from its first wave to the end of its soak.\n\n")
	return b.String()
}

// axisOfChart is how the chart's ticks read and how far they are apart: no more
// than a phone has room for.
func (s *sheet) axisOfChart() (format, every string) {
	const most = 5
	scale := s.axis()
	first, last := scale.from, scale.to
	if due := s.deadline(); due.After(last) {
		last = due
	}
	hours := int(last.Sub(first)/time.Hour) + 1
	for _, x := range []struct {
		hours         int
		format, every string
	}{
		{1, "%H:%M", "1hour"}, {3, "%H:%M", "3hour"}, {6, "%a %H:%M", "6hour"}, {12, "%a %H:%M", "12hour"}, {24, "%a %d %b", "1day"}, {48, "%a %d %b", "2day"}, {168, "%d %b", "1week"}, {336, "%d %b", "2week"},
	} {
		if hours <= most*x.hours {
			return x.format, x.every
		}
	}
	return "%b %Y", fmt.Sprintf("%dmonth", hours/(most*730)+1)
}

// watchedFor is when a ring's first wave begins and when its last soak is over.
func watchedFor(r plan.Ring) (first, last time.Time) {
	for _, w := range r.Waves {
		soak, _ := hclfile.ParseDuration(w.Soak)
		if first.IsZero() || w.Start.Before(first) {
			first = w.Start
		}
		if end := w.End.Add(soak); end.After(last) {
			last = end
		}
	}
	return first, last
}

// ringHosts counts a ring's hosts: each is in one of its waves.
func ringHosts(r plan.Ring) int {
	n := 0
	for _, w := range r.Waves {
		n += hostCount(w)
	}
	return n
}

// plainName is a name of which nothing can be syntax, and which is not empty.
func plainName(s string) string {
	s = strings.TrimSpace(strings.Map(plain, clip(s, 40)))
	if s == "" {
		return "ring"
	}
	return s
}

// plain keeps what cannot be syntax.
func plain(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == ' ' {
		return r
	}
	return -1
}
