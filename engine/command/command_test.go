package command

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var berlin = time.FixedZone("Europe/Berlin", 3600)

// A date alone is when that day begins where the estate is.
var ninth, noon = time.Date(2026, 3, 8, 23, 0, 0, 0, time.UTC), time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       Command
	}{
		{"nothing but the name", "/ringmaster", Command{Verb: Help}},
		{"help", "/ringmaster help", Command{Verb: Help}},
		{"replan", "/ringmaster  replan ", Command{Verb: Replan}},
		{"explain a host", "/ringmaster explain web-01", Command{Verb: Explain, Host: "web-01"}},
		{"explain a patch", "/ringmaster explain deb:openssl@3.0.15-1~deb12u1", Command{Verb: Explain, Patch: "deb:openssl@3.0.15-1~deb12u1"}},
		{"explain a patch on a host", "/ringmaster explain generic:golang.org/x/net@v0.1.0 web-01", Command{Verb: Explain, Patch: "generic:golang.org/x/net@v0.1.0", Host: "web-01"}},
		{"hold", "/ringmaster hold deb:openssl@* until 2026-03-09 because the audit runs",
			Command{Verb: Hold, Patch: "deb:openssl@*", Until: ninth, Reason: "the audit runs"}},
		{"hold with a type", "/ringmaster hold web-01 until 2026-03-09T12:00:00Z because business: quarter's end",
			Command{Verb: Hold, Host: "web-01", Until: noon, ReasonType: "business", Reason: "quarter's end"}},
		{"an offset", "/ringmaster hold web-01 until 2026-03-09T13:00:00+01:00 because x", Command{Verb: Hold, Host: "web-01", Until: noon, Reason: "x"}},
		{"tabs", "/ringmaster\thold\tweb-01\tuntil\t2026-03-09\tbecause\tx", Command{Verb: Hold, Host: "web-01", Until: ninth, Reason: "x"}},
		{"a reason says because and until", "/ringmaster exclude web-01 because because of until 2027", Command{Verb: Exclude, Host: "web-01", Reason: "because of until 2027"}},
		{"a reason with a colon", "/ringmaster exclude web-01 because as Ann said: no", Command{Verb: Exclude, Host: "web-01", Reason: "as Ann said: no"}},
		{"a reason in other letters", "/ringmaster exclude web-01 because größer als 5 МБ", Command{Verb: Exclude, Host: "web-01", Reason: "größer als 5 МБ"}},
		{"a reason that turns text around", "/ringmaster exclude web-01 because a\u202eb\u200bc\x07d", Command{Verb: Exclude, Host: "web-01", Reason: "abcd"}},
		{"exclude with an end", "/ringmaster exclude web-01 until 2026-03-09 because x", Command{Verb: Exclude, Host: "web-01", Until: ninth, Reason: "x"}},
		{"risk of the plan", "/ringmaster override risk=high because failed-before: in June", Command{Verb: Override, Risk: "high", ReasonType: "failed-before", Reason: "in June"}},
		{"risk of a patch", "/ringmaster override risk=low deb:openssl@* until 2026-03-09 because x", Command{Verb: Override, Risk: "low", Patch: "deb:openssl@*", Until: ninth, Reason: "x"}},
		{"stop", "/ringmaster stop because the network is down", Command{Verb: Stop, Reason: "the network is down"}},
		{"stop a host, and rollbacks", "/ringmaster stop web-01 rollbacks=held until 2026-03-09 because known-issue: x", Command{Verb: Stop, Host: "web-01", Rollbacks: true, Until: ninth, ReasonType: "known-issue", Reason: "x"}},
		{"release the plan", "/ringmaster release because x", Command{Verb: Release, Reason: "x"}},
		{"release the stop", "/ringmaster release stop because x", Command{Verb: Release, Everything: true, Reason: "x"}},
		{"release a patch on a host", "/ringmaster release deb:a@* web-01 because x", Command{Verb: Release, Patch: "deb:a@*", Host: "web-01", Reason: "x"}},
		{"exception", "/ringmaster exception deb:a@* until 2026-03-09 because mitigated: x", Command{Verb: Exception, Patch: "deb:a@*", Until: ninth, ReasonType: "mitigated", Reason: "x"}},
		{"exception of a service from a rule", "/ringmaster exception deb:a@* service=shop rule=freeze.deny until 2026-03-09 because x", Command{Verb: Exception, Patch: "deb:a@*", Service: "shop", Rule: "freeze.deny", Until: ninth, Reason: "x"}},
		{"why not", "/ringmaster ask why not web-01?", Command{Verb: Ask, Question: WhyNot, Host: "web-01"}},
		{"when", "/ringmaster ask when deb:openssl@*", Command{Verb: Ask, Question: When, Patch: "deb:openssl@*"}},
		{"who", "/ringmaster ask who must approve", Command{Verb: Ask, Question: Who}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Line, tt.want.Text = 1, strings.TrimRight(tt.text, " ")
			if d := cmp.Diff([]Command{tt.want}, Parse(tt.text, berlin)); d != "" {
				t.Errorf("Parse(%q): -want +got\n%s", tt.text, d)
			}
		})
	}
}

// Everything that is wrong is told at once, with what would be right.
func TestFaults(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"/ringmaster hodl web-01", []string{`column 13: "hodl" is not a command; did you mean "hold"? expected one of "explain", "hold", "exclude", "stop", "release", "override", "exception", "replan", "ask", "help"`}},
		{"/ringmaster HOLD web-01", []string{`column 13: "HOLD" is not a command; did you mean "hold"? expected one of "explain", "hold", "exclude", "stop", "release", "override", "exception", "replan", "ask", "help"`}},
		{"/ringmaster approve deb:a@1", []string{`column 13: "approve" is not a command; expected one of "explain", "hold", "exclude", "stop", "release", "override", "exception", "replan", "ask", "help"`}},
		{"/ringmaster stop", []string{`column 17: the reason is missing, which models learn from; expected "because" and why`}},
		{"/ringmaster stop deb:a@* because x", []string{`column 18: "deb:a@*" is a patch; a stop is about everything, or about a host: a patch is held`}},
		{"/ringmaster stop rollbacks=no because x", []string{`column 18: rollbacks "no"; expected "held"`}},
		{"/ringmaster stop risk=high because x", []string{`column 18: "risk" cannot be set here; expected "rollbacks"`}},
		{"/ringmaster release stop web-01 because x", []string{`column 21: "stop" is what stops everything, and the command names something else too; a release is of one of them`}},
		{"/ringmaster release web-01 until 2026-03-09 because x", []string{`column 28: "until" is a second host, if it is one; a command is about one`, `column 34: "2026-03-09" is a second host, if it is one; a command is about one`}},
		{"/ringmaster release because...", []string{`column 21: "because..." is neither a host nor a patch; expected as in web-01 or deb:openssl@*`, `column 31: the reason is missing, which models learn from; expected "because" and why`}},
		{"/ringmaster exception web-01 until 2026-03-09 because x", []string{`column 23: "web-01" is not a patch's id; an exception is about one, as deb:openssl@3.0.15-1~deb12u1 or deb:openssl@*`}},
		{"/ringmaster exception deb:a@* because x", []string{`column 40: its end is missing; expected "until" and a date, as in until 2026-03-09`}},
		{"/ringmaster exception until 2026-03-09 because x", []string{"column 49: what it is about is missing; expected a patch, as in deb:openssl@*"}},
		{"/ringmaster exception deb:a@* rule=freeze.deny;x service= until 2026-03-09 because x", []string{`column 31: rule "freeze.deny;x" is not a name`, `column 50: service "" is not a name`}},
		{"/ringmaster exception deb:a@* rule=fr\u0435eze.deny until 2026-03-09 because x", []string{`column 38: U+0435 stands in "rule=fr\u0435eze.deny"; names and dates are written in ASCII`}},
		{"/ringmaster\u00a0help", []string{`column 12: U+00A0 stands in "/ringmaster\u00a0help"; names and dates are written in ASCII`}},
		{"/ringmaster help me", []string{"column 18: \"me\" is too much; `/ringmaster help` is all"}},
		{"/ringmaster replan web-01 now", []string{"column 20: \"web-01\" is too much; `/ringmaster replan` is all", "column 27: \"now\" is too much; `/ringmaster replan` is all"}},
		{"/ringmaster explain", []string{"column 20: what it is about is missing; expected a host, as in web-01, or a patch, as in deb:openssl@*"}},
		{"/ringmaster explain web-01 because x", []string{`column 28: "because" is a second host, if it is one; a command is about one`, `column 36: "x" is a second host, if it is one; a command is about one`}},
		{"/ringmaster hold", []string{
			"column 17: what it is about is missing; expected a host, as in web-01, or a patch, as in deb:openssl@*",
			`column 17: its end is missing; expected "until" and a date, as in until 2026-03-09`,
			`column 17: the reason is missing, which models learn from; expected "because" and why`}},
		{"/ringmaster hold web-01; until tomorrow because", []string{
			`column 18: "web-01;" is neither a host nor a patch; expected as in web-01 or deb:openssl@*`,
			`column 32: "tomorrow" is not a date; expected as in 2026-03-09 or 2026-03-09T09:00:00Z`,
			"column 41: the reason is empty; models and people learn from it"}},
		{"/ringmaster hold web-01 untill 2026-03-09 because x", []string{
			`column 25: "untill" is neither a host nor a patch; did you mean "until"?`}},
		{"/ringmaster hold web-01 until because x", []string{`column 25: "until" has no date; expected one as in 2026-03-09 or 2026-03-09T09:00:00Z`}},
		{"/ringmaster hold web-01 until", []string{`column 25: "until" has no date; expected one as in 2026-03-09 or 2026-03-09T09:00:00Z`, `column 30: the reason is missing, which models learn from; expected "because" and why`}},
		{"/ringmaster hold web-01 until 2026-03-09 until 2026-03-10 because x", []string{`column 42: "until" stands here twice`}},
		{"/ringmaster hold web-01 until 2026-02-30 because x", []string{`column 31: "2026-02-30" is not a date; expected as in 2026-03-09 or 2026-03-09T09:00:00Z`}},
		{"/ringmaster override risk=low until 0001-01-01T00:00:00Z because x", []string{`column 37: "0001-01-01T00:00:00Z" is not of the years 1970 to 9999 in UTC; what has no end has no "until"`}},
		{"/ringmaster hold web-01 until 9999-12-31T23:59:59-14:00 because x", []string{`column 31: "9999-12-31T23:59:59-14:00" is not of the years 1970 to 9999 in UTC; what has no end has no "until"`}},
		{"/ringmaster exclude w\u0435b-01 because x", []string{`column 22: U+0435 stands in "w\u0435b-01"; names and dates are written in ASCII`}},
		{"/ringmaster exclude web-\u200b01 because x", []string{`column 25: U+200B stands in "web-\u200b01"; names and dates are written in ASCII`}},
		{"/ringmaster exclude deb:a@$(reboot) because x", []string{`column 27: "$" is in no patch's id; expected one as in deb:openssl@3.0.15-1~deb12u1, in which * and ? stand for others`}},
		{"/ringmaster exclude ../../etc because x", []string{`column 21: "../../etc" is neither a host nor a patch; expected as in web-01 or deb:openssl@*`}},
		{"/ringmaster exclude * because x", []string{`column 21: "*" is not a patch's id; expected one as in deb:openssl@3.0.15-1~deb12u1 or deb:openssl@*`}},
		{"/ringmaster exclude deb:a@1 deb:b@1 because x", []string{`column 29: "deb:b@1" is a second patch; a command is about one, or about a pattern as in deb:openssl@*`}},
		{"/ringmaster exclude web-01 because ...", []string{"column 28: the reason is empty; models and people learn from it"}},
		{"/ringmaster exclude web-01 because bussiness: x", []string{`column 36: "bussiness" is not a type of reason; did you mean "business"?`}},
		{"/ringmaster override because x", []string{`column 31: what is overridden is missing; expected "risk=high" or "risk=low"`}},
		{"/ringmaster override risk=hihg because x", []string{`column 22: risk "hihg"; did you mean "high"? expected one of "high", "low"`}},
		{"/ringmaster override class=low because x", []string{`column 22: "class" cannot be set here; expected "risk"`}},
		{"/ringmaster override risk=low risk=high because x", []string{`column 31: "risk" stands here twice`, `column 50: what takes caution away ends by itself; expected "until" and a date, as in until 2026-03-09`}},
		{"/ringmaster ask is it safe?", []string{`column 17: there is no answer to this; expected one of "why not HOST|PATCH", "when HOST|PATCH", "who must approve"`}},
		{"/ringmaster ask when $HOME", []string{`column 22: "$HOME" is neither a host nor a patch; expected as in web-01 or deb:openssl@*`}},
		{"so\n/ringmaster help", []string{"column 1: it stands in the middle of a paragraph; leave an empty line before it"}},
		{"/ringmaster exclude web-01 because " + strings.Repeat("a", 1000), []string{"column 1001: a command has at most 1000 characters, and this one has 1035"}},
	}
	for _, tt := range tests {
		t.Run(tt.text[:min(len(tt.text), 60)], func(t *testing.T) {
			got := Parse(tt.text, berlin)
			if len(got) != 1 {
				t.Fatalf("Parse(%q) = %d commands, want 1", tt.text, len(got))
			}
			if d := cmp.Diff(tt.want, got[0].Faults); d != "" {
				t.Errorf("Parse(%q): -want +got\n%s", tt.text, d)
			}
		})
	}
}

// What is not shown as a line of its own is text.
func TestPlaces(t *testing.T) {
	const c = "/ringmaster help"
	tests := []struct {
		name, body string
		lines      []int // of commands
	}{
		{"alone", c, []int{1}},
		{"carriage returns", "so\r\n\r\n" + c + "\r\n", []int{3}},
		{"one after the other", c + "\n" + c, []int{1, 2}},
		{"after code", "```\nx\n```\n" + c, []int{4}},
		{"after HTML that ended", "<!-- x -->\n\n" + c, []int{3}},
		{"mentioned", "use " + c, nil},
		{"mentioned as code", "`" + c + "`", nil},
		{"a longer name", "/ringmasters help\n/ringmaster-x\n/ringmaster.example", nil},
		{"capitals", "/Ringmaster help", nil},
		{"a zero-width space before it", "\u200b" + c, nil},
		{"indented", " " + c, nil},
		{"quoted", "> " + c, nil},
		{"an item", "- " + c, nil},
		{"code", "```\n" + c + "\n```", nil},
		{"code with a language", "~~~sh\n\n" + c + "\n~~~", nil},
		{"code that nothing ends", "```\n\n" + c, nil},
		{"code that a shorter fence does not end", "````\n```\n\n" + c + "\n````", nil},
		{"code that another fence does not end", "```\n~~~\n\n" + c + "\n```", nil},
		{"a fence with text after it ends no code", "```\n``` x\n\n" + c, nil},
		{"indented code", "x\n\n    " + c, nil},
		{"a comment", "<!--\n\n" + c + "\n\n-->", nil},
		{"a comment that begins in a line", "so <!--\n\n" + c + "\n-->", nil},
		{"a comment after a comment", "<!-- a --> <!-- b\n\n" + c + "\n-->", nil},
		{"folded", "<details>\n\n" + c + "\n\n</details>", nil},
		{"after what is folded", "<details>\n\nx\n\n</details>\n\n" + c, []int{7}},
		{"folded, with code that says it ends", "<details>\n\n```\n</details>\n\n" + c + "\n```\n\n" + c + "\n</details>", nil},
		{"preformatted", "<PRE>\n\n" + c + "\n\n</PRE>", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var lines []int
			for _, c := range Parse(tt.body, berlin) {
				lines = append(lines, c.Line)
				if len(c.Faults) > 0 {
					t.Errorf("faults %q", c.Faults)
				}
			}
			if d := cmp.Diff(tt.lines, lines); d != "" {
				t.Errorf("Parse(%q): lines, -want +got\n%s", tt.body, d)
			}
		})
	}
	// What goes on from the line before is told rather than done: it may be a quote
	// without its mark, a link's title or an attribute, all of which end there.
	for _, before := range []string{"> so", "- so", "so [x](http://x \"", "<img alt=\"", "[x]: http://x '", "| a |"} {
		got := Parse(before+"\n"+c, berlin)
		if len(got) != 1 || len(got[0].Faults) != 1 || !strings.Contains(got[0].Faults[0], "leave an empty line") {
			t.Errorf("Parse(%q) = %+v, want one fault", before+"\n"+c, got)
		}
	}
}

func TestMost(t *testing.T) {
	got := Parse(strings.Repeat("/ringmaster help\n", 1000), berlin)
	if len(got) != mostCommands || len(got[mostCommands-2].Faults) != 0 || len(got[mostCommands-1].Faults) != 1 {
		t.Errorf("Parse() = %d commands, the last with %q; want %d and one fault in the last", len(got), got[len(got)-1].Faults, mostCommands)
	}
}

// Forms that help tells are understood, when names stand in for the words.
func TestUsages(t *testing.T) {
	for _, u := range Usages {
		for _, form := range strings.Split(u.Form, " · ") {
			form = lead + " " + strings.TrimPrefix(form, lead+" ")
			form = strings.NewReplacer("[", "", "]", "", "HOST|PATCH|stop", "stop", "HOST|PATCH", "web-01", "PATCH|HOST", "deb:a@*", "PATCH", "deb:a@*", "HOST", "web-01", "NAME", "shop", "RULE", "freeze.deny", "DATE", "2026-03-09", "TYPE:", outcome.ReasonWords()[0]+":", "REASON", "x", "high|low", "low").Replace(form)
			if got := Parse(form, berlin); len(got) != 1 || len(got[0].Faults) > 0 || got[0].Verb != u.Verb {
				t.Errorf("Parse(%q) = %+v", form, got)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"/ringmaster hold web-01 until 2026-03-09 because business: x", "```\n/ringmaster help", "<!--\n\n/ringmaster help\n-->\n\n/ringmaster replan",
		"/ringmaster override risk=low deb:a@* until 2026-03-09T00:00:00Z because x\r/ringmaster ask when a?", "/ringmaster \xff\u202e", "/ringmaster stop web-01 rollbacks=held because x\n/ringmaster release stop because x\n/ringmaster exception deb:a@* service=s rule=a.deny until 2026-03-09 because x", "> x\n/ringmaster help",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		list := Parse(body, berlin)
		if len(list) > mostCommands {
			t.Fatalf("%d commands", len(list))
		}
		for _, c := range list {
			if len(c.Faults) > 0 {
				continue
			}
			switch {
			case c.Host != "" && !c.Host.Valid():
				t.Errorf("host %q", c.Host)
			case strings.Trim(c.Patch, patchLetters) != "" || c.Patch != "" && strings.Contains(c.Patch, "*") && plan.PatchID("deb:a@1").Matches("["+c.Patch):
				t.Errorf("patch %q", c.Patch)
			case grammars[c.Verb].because == must && (c.Reason == "" || strings.Map(shown, c.Reason) != c.Reason):
				t.Errorf("reason %q", c.Reason)
			case grammars[c.Verb].until == must && c.Until.IsZero(), c.Risk == "low" && c.Until.IsZero():
				t.Errorf("no end: %+v", c)
			case grammars[c.Verb].target == must && c.Host == "" && c.Patch == "":
				t.Errorf("about nothing: %+v", c)
			case c.Everything && (c.Verb != Release || c.Host != "" || c.Patch != ""), c.Rollbacks && c.Verb != Stop, c.Verb == Stop && c.Patch != "":
				t.Errorf("another verb's: %+v", c)
			case c.Verb == Exception && (c.Patch == "" || c.Host != ""), c.Verb != Exception && c.Service+c.Rule != "":
				t.Errorf("an exception of something else: %+v", c)
			case strings.Contains(c.Text, "\n"):
				t.Errorf("text %q", c.Text)
			}
			again := Parse(c.Text, berlin)
			again[0].Line = c.Line
			if d := cmp.Diff(c, again[0]); d != "" {
				t.Errorf("its own text is another command:\n%s", d)
			}
		}
		quoted := "> " + strings.NewReplacer("\r\n", "\n> ", "\r", "\n> ", "\n", "\n> ").Replace(body)
		if got := Parse(quoted, berlin); len(got) > 0 {
			t.Errorf("a quote holds %+v", got)
		}
		fence := strings.Repeat("`", len(body)+3)
		if got := Parse(fence+"\n"+body+"\n"+fence, berlin); len(got) > 0 {
			t.Errorf("code holds %+v", got)
		}
	})
}
