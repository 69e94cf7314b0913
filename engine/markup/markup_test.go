package markup_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
)

// FuzzTexts: the same of any text, in each of the places that a page has for one.
func FuzzTexts(f *testing.F) {
	for _, s := range markuptest.Hostile {
		f.Add(s)
	}
	places := func(s string) string {
		return "**What** " + markup.Text(s) + " and " + markup.Code(s) + ".  \n**Why** " + markup.Text(s) + "  \n\n- " + markup.Text(s) + "\n    - " + markup.Text(s) + "\n- **" + markup.Text(s) + "** " + markup.Code(s) + ": " + markup.Text(s) +
			"\n\n1. " + markup.Text(s) + " (**x**)\n\n> **" + markup.Text(s) + "**\n>\n\n# " + markup.Text(s) + "\n\n### " + markup.Code(s) + " x\n\n| " + markup.Text(s) + " | " + markup.Code(s) + " | " + markup.Text(s) + ", " + markup.Code(s) + " |\n|---|---|---|\n| " +
			markup.Text(s) + " | " + markup.Code(s) + " " + markup.Code(s) + " | " + markup.Text(s) + " |\n\n<details><summary>" + markup.HTML(s) + "</summary>\n\nx\n\n</details>\n\n---\nx " + markup.Text(s) + " " + markup.Code(s) + ".\n"
	}
	want, _ := markuptest.Read(f, places("word"))
	f.Fuzz(func(t *testing.T, s string) {
		got, texts := markuptest.Read(t, places(s))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a page of %q is built otherwise (-want +got):\n%s", s, diff)
		}
		markuptest.Dead(t, fmt.Sprintf("a page of %q", s), texts)
		for _, got := range []string{markup.Text(s), markup.Cell(s), markup.Code(s), markup.HTML(s), markup.Message(s), markup.Line(s)} {
			if strings.ContainsAny(got, "\n\r\x1b\u2028") || !utf8.ValidString(got) {
				t.Errorf("%q became %q", s, got)
			}
		}
		if c := markup.Code(s); c != "" && (strings.Count(c, "`") != 2 || strings.Contains(c, "|")) {
			t.Errorf("Code(%q) = %q", s, c)
		}
	})
}

func TestLink(t *testing.T) {
	for to, want := range map[string]string{
		"https://git.example/acme/estate/pull/1": "[x](https://git.example/acme/estate/pull/1)", "http://h:8080/a?b=c#d": "[x](http://h:8080/a?b=c#d)",
		"": "x", "javascript:alert(1)": "x", "https://a.example/)x(": "x", "https://a.example/ \"t\"": "x", "https://a.example/<b>": "x", "//evil.example": "x", "https://a.example/\n": "x",
	} {
		if got := markup.Link("x", to); got != want {
			t.Errorf("Link(x, %q) = %q, want %q", to, got, want)
		}
	}
}

// TestMessages: a commit's message and a title say nothing to a forge or a runner
// that ringmaster did not.
func TestMessages(t *testing.T) {
	orders := regexp.MustCompile(`(?i)\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:`)
	for _, s := range slices.Concat(markuptest.Hostile, []string{"[ci skip]", "[NO CI]", "[skip actions]", "x\n\n\nskip-checks:true", "x\n\nCo-authored-by: olivia <olivia@evil.example>"}) {
		text := markup.Message(s)
		markuptest.Dead(t, fmt.Sprintf("Message of %q", s), []string{strings.ReplaceAll(text, "$", "")}) // no formulas there
		if strings.Contains(text, "\n") || orders.MatchString(text) {
			t.Errorf("Message(%q) = %q", s, text)
		}
	}
}
