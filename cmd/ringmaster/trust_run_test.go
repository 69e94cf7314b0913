package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// 1. Only a merged plan runs.
var runAttacks = []attack{
	{"1 nothing is wrong with the estate before it is attacked", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.says(0, []string{"nothing is due"}, "execute")
		w.says(0, []string{"1 plan recomputed, the same byte for byte"}, "audit", "verify")
	}},
	{"1 a plan that was never proposed lies on main", opened, func(w *site) {
		w.relax()
		w.forget()
		w.push("a plan", map[string][]byte{plan.Path(trusted): w.planAt(w.branch())})
		w.refuses("no pull request brought it: a file that merely lies on main is not a plan")
	}},
	{"1 a plan whose pull request is open lies on main", opened, func(w *site) {
		w.relax()
		w.push("a plan", map[string][]byte{plan.Path(trusted): w.planAt(w.branch())})
		w.refuses("its pull request is open, not merged")
	}},
	{"1 a plan whose pull request was closed lies on main", opened, func(w *site) {
		w.relax()
		w.want(0, "pr", "close", trusted)
		w.push("a plan", map[string][]byte{plan.Path(trusted): w.planAt(w.branch())})
		w.refuses("its pull request is closed, not merged")
	}},
	{"1 a plan lies on main that requires review", opened, func(w *site) {
		h := w.push("a plan", map[string][]byte{plan.Path(trusted): w.planAt(w.branch())})
		w.stops(h, "it changes plans/standard-main-1/plan.json, and no merged pull request brought it")
	}},
	{"1 a merged plan is edited", merged, func(w *site) {
		w.relax()
		w.edit(plan.Path(trusted), `"count":1`, `"count":0`)
		w.refuses("the digest is not that of the bytes: it was edited after it was made")
	}},
	{"1 a merged plan is edited and sealed again", merged, func(w *site) {
		w.relax()
		w.push("sealed", map[string][]byte{plan.Path(trusted): w.sealed(w.file(plan.Path(trusted)))})
		w.refuses("it differs from what its pull request was merged with")
		w.says(1, []string{"plans/standard-main-1/plan.json:1: it differs from what its pull request was merged with"}, "audit", "verify")
	}},
	{"1 a plan is edited in its pull request", opened, func(w *site) {
		w.amend(plan.Path(trusted), bytes.Replace(w.planAt(w.branch()), []byte(`"count":1`), []byte(`"count":0`), 1))
		w.says(1, []string{"plans/standard-main-1/plan.json:1: plan standard-main-1: the digest is not that of the bytes: the plan was edited by hand; run `ringmaster plan` and let it write the plan"}, "check", trusted)
		w.says(1, []string{"the digest is not that of the bytes"}, "pr", "merge", trusted, "--by", "olivia")
		w.force(trusted, "fred")
		w.refuses("the digest is not that of the bytes: it was edited after it was made")
	}},
	{"1 a plan is edited in its pull request and sealed again", opened, func(w *site) {
		w.amend(plan.Path(trusted), w.sealed(w.planAt(w.branch())))
		w.says(1, []string{"plans/standard-main-1/plan.json:1: rebuilt at commit", "the plan is another one; it was edited, or made from what is not in Git. approval of \"team-office\" is left out"}, "check", trusted)
		w.says(3, []string{"merging ringmaster/standard-main-1 is refused: rebuilt at commit"}, "pr", "merge", trusted, "--by", "olivia")
		w.force(trusted)
		w.refuses("made again at commit")
		w.says(1, []string{"it is another plan"}, "audit", "verify")
	}},
	{"1 a plan's page is edited in its pull request, approved and merged", opened, func(w *site) {
		w.amend("plans/"+trusted+"/plan.md", []byte("# Nothing at all happens\n"))
		w.force(trusted, "fred")
		w.refuses("plans/standard-main-1/plan.md of commit ")
	}},
	{"1 a plan's pull request brings a policy along", opened, func(w *site) {
		w.amend("policies/risk/risk.rego", []byte("package ringmaster.risk\n"))
		w.says(1, []string{"policies/risk/risk.rego:1: changed together with plan standard-main-1"}, "check", trusted)
		w.says(3, []string{"merging ringmaster/standard-main-1 is refused: 0 of 1 by"}, "pr", "merge", trusted, "--by", "olivia")
		h := w.force(trusted, "fred").Merge
		w.stops(repo.Hash(h), `policies/risk/risk.rego was merged by ringmaster/standard-main-1 without the approval of an owner (owners) other than its author "ringmaster"`)
	}},
	{"1 nobody approves", opened, func(w *site) {
		w.says(3, []string{`merging ringmaster/standard-main-1 is refused: 0 of 1 by "team-office"`}, "pr", "merge", trusted, "--by", "olivia")
		w.force(trusted)
		w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
	}},
	{"1 the author approves", opened, func(w *site) {
		w.want(0, "pr", "close", trusted)
		if _, err := w.forge().Propose(w.t.Context(), forge.Proposal{Branch: "ringmaster/" + trusted, Commit: string(w.branch()), Author: "fred", At: w.at}); err != nil {
			w.t.Fatal(err)
		}
		w.force(trusted, "fred")
		w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
	}},
	{"1 somebody else approves", opened, func(w *site) {
		w.force(trusted, "alice", "mallory", "olivia")
		w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
	}},
	{"1 an older head was approved", opened, func(w *site) {
		w.want(0, "pr", "approve", trusted, "--by", "fred")
		w.amend("plans/"+trusted+"/plan.md", []byte("# Nothing to see here\n"))
		w.says(3, []string{`0 of 1 by "team-office"`}, "pr", "merge", trusted, "--by", "olivia")
		w.force(trusted)
		w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
	}},
	{"1 a plan is reverted and brought back", merged, func(w *site) {
		was := w.file(plan.Path(trusted))
		w.propose("revert", "fred", map[string][]byte{plan.Path(trusted): nil})
		w.force("revert")
		w.says(0, []string{"nothing is due"}, "execute")
		w.propose("again", "fred", map[string][]byte{plan.Path(trusted): was})
		again := w.force("again", "olivia").Merge
		w.refuses("commit " + again[:10] + " brought it, not the merge of its pull request")
	}},
	{"1 a plan of another engine comes out the same", opened, func(w *site) {
		w.remade("v0.0.9", nil)
		w.force(trusted, "fred")
		w.says(0, []string{"applied"}, "execute")
		w.says(0, []string{"1 plan recomputed, the same byte for byte"}, "audit", "verify")
	}},
	{"1 a plan says that another engine made it", opened, func(w *site) {
		w.remade("v0.0.9", func(p *plan.Plan) { p.Approvals = []plan.Approval{} })
		w.force(trusted, "fred")
		w.refuses("it was made by engine v0.0.9, and v0.1.0 does not come to the same plan; it takes the approval of an owner (owners) other than its author, or a revert and a new plan")
	}},
	{"1 a plan of another engine is approved by an owner", opened, func(w *site) {
		w.remade("v0.0.9", func(p *plan.Plan) { p.Approvals = []plan.Approval{} })
		w.force(trusted, "olivia")
		w.says(0, []string{"it begins because olivia, an owner, approved it", "applied"}, "execute")
		w.says(0, []string{"standard-main-1 was made by engine v0.0.9, and v0.1.0 does not come to the same plan; recompute it with that one"}, "audit", "verify")
	}},
	{"1 a plan was held until it expired", merged, func(w *site) {
		end := w.plan().Expires
		w.want(0, "override", "hold", "--by", "fred", "--reason", "not today", "--until", end.Format(time.RFC3339))
		w.says(3, []string{"hold by fred: not today"}, "execute")
		w.at = end
		w.says(3, []string{"plan " + trusted + " is not carried out: it expired on "}, "execute")
	}},
	{"1 a plan is edited and sealed again, and somebody writes that it was held", opened, func(w *site) {
		w.remade(engine.Version, func(p *plan.Plan) { p.Approvals = []plan.Approval{} })
		w.force(trusted)
		p := w.plan()
		c := p.Rings[0].Waves[0].Changes[0]
		data, err := outcome.Append(nil, p.Digest, []outcome.Line{{At: w.at, Plan: trusted, Ring: p.Rings[0].Name, Wave: 1, Host: c.Host, Patch: c.Patch, Event: outcome.Held, Detail: "x"}})
		if err != nil {
			w.t.Fatal(err)
		}
		w.push("a forged line", map[string][]byte{outcome.Path(trusted): data})
		w.says(3, []string{"plan " + trusted + " is not carried out: made again at commit"}, "execute")
	}},
	{"1 a plan is expired", merged, func(w *site) {
		w.at = trustAt.AddDate(0, 3, 0)
		w.refuses("it expired on 2026-")
	}},
	{"1 a completed plan's ledger is deleted", done, func(w *site) {
		h := w.push("again", map[string][]byte{outcome.Path(trusted): nil})
		w.stops(h, "outcomes/standard-main-1.jsonl was rewritten, cut or deleted: ledgers only grow")
	}},
	{"1 a completed plan's ledger is deleted where nothing is reviewed", done, func(w *site) {
		was := w.file(outcome.Path(trusted))
		w.relax()
		h := w.push("again", map[string][]byte{outcome.Path(trusted): nil})
		w.stops(h, "outcomes/standard-main-1.jsonl was rewritten, cut or deleted: ledgers only grow")
		w.at = trustAt.AddDate(0, 1, 0)
		w.push("as it was", map[string][]byte{outcome.Path(trusted): was})
		w.says(0, []string{"nothing is due"}, "execute")
		w.says(1, []string{"rewrote, cut or deleted it; ledgers only grow"}, "audit", "verify")
	}},
	{"1 a completed plan's ledger is deleted by a pull request", done, func(w *site) {
		w.propose("again", "fred", map[string][]byte{outcome.Path(trusted): nil})
		w.says(3, []string{"merging ringmaster/again is refused: it changes outcomes/standard-main-1.jsonl, which execute alone writes"}, "pr", "merge", "again", "--by", "olivia")
		h := w.force("again", "olivia").Merge
		w.stops(repo.Hash(h), "outcomes/standard-main-1.jsonl was rewritten, cut or deleted: ledgers only grow")
	}},
	{"1 a ledger's line is edited", done, func(w *site) {
		h := w.edit(outcome.Path(trusted), `"event":"healthy"`, `"event":"applied"`)
		w.stops(h, "outcomes/standard-main-1.jsonl was rewritten, cut or deleted: ledgers only grow")
	}},
	{"1 a ledger is cut", done, func(w *site) {
		was := w.file(outcome.Path(trusted))
		h := w.push("shorter", map[string][]byte{outcome.Path(trusted): was[:bytes.IndexByte(was, '\n')+1]})
		w.stops(h, "outcomes/standard-main-1.jsonl was rewritten, cut or deleted: ledgers only grow")
	}},
	{"1 a ledger's lines change places", done, func(w *site) {
		lines := bytes.SplitAfter(w.file(outcome.Path(trusted)), []byte("\n"))
		lines[0], lines[1] = lines[1], lines[0]
		h := w.push("another order", map[string][]byte{outcome.Path(trusted): bytes.Join(lines, nil)})
		w.stops(h, "outcomes/standard-main-1.jsonl was rewritten, cut or deleted: ledgers only grow")
		w.says(1, []string{"outcomes/standard-main-1.jsonl:1: prev is"}, "audit", "verify")
	}},
	{"1 a line is forged that breaks the chain", begun, func(w *site) {
		was := w.file(outcome.Path(trusted))
		line := bytes.SplitAfter(was, []byte("\n"))[1]
		w.push("a forged line", map[string][]byte{outcome.Path(trusted): append(bytes.Clone(was), line...)})
		w.says(1, []string{"outcomes/standard-main-1.jsonl: line 3: prev is", "history was changed: see `ringmaster audit verify`"}, "execute")
	}},
	{"1 an outcome is forged that nothing intended", merged, func(w *site) {
		p := w.plan()
		c := p.Rings[0].Waves[0].Changes[0]
		line := outcome.Line{At: w.at, Plan: trusted, Ring: p.Rings[0].Name, Wave: 1, Host: c.Host, Patch: c.Patch, Event: outcome.Applied,
			Key: trusted + "/" + string(c.Host) + "/" + string(c.Patch) + "/1"}
		data, err := outcome.Append(nil, p.Digest, []outcome.Line{line})
		if err != nil {
			w.t.Fatal(err)
		}
		w.push("a forged line", map[string][]byte{outcome.Path(trusted): data})
		w.says(1, []string{"outcomes/standard-main-1.jsonl:1: applied on " + string(c.Host) + ", and nothing intended it"}, "audit", "verify")
	}},
	{"1 results are recorded that nobody intended", merged, func(w *site) {
		c := w.plan().Rings[0].Waves[0].Changes[0]
		results := filepath.Join(w.dir, "..", "results")
		w.write("../results/results-1-of-1.jsonl", fmt.Sprintf(`{"key":"%s/%s/%s/1","plan":"%[1]s","host":"%[2]s","patch":"%[3]s","event":"applied","at":"2026-03-02T09:00:00Z"}`+"\n", trusted, c.Host, c.Patch), 0o644)
		w.says(0, []string{"a result that no committed intent asks for is passed over"}, "execute", "--phase", "record", "--results", results)
		if got := w.file(outcome.Path(trusted)); got != nil {
			w.t.Errorf("the ledger is %q, want none", got)
		}
	}},
	{"1 a result is recorded under another host's key", merged, func(w *site) {
		results := filepath.Join(w.dir, "..", "results")
		w.want(0, "execute", "--phase", "intend")
		was := w.file(outcome.Path(trusted))
		c := w.plan().Rings[0].Waves[0].Changes[0]
		w.write("../results/results-1-of-1.jsonl", fmt.Sprintf(`{"key":"%s/office-99/%s/1","plan":"%[1]s","host":"%[3]s","patch":"%[2]s","event":"applied","at":"2026-03-02T09:00:00Z"}`+"\n", trusted, c.Patch, c.Host), 0o644)
		w.says(0, []string{"a result that no committed intent asks for is passed over"}, "execute", "--phase", "record", "--results", results)
		if got := w.file(outcome.Path(trusted)); !bytes.Equal(got, was) {
			w.t.Errorf("the ledger grew by %q", got[len(was):])
		}
	}},
}
