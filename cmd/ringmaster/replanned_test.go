package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// facts pushes facts of a host, as a collector may, to the forge's main.
func (w *site) facts(host, version string) {
	w.t.Helper()
	w.pushed("facts of "+host, map[string][]byte{"inventory/facts/" + host + ".jsonl": w.factsOf(host, version)})
}

func (w *site) factsOf(host, version string) []byte {
	return []byte(`{"at":"` + w.at.Format(time.RFC3339) + `","host":"` + host + `","os":{"arch":"amd64","id":"debian","version":"12"},"packages":[{"type":"generic","name":"osprey-agent","version":"` + version + `"}],"source":"demo","uptime_s":3456000,"reboot_pending":false,"drift":false,"disk_free_mb":21000,"mem_free_mb":3000,"labels":{"role":"office"}}` + "\n")
}

// pushed is push, to the forge's main as well.
func (w *site) pushed(message string, files map[string][]byte) {
	w.t.Helper()
	if w.env["GITHUB_SERVER_URL"] == "" {
		w.push(message, files)
		return
	}
	w.pulled()
	old := w.tip()
	now := w.push(message, files)
	if err := w.repo.Push(w.t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "refs/heads/main", old, now); err != nil {
		w.t.Fatal(err)
	}
}

// pulled brings the clone's main to where the forge's is.
func (w *site) pulled() {
	w.t.Helper()
	refs, err := w.repo.Fetch(w.t.Context(), repo.Remote{URL: w.env["GITHUB_SERVER_URL"] + "/acme/estate", Token: "ghs_bot"}, "main")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.repo.Move("refs/heads/main", w.tip(), refs[0].Hash); err != nil {
		w.t.Fatal(err)
	}
}

// asOlivia runs the command with another token than the bot's.
func (w *site) asOlivia(code int, texts []string, args ...string) {
	w.t.Helper()
	w.env["GITHUB_TOKEN"] = "ghs_olivia"
	w.says(code, texts, args...)
	w.env["GITHUB_TOKEN"] = "ghs_bot"
}

// On GitHub the review of a former head stands for a plan that is provably no
// worse: when it is merged, when it is carried out, and when it is audited. What
// GitHub dismissed, or the person took back, does not.
func TestReviewOfAFormerHead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		then func(w *site, hub *githubtest.Repository) // after fred's review of the first version
		lost string
	}{
		{"a host leaves", func(w *site, hub *githubtest.Repository) { w.facts("office-04", "2.3.1") }, ""},
		{"a host joins", func(w *site, hub *githubtest.Repository) { w.facts("office-05", "2.3.0") },
			"fred approved an earlier version, which does not stand for this one ("},
		{"the review is dismissed", func(w *site, hub *githubtest.Repository) {
			w.facts("office-04", "2.3.1")
			hub.Change(1, func(p *githubtest.Pull) { p.Reviews[0].State = "DISMISSED" })
		}, `0 of 1 by "team-office"`},
		{"fred wants changes", func(w *site, hub *githubtest.Repository) {
			w.facts("office-04", "2.3.1")
			hub.Review(1, "fred", "CHANGES_REQUESTED")
		}, `0 of 1 by "team-office"`},
		{"fred may no longer write", func(w *site, hub *githubtest.Repository) {
			w.facts("office-04", "2.3.1")
			hub.Grant("fred", "read")
		}, `0 of 1 by "team-office"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, _, hub := hubbed(t)
			w.want(0, "plan", "--open")
			hub.Review(1, "fred", "APPROVED")
			w.at = trustAt.Add(time.Minute)
			row.then(w, hub)
			w.says(0, []string{"pull request updated"}, "plan", "--open")
			body := hub.Pulls()[0].Body
			if row.lost != "" {
				w.asOlivia(3, []string{row.lost}, "pr", "merge", trusted)
				if strings.Contains(body, "still counts") {
					t.Error("the page says that the approval still counts")
				}
				return
			}
			if !strings.Contains(body, "`fred` approved on ") || !strings.Contains(body, "**still counts**") || !strings.Contains(body, "hosts that left it: office-04") {
				t.Errorf("the page does not tell of fred's approval:\n%s", body[:2000])
			}
			w.asOlivia(0, nil, "pr", "merge", trusted)
			w.says(0, []string{"applied"}, "execute")
			if got := string(w.fetched("approvals/" + trusted + ".jsonl")); strings.Count(got, `"carried":"sha256:`) != 1 {
				t.Errorf("recorded is %s, want one approval that was carried", got)
			}
			w.says(0, []string{"1 plan recomputed"}, "audit", "verify")
			hub.Change(1, func(p *githubtest.Pull) { p.Reviews[0].State = "DISMISSED" })
			w.says(1, []string{`the forge knows of no approval by "fred"`}, "audit", "verify")
		})
	}
}

// Approvals of what never was the plan do not stand for it.
var replanAttacks = []attack{
	{"1 an approved version said something else on its page", opened, func(w *site) {
		w.amend("plans/"+trusted+"/plan.md", []byte("# Nothing at all happens\n"))
		w.want(0, "pr", "approve", trusted, "--by", "fred")
		w.want(0, "plan", "--open")
		w.says(3, []string{"fred approved an earlier version, which does not stand for this one (plans/standard-main-1/plan.md of commit "}, "pr", "merge", trusted, "--by", "olivia")
	}},
	{"1 an approved version was edited by hand", opened, func(w *site) {
		w.amend("plans/"+trusted+"/plan.json", []byte("{}\n"))
		w.want(1, "pr", "approve", trusted, "--by", "fred") // it is recorded all the same
		w.want(0, "plan", "--open")
		w.says(3, []string{"which does not stand for this one (commit "}, "pr", "merge", trusted, "--by", "olivia")
	}},
	{"1 the author approved an earlier version", opened, func(w *site) {
		w.amend("plans/"+trusted+"/note", []byte("x"))
		w.want(0, "pr", "approve", trusted, "--by", "ringmaster")
		w.want(0, "plan", "--open")
		w.says(3, []string{`0 of 1 by "team-office"`}, "pr", "merge", trusted, "--by", "olivia")
	}},
	{"1 an approval of a version that asked somebody else", opened, func(w *site) {
		was := w.branch()
		w.amend("plans/"+trusted+"/plan.json", w.sealed(w.planAt(was)))
		w.want(0, "pr", "approve", trusted, "--by", "fred")
		w.want(0, "plan", "--open")
		w.says(3, []string{"fred approved an earlier version, which does not stand for this one ("}, "pr", "merge", trusted, "--by", "olivia")
	}},
	{"1 a merged plan is begun by an approval of a version that was narrower", opened, func(w *site) {
		w.want(0, "pr", "approve", trusted, "--by", "fred")
		w.facts("office-05", "2.3.0")
		w.at = trustAt.Add(time.Minute)
		w.want(0, "plan", "--open")
		w.force(trusted)
		w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
	}},
	{"1 a record says that an approval was carried", merged, func(w *site) {
		w.want(0, "execute")
		file := "approvals/" + trusted + ".jsonl"
		digest := w.plan().Digest
		w.push("evil", map[string][]byte{file: w.replaced(file, `"claimed"`, `"carried":"`+digest+`","claimed"`)})
		w.says(1, []string{file + `:1: it approves commit `, "and the plan was merged from another"}, "audit", "verify")
	}},
}

// Nobody approves what they had planned: who started the workflow by hand or again,
// or wished for the plan in a comment; neither that version nor the ones after it.
func TestNobodyApprovesWhatTheyHadPlanned(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		env  map[string]string
		lost bool
	}{
		{"a schedule", map[string]string{"GITHUB_EVENT_NAME": "schedule", "GITHUB_ACTOR": "fred", "GITHUB_RUN_ATTEMPT": "1"}, false},
		{"by hand", map[string]string{"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_ACTOR": "fred", "GITHUB_TRIGGERING_ACTOR": "fred"}, true},
		{"again", map[string]string{"GITHUB_EVENT_NAME": "schedule", "GITHUB_ACTOR": "olivia", "GITHUB_TRIGGERING_ACTOR": "Fred", "GITHUB_RUN_ATTEMPT": "2"}, true},
		{"by hand, by somebody else", map[string]string{"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_ACTOR": "olivia"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, _, hub := hubbed(t)
			for k, v := range row.env {
				w.env[k] = v
			}
			w.want(0, "plan", "--open")
			for k := range row.env {
				delete(w.env, k)
			}
			hub.Review(1, "fred", "APPROVED")
			w.facts("office-04", "2.3.1")
			w.at = trustAt.Add(time.Minute)
			const refusal = "fred had it planned, and somebody else approves it"
			if row.lost {
				w.asOlivia(3, []string{refusal}, "pr", "merge", trusted)
			}
			w.says(0, []string{"pull request updated"}, "plan", "--open") // by a schedule
			if !row.lost {
				w.asOlivia(0, nil, "pr", "merge", trusted)
				return
			}
			w.asOlivia(3, []string{refusal}, "pr", "merge", trusted)
			hub.Review(1, "fred", "APPROVED")
			w.asOlivia(3, []string{refusal}, "pr", "merge", trusted)
			if _, err := hub.Merge(1, "olivia"); err != nil {
				t.Fatal(err)
			}
			w.says(3, []string{refusal}, "execute")
		})
	}
}

// Who wishes for a plan in a comment does not approve what is written for it.
func TestNobodyApprovesWhatTheyWishedFor(t *testing.T) {
	t.Parallel()
	w, _, hub := hubbed(t)
	w.want(0, "plan", "--open")
	hub.Review(1, "fred", "APPROVED")
	w.facts("office-04", "2.3.1")
	hub.Comment(1, "fred", "/ringmaster replan")
	w.want(0, "comments")
	if head := hub.Pulls()[0].Head; head == hub.Pulls()[0].Reviews[0].Commit {
		t.Fatal("nothing was planned again")
	}
	w.asOlivia(3, []string{"fred had it planned, and somebody else approves it"}, "pr", "merge", trusted)
}
