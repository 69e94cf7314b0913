package report

import (
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"

	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
)

// phone is a page's text, a line for each that begins on its own.
func phone(n *nethtml.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		switch {
		case c.Type == nethtml.TextNode:
			b.WriteString(strings.ReplaceAll(c.Data, "\n", " "))
		case c.Data == "br" || c.Data == "p":
			b.WriteString("\n")
		}
	}
	return strings.TrimSpace(b.String())
}

// pages are everything that a forge shows of a plan and of an estate, with a
// text from outside in every place that has one.
func pages(s string) map[string]string {
	p := poison(s)
	nothing := poison(s)
	nothing.Rings = nil
	reviewed := []Reviewed{{By: s, At: at, Counts: true, Why: s, Since: []string{s}}, {By: s, At: at, Why: s, Since: []string{s, s}}}
	return map[string]string{
		"plan.md": string(Files(p)["plan.md"]), "nothing": string(Markdown(nothing)),
		"body":  Body(p, 65536, Page{At: "https://git.example/raw/abc/plans/x/", Since: []string{s}, Reviewed: reviewed, Overrides: []Hold{{Kind: s, What: s, Why: s, By: s, Until: at, Notice: "ends soon"}}}),
		"board": string(board(s).Markdown()), "answers": answers(s).Markdown(),
		"aftermath": (&Aftermath{Plan: p, Rings: []RingAftermath{{Name: s, Waiting: 1}}, Begun: true, Refused: s, Next: at, For: s, Stopped: []string{s}, Held: []string{s}, Stand: []Hold{{Kind: s, What: s, Why: s, By: s, Until: at, Notice: "ends soon"}}, Wrong: []Wrong{{s, s, s, "rolled back", s, s}},
			Tried: []Tried{{Patch: s, Host: s, Ring: s, What: s, Before: &Load{Requests: 300, Seconds: 0.005}, After: &Load{Requests: 300, Errors: 120}}}}).Markdown(),
	}
}

// TestTextsStayTexts: see markuptest.Pages.
func TestTextsStayTexts(t *testing.T) { markuptest.Pages(t, pages) }

// TestTitlesSayNothing: a forge reads titles, and merges them into messages.
func TestTitlesSayNothing(t *testing.T) {
	for _, s := range markuptest.Hostile {
		title := Title(poison(s))
		markuptest.Dead(t, "the title of "+s, []string{strings.ReplaceAll(title, "$", "")})
		if strings.Contains(title, "\n") {
			t.Errorf("the title of %q is %q", s, title)
		}
	}
}
