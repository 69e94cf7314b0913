package review

import (
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
)

// TestTextsStayTexts: reasons, names and vendors are whatever somebody wrote.
func TestTextsStayTexts(t *testing.T) {
	markuptest.Pages(t, func(s string) map[string]string {
		r := &Report{From: day(1, 0), To: day(2, 0), Saved: Saved{Note: "none"},
			People: []Verdict{{By: s, Patch: s, Said: s, Type: s, Reason: s, N: 1, Nearer: "person"}, {By: s, Patch: s, Said: s, Reason: s, N: 1, Nearer: "model"}},
			Watch:  []Observation{{s, s}}}
		return map[string]string{"the review": r.Markdown()}
	})
}
