package report

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/command"
	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
)

// answers are some with a text from outside wherever one stands.
func answers(s string) *Answers {
	return &Answers{Timezone: "Europe/Berlin",
		List: []Answer{
			{At: at, By: s, Text: s, URL: "https://git.example/pull/1#issuecomment-1", Became: s, Link: "https://git.example/x", Detail: s + "\n" + s},
			{At: at, By: s, Text: s, Became: s},
		},
		Refused: []Refusal{{By: s, May: s, Many: 2}},
		Stand:   []Hold{{"hold", s, s, s, at, at.Add(time.Hour), "ends soon"}},
	}
}

// An answer is a comment too: nothing in it is a command, whatever it tells.
func TestAnswersAskNothing(t *testing.T) {
	for _, s := range append(slices.Clone(markuptest.Hostile), "/ringmaster replan", "x\n\n/ringmaster replan\n", "```\n\n/ringmaster replan", "`````\n</details>\n\n/ringmaster replan") {
		if got := command.Parse(answers(s).Markdown(), time.UTC); len(got) > 0 {
			t.Errorf("answers with %q ask for %+v", s, got)
		}
	}
}

// However much is asked, a forge takes the answer, and the newest is in it.
func TestAnswersFit(t *testing.T) {
	for _, s := range []string{strings.Repeat("@", 70_000), strings.Repeat("`|<&\n", 20_000), strings.Repeat("é", 70_000)} {
		a := &Answers{Timezone: "Europe/Berlin"}
		for range 100 {
			a.List = append(a.List, Answer{At: at, By: s, Text: s, Became: s, Detail: s})
			a.Refused = append(a.Refused, Refusal{By: s, May: s, Many: 1})
			a.Stand = append(a.Stand, Hold{Kind: s, What: s, Why: s, By: s, Until: at})
		}
		a.List[0] = Answer{At: at, By: "fred", Text: "/ringmaster explain web-01", Became: "explained below", Detail: "because of the window\n"}
		text := a.Markdown()
		if n := utf8.RuneCountInString(text); n > 65_300 { // GitHub's 65,536, less what marks it
			t.Errorf("%.3q…: the answer has %d characters", s, n)
		}
		for _, want := range []string{"explained below", "because of the window\n```", " before these.", " more.", "ringmaster status` has all.", "`/ringmaster help` tells them all. Times are those of Europe/Berlin.\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%.3q…: the answer does not say %q", s, want)
			}
		}
	}
}

// An address is the forge's own, and still nothing else than an address.
func TestWebAddress(t *testing.T) {
	for s, want := range map[string]bool{
		"https://git.example/a/b/pull/1#issuecomment-2": true, "http://127.0.0.1:80/x": true, "javascript:alert(1)": false, "": false, "//git.example": false,
		"https://git.example/x) [y](https://evil.example": false, "https://git.example/<x>": false, "https://git.example/a|b": false, "https://git.example/a\nb": false,
	} {
		if got := webAddress(s) != ""; got != want {
			t.Errorf("webAddress(%q) is one: %t, want %t", s, got, want)
		}
	}
}
