package report

import (
	"fmt"
	"strings"
	"time"
)

// Reviewed is one person's approval of an earlier version, as a pull request's
// description shows it.
type Reviewed struct {
	By string
	At time.Time // when it was given; it is shown in the plan's zone
	// Counts says that the approval still does: what is proposed now is no worse.
	Counts bool
	// Why is the reason for that, in a few words; it may be empty.
	Why string
	// Since is what changed since the version that was approved, as Since(that, now)
	// says it; empty where they read the same.
	Since []string
}

// reviewedMost is how many approvals are told, and reviewedLines how many lines
// of change stand below each.
const reviewedMost, reviewedLines = 10, 8

// reviewed tells, for each approval of an earlier version, whether it still
// counts and what changed since: those that must look again first.
func (s *sheet) reviewed(list []Reviewed, d detail) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Since each approval\n\n")
	n := 0
	for _, counts := range []bool{false, true} {
		for _, r := range list {
			if r.Counts != counts {
				continue
			}
			if n++; n <= reviewedMost {
				s.oneReviewed(&b, r, d)
			}
		}
	}
	if n > reviewedMost {
		fmt.Fprintf(&b, "- and %s more\n", plural(n-reviewedMost, "approval"))
	}
	return b.String() + "\n"
}

func (s *sheet) oneReviewed(b *strings.Builder, r Reviewed, d detail) {
	verdict := "no longer counts"
	if r.Counts {
		verdict = "still counts"
	}
	fmt.Fprintf(b, "- %s approved on %s, which **%s**", code(clip(r.By, 80)), moment(inZone(r.At, s.At.Location())), verdict)
	if r.Why != "" {
		fmt.Fprintf(b, ": %s", d.said(r.Why))
	}
	b.WriteString("\n")
	for i, l := range r.Since {
		if i == min(reviewedLines, d.rows) {
			fmt.Fprintf(b, "    - and %d differences more\n", len(r.Since)-i)
			break
		}
		fmt.Fprintf(b, "    - %s\n", d.said(l))
	}
}
