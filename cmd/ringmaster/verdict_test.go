package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// inCI checks out a commit, as a workflow does, with the workflow's own token.
func (w *site) inCI(server *githubtest.Server, hub *githubtest.Repository, commit repo.Hash, lacks ...string) {
	w.t.Helper()
	hub.Grant("github-actions[bot]", "write")
	server.Token("ghs_actions", "github-actions[bot]", lacks...)
	w.env["GITHUB_TOKEN"], w.env["GITHUB_STEP_SUMMARY"] = "ghs_actions", filepath.Join(w.t.TempDir(), "summary.md")
	w.write(".git/HEAD", string(commit)+"\n", 0o644)
}

// onMain is what comes of merging a commit into main, which CI checks out.
func (w *site) onMain(commit repo.Hash) repo.Hash {
	w.t.Helper()
	files, err := w.repo.Diff(w.tip(), commit)
	if err != nil {
		w.t.Fatal(err)
	}
	changes := map[string][]byte{}
	for _, f := range files {
		data, err := w.repo.ReadFile(commit, f.Path)
		if err != nil {
			w.t.Fatal(err)
		}
		changes[f.Path] = data
	}
	h, err := w.repo.Write(repo.Next{Base: w.tip(), Parents: []repo.Hash{commit}, Changes: changes, Message: "Merge", Author: mallory, At: w.at})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// verdicts are the check runs on a commit, as "name: conclusion".
func verdicts(hub *githubtest.Repository, commit string) string {
	var list []string
	for _, c := range hub.Checks() {
		if c.Commit == commit {
			list = append(list, c.Name+": "+c.Conclusion)
		}
	}
	return strings.Join(list, ", ")
}

// A check puts two check runs on the commit that people review, not on the one
// that CI made of it; once each, and what changes is changed in place.
func TestCheckRuns(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	w.want(0, "plan", "--open")
	head := hub.Pulls()[0].Head
	w.inCI(server, hub, w.onMain(repo.Hash(head)))
	for range 2 {
		w.says(0, []string{"holds: " + trusted}, "check", "--verdict")
	}
	if got, want := verdicts(hub, head), "ringmaster: plan: success, ringmaster: approvals: action_required"; got != want || len(hub.Checks()) != 2 {
		t.Errorf("the check runs are %q, and %d in all; want %q alone", got, len(hub.Checks()), want)
	}
	if c := hub.Checks()[1]; !strings.Contains(c.Summary, `    0 of 1 by "team-office": `) {
		t.Errorf("the approvals' summary is %q", c.Summary)
	}
	hub.Review(1, "fred", "APPROVED")
	w.want(0, "check", "--verdict")
	if got, want := verdicts(hub, head), "ringmaster: plan: success, ringmaster: approvals: success"; got != want {
		t.Errorf("approved, the check runs are %q, want %q", got, want)
	}
	if data, err := os.ReadFile(w.env["GITHUB_STEP_SUMMARY"]); err != nil || strings.Count(string(data), "byte for byte:\n\n    "+trusted+"\n") != 3 {
		t.Errorf("the workflow's summary is %q, %v", data, err)
	}
}

// A commit without a plan gets both, since a forge may require them: what may loosen
// is put to the protected branch's policies, and waits for an owner.
func TestCheckRunsWithoutAPlan(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	brings := func(branch string, files map[string][]byte) string {
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: files, Message: branch, Author: mallory, At: w.at})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.repo.Push(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "refs/heads/"+branch, "", h); err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Open(hub, branch, "mallory", branch); err != nil {
			t.Fatal(err)
		}
		w.inCI(server, hub, w.onMain(h))
		return string(h)
	}
	h := brings("words", map[string][]byte{"README": []byte("x\n")})
	w.says(0, []string{"1 file changed that may loosen", "still needs 0 of 1 by one of owners (it changes README)"}, "check", "--verdict")
	if got, want := verdicts(hub, h), "ringmaster: plan: success, ringmaster: approvals: action_required"; got != want {
		t.Errorf("the check runs are %q, want %q", got, want)
	}
	hub.Review(1, "olivia", "APPROVED")
	w.want(0, "check", "--verdict")
	if got, want := verdicts(hub, h), "ringmaster: plan: success, ringmaster: approvals: success"; got != want {
		t.Errorf("approved, the check runs are %q, want %q", got, want)
	}
	rule := "package ringmaster.ci\n\ndeny contains {\"msg\": \"workflows are changed elsewhere\"} if \"workflow\" in input.edit.kinds\n"
	old := w.tip()
	w.push("a rule", map[string][]byte{"policies/ci/ci.rego": []byte(rule)})
	if err := w.repo.Push(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "refs/heads/main", old, w.tip()); err != nil {
		t.Fatal(err)
	}
	h = brings("ci", map[string][]byte{".github/workflows/x.yml": []byte("x\n")})
	w.says(1, []string{".github/workflows/x.yml:1: the protected branch's policies do not let this be merged: ci.deny: workflows are changed elsewhere"}, "check", "--verdict")
	if got, want := verdicts(hub, h), "ringmaster: plan: failure, ringmaster: approvals: action_required"; got != want {
		t.Errorf("denied, the check runs are %q, want %q", got, want)
	}
}

// What is refused is an annotation with a message of its own, and the exit code
// says it whatever the token may do.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, file, message string
		edit                func(w *site)
	}{
		{"a plan edited by hand", "plans/" + trusted + "/plan.json", "the plan was edited by hand", func(w *site) {
			w.amend("plans/"+trusted+"/plan.json", append(w.planAt(w.branch()), '\n'))
		}},
		{"a plan written by hand", "plans/" + trusted + "/plan.json", "the plan is another one; it was edited", func(w *site) {
			w.amend("plans/"+trusted+"/plan.json", w.sealed(w.planAt(w.branch())))
		}},
		{"stale inputs", "plans/" + trusted + "/plan.json", "what is known on the protected branch now alters the plan", func(w *site) {
			w.facts("office-05", "2.3.0")
		}},
		{"a weakened policy", "policies/approvals/approvals.rego", "nobody brings the policy that is to judge a plan, least of all a weaker one", func(w *site) {
			w.amend("policies/approvals/approvals.rego", []byte("package ringmaster.approvals\n"))
		}},
		{"other rings", "rings/rings.hcl", "a plan is made from the protected branch's rings", func(w *site) {
			w.amend("rings/rings.hcl", []byte(strings.Replace(trustRings, "1h", "1m", 1)))
		}},
		{"a ledger", "outcomes/" + trusted + ".jsonl", "execute alone writes it", func(w *site) {
			w.amend("outcomes/"+trusted+".jsonl", []byte("{}\n"))
		}},
		{"another plan", "plans/high-main-1/plan.md", "each plan has a pull request of its own", func(w *site) {
			w.amend("plans/high-main-1/plan.md", []byte("x\n"))
		}},
		{"a plugin", "fleet.sh", "a plan's pull request holds the plan alone", func(w *site) {
			w.amend("fleet.sh", []byte("x\n"))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, server, hub := hubbed(t)
			w.want(0, "plan", "--open")
			old := w.branch()
			row.edit(w)
			if w.branch() != old {
				if err := w.repo.Push(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "refs/heads/ringmaster/"+trusted, old, w.branch()); err != nil {
					t.Fatal(err)
				}
			}
			w.inCI(server, hub, w.branch(), "checks")
			w.says(1, []string{fmt.Sprintf("::error file=%s,line=1,col=1::", row.file), row.message, "no check run says what was found; the exit code does"}, "--format", "github", "check", "--verdict")
			if n := len(hub.Checks()); n > 0 {
				t.Fatalf("there are %d check runs", n)
			}
			w.inCI(server, hub, w.branch())
			if out := w.want(1, "--format", "github", "check", "--verdict"); strings.Contains(out, "::error file") || !strings.Contains(out, "the check run says where") {
				t.Errorf("with a check run, the output is %q", out)
			}
			c := hub.Checks()[0]
			if c.Conclusion != "failure" || c.Commit != string(w.branch()) || len(c.Notes) == 0 || c.Notes[0].Path != row.file || !strings.Contains(c.Notes[0].Message, row.message) {
				t.Errorf("the check run is %+v, want %q at %s", c, row.message, row.file)
			}
			if c := hub.Checks()[1]; c.Conclusion != "action_required" || !strings.Contains(c.Summary, "a plan that holds") {
				t.Errorf("the approvals are %+v", c)
			}
		})
	}
}

// A workflow's own token sees no teams. What it checks holds all the same; that it
// cannot count approvals it says, so that nothing that a branch asks for passes by it, and
// whether everybody approved a plan is said by the runs that have the App's.
func TestCheckRunsWithoutTeams(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	brings := func(branch, file string, text []byte) string {
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{file: text}, Message: branch, Author: mallory, At: w.at})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.repo.Push(t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "refs/heads/"+branch, "", h); err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Open(hub, branch, "fred", branch); err != nil {
			t.Fatal(err)
		}
		w.inCI(server, hub, h, "members")
		return string(h)
	}
	h := brings("rings", "rings/rings.hcl", w.replaced("rings/rings.hcl", "1h", "2h"))
	hub.Review(1, "olivia", "APPROVED")
	w.want(0, "check", "--verdict")
	if got, want := verdicts(hub, h), "ringmaster: plan: success, ringmaster: approvals: action_required"; got != want {
		t.Errorf("the check runs are %q, want %q", got, want)
	}
	uncounted := func(c githubtest.Check) {
		t.Helper()
		if c.Title != "Approvals cannot be counted with this token" || !strings.Contains(c.Summary, "`members: read`") || !strings.Contains(c.Summary, "a GitHub App may be given") {
			t.Errorf("the check run is %+v", c)
		}
	}
	uncounted(hub.Checks()[1])

	// What asks nobody needs nobody counted.
	h = brings("facts", "inventory/facts/more.jsonl", nil)
	w.want(0, "check", "--verdict")
	if got, want := verdicts(hub, h), "ringmaster: plan: success, ringmaster: approvals: success"; got != want {
		t.Errorf("of facts the check runs are %q, want %q", got, want)
	}

	// The App's token sees them.
	server.Token("ghs_app", "ringmaster[bot]")
	hub.Grant("ringmaster[bot]", "write")
	w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
	w.env["GITHUB_TOKEN"] = "ghs_app"
	w.want(0, "plan", "--open")
	head := hub.Pulls()[2].Head
	w.inCI(server, hub, w.branch(), "members")
	w.want(0, "check", "--verdict")
	if got, want := verdicts(hub, head), "ringmaster: approvals: action_required, ringmaster: plan: success"; got != want {
		t.Errorf("of the plan the check runs are %q, want %q", got, want)
	}
	hub.Review(3, "fred", "APPROVED")
	w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
	w.env["GITHUB_TOKEN"] = "ghs_app"
	w.want(0, "execute")
	if got, want := verdicts(hub, head), "ringmaster: approvals: success, ringmaster: plan: success"; got != want {
		t.Errorf("approved, the check runs are %q, want %q", got, want)
	}
}

// Without an App nobody's token sees teams: plan says of each open plan that its approvals
// are not counted, in the check run that check leaves to it.
func TestCheckRunsWithoutAnApp(t *testing.T) {
	t.Parallel()
	w, server, hub := hubbed(t)
	w.inCI(server, hub, w.tip(), "members")
	w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
	w.want(0, "plan", "--open")
	hub.Review(1, "fred", "APPROVED")
	head := hub.Pulls()[0].Head
	for range 2 {
		w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
		w.want(0, "plan", "--open")
		w.write(".git/HEAD", head+"\n", 0o644)
		w.want(0, "check", "--verdict")
	}
	if got, want := verdicts(hub, head), "ringmaster: approvals: action_required, ringmaster: plan: success"; got != want {
		t.Errorf("the check runs are %q, want %q", got, want)
	}
	if c := hub.Checks()[0]; c.Title != "Approvals cannot be counted with this token" {
		t.Errorf("the check run is %+v", c)
	}
}
