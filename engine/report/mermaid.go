package report

import (
	"fmt"
	"strings"
	"unicode"
)

// mermaid is the rings and waves as a Gantt chart in Mermaid, which GitHub
// draws: at most n waves of each ring. Its only text from outside is the rings'
// names, of which letters, digits, spaces and hyphens are kept.
func (s *sheet) mermaid(n int) string {
	if len(s.Rings) == 0 {
		return ""
	}
	const layout = "2006-01-02T15:04"
	var b strings.Builder
	b.WriteString("```mermaid\ngantt\n    dateFormat YYYY-MM-DDTHH:mm\n    axisFormat %a %d %b %H:%M\n")
	for _, r := range s.Rings {
		fmt.Fprintf(&b, "    section %s\n", strings.Map(plain, r.Name))
		for i, w := range r.Waves {
			if i == n {
				last := r.Waves[len(r.Waves)-1]
				fmt.Fprintf(&b, "    %s more : %s, %s\n", plural(len(r.Waves)-n, "wave"), w.Start.Format(layout), last.End.Format(layout))
				break
			}
			fmt.Fprintf(&b, "    %s : %s, %s\n", plural(hostCount(w), "host"), w.Start.Format(layout), w.End.Format(layout))
		}
	}
	if due := s.deadline(); !due.IsZero() && !due.Before(s.At) {
		fmt.Fprintf(&b, "    section deadline\n    due : milestone, %s, 0d\n", due.Format(layout))
	}
	b.WriteString("```\n\n")
	return b.String()
}

// plain keeps what cannot be syntax.
func plain(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == ' ' {
		return r
	}
	return -1
}
