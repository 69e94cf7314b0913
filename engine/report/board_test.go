package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// board is one with something of everything.
func board(s string) *Board {
	return &Board{Estate: s, At: at, Timezone: "Europe/Berlin", Commit: "0123456789abcdef", Alerts: []string{s},
		Open:    []OpenPlan{{ID: "high-shop-1", Title: s, URL: "https://git.example/acme/estate/pull/1", Start: at, Deadline: at.Add(time.Hour), Missing: []string{s}}},
		Queue:   []QueuedPlan{{ID: "low-shop-1", Title: s, Why: s}},
		Running: []RunningPlan{{ID: "high-shop-2", Title: s, Rings: []RingProgress{{s, 3, 1, 1, 1}}, Refused: s, Trouble: []string{s, s, s, s, s, s, s}}},
		Holds:   []Hold{{"freeze", s, s, s, at.Add(time.Hour), at.Add(2 * time.Hour), s}},
		Waiting: []Waiting{{Why: s, Patches: []string{s, s, s, s, s}, Changes: 5, Overdue: 1}},
	}
}

// TestBoardFits: a page that a forge takes, whatever waits and however its texts
// grow when they are made inert; what is cut is said.
func TestBoardFits(t *testing.T) {
	for _, text := range []string{"y", "&", "|", "`", "@", "ä", "www."} {
		b := board(strings.Repeat(text, 5000))
		for i := range 5000 {
			b.Alerts = append(b.Alerts, strings.Repeat(text, 900))
			b.Waiting = append(b.Waiting, Waiting{Why: fmt.Sprintf("reason %d %s", i, strings.Repeat(text, 900)), Patches: []string{strings.Repeat(text, 200)}})
			b.Open = append(b.Open, OpenPlan{ID: fmt.Sprintf("low-shop-%d", i), Title: strings.Repeat(text, 900)})
		}
		page := string(b.Markdown())
		if n := utf8.RuneCountInString(page); n > boardMost {
			t.Errorf("the page of %q has %d characters", text, n)
		}
		for _, want := range []string{"## Waits for people", "## In the queue", "## Runs", "## Held, frozen and excepted", "## Needed and not planned", "## Last heard of", "alerts more**", "As of "} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of %q does not say %q", text, want)
			}
		}
		if strings.Count(page, "more; `ringmaster status --format json` has all.") < 2 {
			t.Errorf("the page of %q does not say what is cut", text)
		}
	}
}
