package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// What history may suffer, and what `audit verify` says of it. The prepared
// estate of TestTrust is tampered with, most often where no review is required:
// what a breach of review is, trust_*_test.go have.

const (
	ledgerFile    = "outcomes/" + trusted + ".jsonl"
	approvalsFile = "approvals/" + trusted + ".jsonl"
	planFile      = "plans/" + trusted + "/plan.json"
)

// finds is an audit that fails and says why.
func (w *site) finds(texts ...string) {
	w.t.Helper()
	w.says(1, texts, "audit", "verify")
}

// lines changes the lines of a file of the protected branch, and pushes it.
func (w *site) lines(name string, edit func([][]byte) [][]byte) {
	w.t.Helper()
	l := bytes.SplitAfter(w.file(name), []byte("\n"))
	w.push("tamper", map[string][]byte{name: bytes.Join(edit(l[:len(l)-1]), nil)})
}

// chain appends lines to the plan's ledger as execute would, chain and all.
func (w *site) chain(lines ...outcome.Line) {
	w.t.Helper()
	data, err := outcome.Append(w.file(ledgerFile), w.plan().Digest, lines)
	if err != nil {
		w.t.Fatal(err)
	}
	w.push("forged lines", map[string][]byte{ledgerFile: data})
}

// change is an event of the plan's first change.
func (w *site) change(e outcome.Event) outcome.Line {
	w.t.Helper()
	p := w.plan()
	c := p.Rings[0].Waves[0].Changes[0]
	return outcome.Line{At: w.at, Plan: trusted, Ring: p.Rings[0].Name, Wave: 1, Host: c.Host, Patch: c.Patch, Event: e,
		Key: trusted + "/" + string(c.Host) + "/" + string(c.Patch) + "/1", Run: "forged"}
}

// approval appends an approval as execute would.
func (w *site) approval(edit func(*outcome.Approval)) {
	w.t.Helper()
	list, err := outcome.ParseApprovals(w.file(approvalsFile), w.plan().Digest)
	if err != nil || len(list) == 0 {
		w.t.Fatalf("approvals: %v, %v", list, err)
	}
	forged := list[0]
	edit(&forged)
	data, err := outcome.AppendApprovals(w.file(approvalsFile), w.plan().Digest, []outcome.Approval{forged})
	if err != nil {
		w.t.Fatal(err)
	}
	w.push("forged approval", map[string][]byte{approvalsFile: data})
}

// rewritten makes the protected branch anew, commit by commit; edit changes what
// comes next, and false leaves it out.
func (w *site) rewritten(edit func(line []repo.Commit, n int, next *repo.Next) bool) {
	w.t.Helper()
	var line []repo.Commit
	for c, err := range w.repo.FirstParents(w.tip()) {
		if err != nil {
			w.t.Fatal(err)
		}
		line = append(line, c)
	}
	slices.Reverse(line)
	var at repo.Hash
	for n, c := range line {
		next := repo.Next{Base: at, Changes: map[string][]byte{}, Message: c.Message, Author: c.Author, At: c.At}
		var before repo.Hash
		if n > 0 {
			before, next.Parents = c.Parents[0], c.Parents[1:]
		}
		changes, err := w.repo.Diff(before, c.Hash)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, ch := range changes {
			next.Changes[ch.Path] = nil
			if ch.After != "" {
				if next.Changes[ch.Path], err = w.repo.ReadFile(c.Hash, ch.Path); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		if !edit(line, n, &next) {
			continue
		}
		if at, err = w.repo.Write(next); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.repo.Move("refs/heads/main", w.tip(), at); err != nil {
		w.t.Fatal(err)
	}
}

const rewrote = "was merged by commit "

var tampering = []attack{
	{"audit a line is edited", done, func(w *site) {
		w.relax()
		w.edit(ledgerFile, `"event":"healthy"`, `"event":"degraded"`)
		w.finds(ledgerFile+": commit ", "rewrote, cut or deleted it; ledgers only grow", ": prev is ")
	}},
	{"audit a line is cut out", done, func(w *site) {
		w.relax()
		w.lines(ledgerFile, func(l [][]byte) [][]byte { return slices.Delete(l, 1, 2) })
		w.finds(ledgerFile + ":2: prev is ")
	}},
	{"audit the last line is cut out", done, func(w *site) {
		w.relax()
		w.lines(ledgerFile, func(l [][]byte) [][]byte { return l[:len(l)-1] })
		w.finds("rewrote, cut or deleted it; ledgers only grow")
	}},
	{"audit the last line is cut off in its middle", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{ledgerFile: w.file(ledgerFile)[:len(w.file(ledgerFile))-9]})
		w.finds(ledgerFile+":", "the last line is cut", "rewrote, cut or deleted it")
	}},
	{"audit the last line loses its end of line", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{ledgerFile: bytes.TrimSuffix(w.file(ledgerFile), []byte("\n"))})
		w.finds("the last line is cut")
	}},
	{"audit lines change places", done, func(w *site) {
		w.relax()
		w.lines(ledgerFile, func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l })
		w.finds(ledgerFile + ":2: prev is ")
	}},
	{"audit a line is inserted", done, func(w *site) {
		w.relax()
		w.lines(ledgerFile, func(l [][]byte) [][]byte { return slices.Insert(l, 1, bytes.Clone(l[2])) })
		w.finds(ledgerFile + ":2: prev is ")
	}},
	{"audit a line is repeated", begun, func(w *site) {
		w.push("tamper", map[string][]byte{ledgerFile: append(bytes.Clone(w.file(ledgerFile)), bytes.SplitAfter(w.file(ledgerFile), []byte("\n"))[1]...)})
		w.finds(ledgerFile + ":3: prev is ")
	}},
	{"audit all lines are written anew, with a chain that holds", done, func(w *site) {
		w.relax()
		lines, err := outcome.Parse(w.file(ledgerFile), w.plan().Digest)
		if err != nil {
			w.t.Fatal(err)
		}
		lines[1].Detail = "all went well"
		data, err := outcome.Append(nil, w.plan().Digest, lines)
		if err != nil {
			w.t.Fatal(err)
		}
		w.push("tamper", map[string][]byte{ledgerFile: data})
		w.finds(ledgerFile + ": commit ")
	}},
	{"audit a ledger is deleted", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{ledgerFile: nil})
		w.finds(ledgerFile+": commit ", approvalsFile+`: nothing of plan "standard-main-1" was ever intended`)
	}},
	{"audit a ledger is renamed", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{ledgerFile: nil, "outcomes/standard-main-9.jsonl": w.file(ledgerFile)})
		w.finds(ledgerFile+": commit ", `outcomes/standard-main-9.jsonl: there never was a plan "standard-main-9"`)
	}},
	{"audit a ledger is no ledger", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{"outcomes/standard-main-9.jsonl": []byte("{}\n")})
		w.finds(`outcomes/standard-main-9.jsonl:1: "prev" is missing`)
	}},
	{"audit an outcome comes before its intent", merged, func(w *site) {
		w.chain(w.change(outcome.Applied), w.change(outcome.Intended))
		w.finds(ledgerFile+":1: applied on ", ", and nothing intended it", `the plan began with 0 of 1 approvals by "team-office"`)
	}},
	{"audit an outcome is of another host's intent", begun, func(w *site) {
		l := w.change(outcome.Applied)
		l.Host = w.plan().Rings[1].Waves[0].Changes[0].Host
		w.chain(l)
		w.finds(ledgerFile + ":3: applied on " + string(l.Host) + ", and nothing intended it")
	}},
	{"audit an outcome is of a host that is not in the plan", begun, func(w *site) {
		i, a := w.change(outcome.Intended), w.change(outcome.Applied)
		i.Host, a.Host = "ghost-1", "ghost-1"
		w.chain(i, a)
		w.finds(ledgerFile + ": line 3: " + string(i.Patch) + " on ghost-1 is not in the plan")
	}},
	{"audit an outcome is of another plan", begun, func(w *site) {
		l := w.change(outcome.Held)
		l.Plan = "standard-main-7"
		w.chain(l)
		w.finds(ledgerFile + `:3: it tells of plan "standard-main-7"`)
	}},
	{"audit an outcome is of a time before the last", begun, func(w *site) {
		l := w.change(outcome.Held)
		l.At = w.at.Add(-time.Hour)
		w.chain(l)
		w.finds(ledgerFile + ":3: it tells of 2026-03-02T08:00:00Z, before what stood there already; time does not run backwards")
	}},
	{"audit an approval is forged", begun, func(w *site) {
		w.approval(func(a *outcome.Approval) { a.By = "eve" })
		w.finds(approvalsFile + `:2: the forge knows of no approval by "eve"`)
	}},
	{"audit an approval is of another commit", begun, func(w *site) {
		w.approval(func(a *outcome.Approval) { a.Commit = strings.Repeat("a", 40) })
		w.finds(approvalsFile + ":2: it approves commit aaaaaaaaaa, and the plan was merged from another")
	}},
	{"audit an approval is of another plan", begun, func(w *site) {
		w.approval(func(a *outcome.Approval) { a.Plan = "standard-main-7" })
		w.finds(approvalsFile + `:2: it approves plan "standard-main-7"`)
	}},
	{"audit an approval is the author's own", begun, func(w *site) {
		w.approval(func(a *outcome.Approval) { a.By = "ringmaster" })
		w.finds(approvalsFile + `:2: "ringmaster" approved what they proposed`)
	}},
	{"audit an approval is for a team that its author is not in", begun, func(w *site) {
		w.approval(func(a *outcome.Approval) { a.For = "owners" })
		w.finds(approvalsFile + `:2: "fred" was not in "owners" when the plan began`)
	}},
	{"audit an approval is edited", begun, func(w *site) {
		w.relax()
		w.edit(approvalsFile, `"by":"fred"`, `"by":"olivia"`)
		w.finds(approvalsFile+": commit ", approvalsFile+`:1: the forge knows of no approval by "olivia"`)
	}},
	{"audit approvals are deleted", begun, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{approvalsFile: nil})
		w.finds(approvalsFile+": commit ", approvalsFile+`: the plan began with 0 of 1 approvals by "team-office"`)
	}},
	{"audit a plan is edited", done, func(w *site) {
		w.relax()
		w.edit(planFile, `"count":1`, `"count":0`)
		w.finds(planFile + ":1: plan standard-main-1: the digest is not that of the bytes")
	}},
	{"audit a plan is edited and sealed again", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{planFile: w.sealed(w.file(planFile))})
		w.finds(planFile+":1: it differs from what its pull request was merged with", planFile+":1: recomputed at commit ", ledgerFile+":1: prev is ")
	}},
	{"audit what people read of a plan is edited", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{"plans/" + trusted + "/plan.md": []byte("# Nothing to see here\n"), "plans/" + trusted + "/note.md": []byte("approved by phone\n")})
		w.finds("plans/standard-main-1/plan.md:1: it does not say what the plan says", "plans/standard-main-1/note.md:1: no plan writes it")
	}},
	{"audit a plan stands under another's id", done, func(w *site) {
		w.relax()
		w.push("tamper", map[string][]byte{"plans/standard-main-2/plan.json": w.file(planFile)})
		w.finds(`plans/standard-main-2/plan.json:1: the plan says that it is "standard-main-1"`)
	}},
	{"audit a second plan takes an id", done, func(w *site) {
		w.relax()
		was := w.file(planFile)
		w.push("revert", map[string][]byte{planFile: nil})
		w.push("again", map[string][]byte{planFile: was})
		w.finds(planFile + ":1: commit ")
	}},
	{"audit the forge knows nothing of a plan", done, func(w *site) {
		w.relax()
		w.forget()
		w.finds(planFile + ":1: no pull request brought it")
	}},
	{"audit a commit is amended", done, func(w *site) {
		w.rewritten(func(_ []repo.Commit, n int, next *repo.Next) bool {
			if n == 1 {
				next.Message = "nothing to see here"
			}
			return true
		})
		w.finds("ringmaster/standard-main-1 "+rewrote, "which is not on main: its history was rewritten", planFile+":1: commit ")
	}},
	{"audit a commit is left out", done, func(w *site) {
		w.push("facts", map[string][]byte{"inventory/facts/README": []byte("x")})
		w.reviewed("ring", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "2h")})
		w.rewritten(func(line []repo.Commit, n int, _ *repo.Next) bool { return n != len(line)-2 })
		w.finds("ringmaster/ring " + rewrote)
	}},
	{"audit history is cut off at its end", done, func(w *site) {
		seen := w.tip()
		c, err := w.repo.Commit(seen)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.repo.Move("refs/heads/main", seen, c.Parents[0]); err != nil {
			w.t.Fatal(err)
		}
		w.says(0, []string{"main is at commit " + string(c.Parents[0])}, "audit", "verify") // nothing here tells
		w.says(1, []string{"main does not hold commit " + string(seen)[:10] + ", which an earlier audit saw: its history was cut or rewritten"}, "audit", "verify", "--since", string(seen))
		w.says(0, []string{"1 plan recomputed"}, "audit", "verify", "--since", string(c.Parents[0]))
		w.says(2, []string{`"abc" is not a commit`}, "audit", "verify", "--since", "abc")
	}},
	{"audit commits change places", done, func(w *site) {
		var held *repo.Next
		w.rewritten(func(line []repo.Commit, n int, next *repo.Next) bool {
			if n == len(line)-2 {
				held = &repo.Next{Changes: next.Changes, Message: next.Message, Author: next.Author, At: next.At}
				return false
			}
			if n == len(line)-1 {
				last := *next
				h, err := w.repo.Write(last)
				if err != nil {
					w.t.Fatal(err)
				}
				held.Base = h
				*next = *held
			}
			return true
		})
		w.finds("rewrote, cut or deleted it; ledgers only grow")
	}},
	{"audit history begins with another commit", done, func(w *site) {
		w.rewritten(func(_ []repo.Commit, n int, next *repo.Next) bool {
			if n == 0 {
				next.Changes["policies/risk/risk.rego"] = []byte("package ringmaster.risk\n")
			}
			next.Parents = nil
			return true
		})
		w.finds("ringmaster/standard-main-1 "+rewrote, planFile+":1: made at commit ", "which is not on the protected branch")
	}},
	{"audit the facts that a plan was made of are edited in history", done, func(w *site) {
		w.rewritten(func(_ []repo.Commit, _ int, next *repo.Next) bool {
			if data, ok := next.Changes["inventory/patches/osprey.jsonl"]; ok {
				next.Changes["inventory/patches/osprey.jsonl"] = bytes.Replace(data, []byte(`"reports":`), []byte(`"reports":1`), 1)
			}
			next.Parents = nil
			return true
		})
		w.finds(planFile+":1: made at commit ", "which is not on the protected branch")
	}},
	{"audit what the feeds say changes after the plan, as it may", done, func(w *site) {
		w.edit("inventory/patches/osprey.jsonl", `"reports":`, `"reports":1`)
		w.says(0, []string{"1 plan recomputed, the same byte for byte"}, "audit", "verify")
	}},
	{"audit what needs a review is pushed", done, func(w *site) {
		for _, name := range []string{"policies/risk/data.json", "rings/rings.hcl", "inventory/services.hcl", "models/track-record.json", "plans/" + trusted + "/plan.md", ".github/workflows/execute.yml"} {
			w.push("direct", map[string][]byte{name: append(bytes.Clone(w.file(name)), '\n')})
		}
		w.finds("it changes policies/risk/data.json, and", "it changes rings/rings.hcl, and", "it changes inventory/services.hcl, and", "it changes models/track-record.json, and",
			"it changes plans/standard-main-1/plan.md, and", "it changes .github/workflows/execute.yml, and no merged pull request brought it")
	}},
	{"audit a merge is pushed that says the forge made it", done, func(w *site) {
		side, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"policies/risk/data.json": []byte(`{"hold_above":1,"no_tier_tolerance":1}`)}, Message: "looser", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Parents: []repo.Hash{side}, Changes: map[string][]byte{"policies/risk/data.json": []byte(`{"hold_above":1,"no_tier_tolerance":1}`)},
			Message: "Merge ringmaster/looser\n\nReviewed-by: olivia", Author: repo.Person{Name: "olivia", Email: "olivia@localhost"}, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.repo.Move("refs/heads/main", w.tip(), h); err != nil {
			w.t.Fatal(err)
		}
		w.finds("it changes policies/risk/data.json, and no merged pull request brought it")
	}},
	{"audit a commit is dated back", done, func(w *site) {
		w.wall()
		w.at = trustAt.Add(-time.Hour)
		w.push("facts", map[string][]byte{"inventory/facts/README": []byte("x")})
		w.finds("is dated 2026-03-02T08:00:00Z, before the commit that it follows (2026-03-02T09:00:00Z)")
	}},
}

// TestTamperingIsTold: whatever was found names a place or a commit, so that a
// reader of the audit can look.
func TestTamperingIsTold(t *testing.T) {
	if n := len(tampering); n < 20 {
		t.Errorf("%d ways to tamper are tried, want 20 or more", n)
	}
	for _, a := range tampering {
		if !strings.HasPrefix(a.name, "audit ") {
			t.Errorf("%q does not begin with what it is about", a.name)
		}
	}
	if plan.Path(trusted) != planFile || outcome.Path(trusted) != ledgerFile || outcome.ApprovalsPath(trusted) != approvalsFile {
		t.Error("the estate keeps its files elsewhere")
	}
}
