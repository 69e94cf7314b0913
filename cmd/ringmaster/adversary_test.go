package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// TestAdversaries is what strangers, careless writers and texts from outside try
// at a GitHub: forks, look-alikes, edited and old plans, old approvals, and words
// that would be more than words. What is typed into comments is in
// comments_test.go, what is pushed to the protected branch in trust_test.go.
func TestAdversaries(t *testing.T) {
	t.Parallel()
	for _, a := range slices.Concat(strangers, lookalikes, forgeries, replays, utterances) {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.try(onStage(t))
		})
	}
}

type adversary struct {
	name string
	try  func(x *scene)
}

// Pull requests from forks, and who may be whom.
var strangers = []adversary{
	{"a fork brings the very plan, approved, and is merged", func(x *scene) {
		x.closed(1)
		n := x.fork("mallory", x.branch())
		x.hub.Review(n, "fred", "APPROVED")
		x.pressed(n)
		x.refuses("its pull request is closed, not merged")
	}},
	{"a fork brings the plan before ringmaster does", func(x *scene) {
		x.closed(1)
		n := x.fork("mallory", x.branch())
		x.hub.Review(n, "fred", "APPROVED")
		x.says(0, []string{"pull request opened: " + x.env["GITHUB_SERVER_URL"] + "/acme/estate/pull/1"}, "plan", "--open")
		x.unmerged(`0 of 1 by "team-office"`)
	}},
	{"a fork brings another plan under the plan's name", func(x *scene) {
		h, err := x.repo.Write(repo.Next{Base: x.branch(), Changes: map[string][]byte{plan.Path(trusted): x.sealed(x.planAt(x.branch()))}, Message: "evil", Author: mallory, At: x.at})
		x.must(err)
		x.pressed(x.fork("mallory", h))
		x.refuses("its pull request is open, not merged")
	}},
	{"a fork loosens a ring, and a writer merges it", func(x *scene) {
		h, err := x.repo.Write(repo.Next{Base: x.tip(), Changes: map[string][]byte{"rings/rings.hcl": x.replaced("rings/rings.hcl", "1h", "1m")}, Message: "evil", Author: mallory, At: x.at})
		x.must(err)
		n := x.fork("mallory", h)
		x.hub.Review(n, "fred", "APPROVED")
		x.pressed(n)
		x.refuses("without the approval of an owner (owners) other than its author \"mallory\"")
	}},
	{"a fork's pull request is closed, listed and merged by nobody", func(x *scene) {
		n := x.fork("mallory", x.branch())
		if out := x.want(0, "pr", "list"); strings.Count(out, trusted) != 1 {
			x.t.Errorf("pr list shows the fork's:\n%s", out)
		}
		x.want(0, "pr", "close", trusted)
		if p := x.hub.Pulls()[n-1]; p.State != "open" {
			x.t.Errorf("the fork's pull request is %s", p.State)
		}
	}},
	{"the plan is closed, each night, by somebody who may not write", func(x *scene) {
		for _, may := range []string{"triage", "read", "none"} {
			x.hub.Grant("mallory", may)
			x.hub.Close(1, "mallory")
			x.says(0, []string{"pull request opened"}, "plan", "--open")
		}
		x.hub.Grant("mia", "maintain")
		x.hub.Close(1, "mia")
		x.says(3, []string{"declined: mia closed"}, "plan", "--open")
	}},
	{"the author of the plan's pull request is of the team that must approve", func(x *scene) {
		x.hub.Change(1, func(p *githubtest.Pull) { p.Author = "fred" })
		x.hub.Review(1, "fred", "APPROVED")
		x.unmerged(`0 of 1 by "team-office"`)
	}},
}

// reviewed is a review by a name that may write and is no member's, or not one
// that counts.
func reviewed(by string) func(x *scene) {
	return func(x *scene) {
		x.hub.Grant(by, "admin")
		x.hub.Review(1, by, "APPROVED")
		x.unmerged(`0 of 1 by "team-office"`)
	}
}

// Names that look like others.
var lookalikes = []adversary{
	{"a reviewer with a Cyrillic letter", reviewed("fr\u0435d")},
	{"a reviewer with a full-width letter", reviewed("\uff46red")},
	{"a reviewer with a letter of no width", reviewed("fred\u200b")},
	{"a reviewer with an accent put on", reviewed("fre\u0301d")},
	{"a reviewer whose name turns round", reviewed("\u202ederf")},
	{"a reviewer who is an app of that name", reviewed("fred[bot]")},
	{"a reviewer with a name of two", reviewed("fred,olivia")},
	{"a reviewer whose name is a path", reviewed("fred/../olivia")},
	{"an owner with a Cyrillic letter approves a ring", func(x *scene) {
		h, err := x.repo.Write(repo.Next{Base: x.tip(), Changes: map[string][]byte{"rings/rings.hcl": x.replaced("rings/rings.hcl", "1h", "1m")}, Message: "evil", Author: mallory, At: x.at})
		x.must(err)
		x.sent(x.hub, "faster", h)
		n, err := x.hub.Open(x.hub, "faster", "mallory", "Faster")
		x.must(err)
		x.hub.Grant("\u043elivia", "admin")
		x.hub.Review(n, "\u043elivia", "APPROVED")
		x.pressed(n)
		x.refuses("rings/rings.hcl was merged by faster without the approval of an owner (owners)")
	}},
	{"a team that looks like the team", func(x *scene) {
		x.server.Team("acme", "team\u2010office", map[string]string{"mia": "active"})
		x.server.Team("acme", "team-offlce", map[string]string{"mia": "active"})
		reviewed("mia")(x)
		x.pressed(1)
		x.refuses(`approvals are missing: 0 of 1 by "team-office"`)
	}},
	{"an invitation to the team that nobody accepted", func(x *scene) {
		x.server.Team("acme", "team-office", map[string]string{"fred": "active", "mia": "pending"})
		reviewed("mia")(x)
	}},
	{"a name claimed on the local forge", func(x *scene) {
		x.env = map[string]string{}
		x.want(0, "plan", "--open")
		x.says(0, []string{`still missing: 0 of 1 by "team-office"`}, "pr", "approve", trusted, "--by", "fr\u0435d")
	}},
}

// rewritten edits the bytes of the plan on its branch, which is then approved.
func rewritten(why string, edit func(x *scene, data []byte) []byte) func(x *scene) {
	return func(x *scene) {
		x.edited(map[string][]byte{plan.Path(trusted): edit(x, x.planAt(x.branch()))})
		x.unchecked(why)
		x.hub.Review(1, "fred", "APPROVED")
		x.unmerged("")
	}
}

// besides adds a file to the plan's branch.
func besides(name, text, why string) func(x *scene) {
	return func(x *scene) {
		x.edited(map[string][]byte{name: []byte(text)})
		x.unchecked(why)
		x.hub.Review(1, "fred", "APPROVED")
		x.unmerged("")
	}
}

// Plans that are not what they were.
var forgeries = []adversary{
	{"a plan of another id in the branch", func(x *scene) {
		data := bytes.ReplaceAll(x.planAt(x.branch()), []byte(trusted), []byte("standard-main-7"))
		p, err := plan.Decode(data)
		x.must(err)
		sealed, err := plan.Seal(p)
		x.must(err)
		x.edited(map[string][]byte{plan.Path(trusted): nil, plan.Path("standard-main-7"): sealed})
		x.unchecked("plans/standard-main-1/plan.json is not at commit")
		x.hub.Review(1, "fred", "APPROVED")
		x.unmerged("")
		x.pressed(1)
		x.refuses("plan standard-main-7 is not carried out: no pull request brought it")
	}},
	{"a plan whose id is another's", rewritten(`the plan says that it is "standard-main-7"`, func(x *scene, data []byte) []byte {
		p, err := plan.Decode(bytes.ReplaceAll(data, []byte(trusted), []byte("standard-main-7")))
		x.must(err)
		sealed, err := plan.Seal(p)
		x.must(err)
		return sealed
	})},
	{"a plan that is laid out for reading, approved and merged", func(x *scene) {
		rewritten("the bytes are not canonical JSON and one newline", func(x *scene, data []byte) []byte {
			var b bytes.Buffer
			x.must(json.Indent(&b, data, "", "  "))
			return b.Bytes()
		})(x)
		x.pressed(1)
		x.refuses("the bytes are not canonical JSON and one newline: it was edited after it was made")
	}},
	{"a plan that says its id twice", rewritten("the bytes are not canonical JSON and one newline", func(x *scene, data []byte) []byte {
		return bytes.Replace(data, []byte(`"id":"`+trusted+`"`), []byte(`"id":"`+trusted+`","id":"`+trusted+`"`), 1)
	})},
	{"a plan with letters written as escapes", rewritten("the bytes are not canonical JSON and one newline", func(x *scene, data []byte) []byte {
		return bytes.Replace(data, []byte(`"id":"s`), []byte(`"id":"\u0073`), 1)
	})},
	{"a plan with a NUL at its end", rewritten(`invalid character '\x00' after top-level value`, func(x *scene, data []byte) []byte { return append(data, 0) })},
	{"a plan behind a byte order mark", rewritten(`invalid character 'ï' looking for beginning of value`, func(x *scene, data []byte) []byte { return append([]byte("\xef\xbb\xbf"), data...) })},
	{"a plan with a member that nobody knows", rewritten("the bytes are not canonical JSON and one newline", func(x *scene, data []byte) []byte {
		return bytes.Replace(data, []byte(`"id":"`+trusted+`"`), []byte(`"id":"`+trusted+`","override":"approved"`), 1)
	})},
	{"a plan nested a hundred thousand deep", rewritten("exceeded max depth", func(x *scene, data []byte) []byte { return bytes.Repeat([]byte("["), 100_000) })},
	{"a plan of 20 MB", rewritten("the bytes are not canonical JSON and one newline", func(x *scene, data []byte) []byte { return append(data, bytes.Repeat([]byte(" "), 20<<20)...) })},
	{"a picture with a script", besides("plans/"+trusted+"/reasons.svg", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "plans/"+trusted+"/reasons.svg:1: it does not say what the plan says")},
	{"a page beside the plan", besides("plans/"+trusted+"/index.html", "<script>alert(1)</script>", "plans/"+trusted+"/index.html:1: no plan writes it")},
	{"a workflow beside the plan", besides(".github/workflows/x.yml", "on: push\n", ".github/workflows/x.yml:1: changed together with plan "+trusted)},
	{"who owns code, beside the plan", besides(".github/CODEOWNERS", "* @mallory\n", ".github/CODEOWNERS:1: changed together with plan "+trusted)},
	{"an override beside the plan", besides("overrides/2026-03.jsonl", "{}\n", "overrides/2026-03.jsonl:1: changed together with plan "+trusted)},
	{"approvals beside the plan", besides("approvals/"+trusted+".jsonl", "{}\n", "approvals/"+trusted+".jsonl:1: ")},
}

// Approvals that were given for something else.
var replays = []adversary{
	{"an approval of another pull request", func(x *scene) {
		h, err := x.repo.Write(repo.Next{Base: x.tip(), Changes: map[string][]byte{"README": []byte("x\n")}, Message: "words", Author: mallory, At: x.at})
		x.must(err)
		x.sent(x.hub, "words", h)
		n, err := x.hub.Open(x.hub, "words", "mallory", "Words")
		x.must(err)
		x.hub.Review(n, "fred", "APPROVED")
		x.unmerged(`0 of 1 by "team-office"`)
	}},
	{"the version that was approved is brought back", func(x *scene) {
		old := x.branch()
		x.hub.Review(1, "fred", "APPROVED")
		x.at = trustAt.Add(time.Minute)
		x.facts("office-05", "2.3.0")
		x.says(0, []string{"pull request updated"}, "plan", "--open")
		x.sent(x.hub, "ringmaster/"+trusted, old)
		x.unmerged("what is known on the protected branch now alters the plan")
	}},
	{"an approval that lies on main before anybody approved", func(x *scene) {
		old := x.tip()
		line := `{"schema":"ringmaster/approval/v1","prev":"` + x.digest() + `","at":"2026-03-02T09:00:00Z","plan":"` + trusted + `","by":"fred","from":"team-office","commit":"` + string(x.branch()) + `"}` + "\n"
		now := x.push("approvals", map[string][]byte{"approvals/" + trusted + ".jsonl": []byte(line)})
		x.must(x.repo.Push(x.t.Context(), repo.Remote{URL: x.hub.Git().GitDir()}, "refs/heads/main", old, now))
		x.unmerged(`0 of 1 by "team-office"`)
		x.pressed(1)
		x.refuses("approvals are missing")
	}},
	{"the same commit under another name", func(x *scene) {
		x.hub.Review(1, "fred", "APPROVED")
		x.closed(1)
		x.sent(x.hub, "feature", x.branch())
		n, err := x.hub.Open(x.hub, "feature", "mallory", "A feature")
		x.must(err)
		x.pressed(n)
		x.refuses("its pull request is closed, not merged")
	}},
	{"an owner pushes a ring to the plan's branch, whose author is ringmaster, and approves it", func(x *scene) {
		x.edited(map[string][]byte{"rings/rings.hcl": x.replaced("rings/rings.hcl", "1h", "1m")})
		x.hub.Review(1, "olivia", "APPROVED")
		x.unmerged("changed together with plan standard-main-1")
		x.pressed(1)
		x.refuses("rings/rings.hcl is nothing that ringmaster proposes by ringmaster/standard-main-1")
	}},
	{"an owner pushes a ring to the branch of an override that they asked for, and approves it", func(x *scene) {
		x.want(0, "override", "risk", "--value", "low", "--patch", "generic:osprey-agent@*", "--by", "olivia", "--reason", "x", "--until", "2026-03-09T00:00:00Z")
		branch := x.hub.Pulls()[1].HeadRef
		head, err := x.hub.Git().Ref("refs/heads/" + branch)
		x.must(err)
		file := "overrides/" + strings.TrimPrefix(branch, "ringmaster/") + ".jsonl"
		h, err := x.repo.Write(repo.Next{Base: head, Changes: map[string][]byte{file: nil, "rings/rings.hcl": x.replaced("rings/rings.hcl", "1h", "1m")}, Message: "by hand", Author: mallory, At: x.at})
		x.must(err)
		x.sent(x.hub, branch, h)
		x.hub.Review(2, "olivia", "APPROVED")
		x.pressed(2)
		x.refuses("rings/rings.hcl is nothing that ringmaster proposes by " + branch)
	}},
	{"a merge of an approved head brings something else along", func(x *scene) {
		words := map[string][]byte{"README": []byte("x\n")}
		h, err := x.repo.Write(repo.Next{Base: x.tip(), Changes: words, Message: "words", Author: mallory, At: x.at})
		x.must(err)
		x.sent(x.hub, "words", h)
		n, err := x.hub.Open(x.hub, "words", "mallory", "Words")
		x.must(err)
		x.hub.Review(n, "olivia", "APPROVED")
		words["rings/rings.hcl"] = x.replaced("rings/rings.hcl", "1h", "1m")
		m, err := x.repo.Write(repo.Next{Base: x.tip(), Parents: []repo.Hash{h}, Changes: words, Message: "Merge", Author: mallory, At: x.at})
		x.must(err)
		x.sent(x.hub, "main", m)
		x.hub.Change(n, func(p *githubtest.Pull) { // as GitHub does when a head lands
			p.State, p.Merged, p.Merge, p.MergedBy, p.Done = "closed", true, string(m), "mallory", x.at
		})
		x.refuses("rings/rings.hcl is not as words, which it merges, has it")
	}},
	{"a review that asked for changes is dismissed by its author's friend", func(x *scene) {
		x.hub.Review(1, "fred", "CHANGES_REQUESTED")
		x.hub.Change(1, func(p *githubtest.Pull) { p.Reviews[0].State = "DISMISSED" })
		x.unmerged(`0 of 1 by "team-office"`)
	}},
}
