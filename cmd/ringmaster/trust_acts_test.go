package main

import (
	"fmt"
	"os"
	"path/filepath"
	"unicode"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// refuses is an execute that warns of the plan, and records nothing of it.
func (w *site) refuses(why string) {
	w.t.Helper()
	w.says(3, []string{"plan " + trusted + " is not carried out: " + why}, "execute")
	if got := w.file("outcomes/" + trusted + ".jsonl"); got != nil {
		w.t.Errorf("the ledger is %q, want none", got)
	}
}

// stops is an execute that stops because of a commit and moves nothing, and an
// audit that finds the same.
func (w *site) stops(commit repo.Hash, why string) {
	w.t.Helper()
	tip := w.tip()
	breach := fmt.Sprintf("commit %.10s: %s", commit, why)
	w.says(1, []string{
		"ringmaster: nothing is executed: the base branch holds what nobody reviewed; revert it by a pull request that the owners approve:\n",
		"\n  " + breach + "\n",
	}, "execute")
	if w.tip() != tip {
		w.t.Error("execute moved the branch")
	}
	w.says(1, []string{breach}, "audit", "verify")
}

// reviewed changes files by a pull request that an owner approves.
func (w *site) reviewed(id string, files map[string][]byte) {
	w.t.Helper()
	w.propose(id, "mallory", files)
	w.force(id, "olivia")
}

// relax switches review off, as the owners may.
func (w *site) relax() {
	w.t.Helper()
	w.reviewed("relax", map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `"required"`, `"none"`)})
}

// wall makes the estate's clock the wall's.
func (w *site) wall() {
	w.t.Helper()
	w.reviewed("wall", map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `"given"`, `"wall"`)})
}

// fleet makes a plugin in the estate the fleet, as the owners may.
func (w *site) fleet(env string) { w.fleetOf(env, plugin) }

func (w *site) fleetOf(env, program string) {
	w.t.Helper()
	h, err := w.repo.Write(repo.Next{Base: w.tip(), Message: "plugin", Author: mallory, At: w.at, Executable: map[string]bool{"fleet.sh": true},
		Changes: map[string][]byte{"rings/zz.hcl": fmt.Appendf(nil, execFleet, env), "fleet.sh": []byte(program)}})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.forge().Propose(w.t.Context(), forge.Proposal{Branch: "ringmaster/plugin", Commit: string(h), Author: "mallory", At: w.at}); err != nil {
		w.t.Fatal(err)
	}
	w.force("plugin", "olivia")
}

// unstarted says that the plugin never ran.
func (w *site) unstarted() {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, "..", "environment")); err == nil {
		w.t.Error("the plugin was started")
	}
}

// forget makes the forge know nothing of the plan's pull request.
func (w *site) forget() {
	w.t.Helper()
	ref := "refs/ringmaster/pulls/" + trusted
	h, err := w.repo.Ref(ref)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.repo.CompareAndSwap(ref, h, ""); err != nil {
		w.t.Fatal(err)
	}
}

// amend pushes a file to the plan's branch by hand.
func (w *site) amend(name string, data []byte) {
	w.t.Helper()
	if _, err := w.repo.Advance("refs/heads/ringmaster/"+trusted, repo.Next{Base: w.branch(), Changes: map[string][]byte{name: data}, Message: "by hand", Author: mallory, At: w.at}); err != nil {
		w.t.Fatal(err)
	}
}

// sealed is a plan that asks nobody for approval, with a digest that is right.
func (w *site) sealed(data []byte) []byte {
	w.t.Helper()
	p, err := plan.Decode(data)
	if err != nil {
		w.t.Fatal(err)
	}
	p.Approvals = []plan.Approval{}
	out, err := plan.Seal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// remade puts onto the open plan's branch what another engine would have made of
// it, edited and with a digest that is right.
func (w *site) remade(engine string, edit func(*plan.Plan)) {
	w.t.Helper()
	p, err := plan.Decode(w.planAt(w.branch()))
	if err != nil {
		w.t.Fatal(err)
	}
	p.Inputs.Engine = engine
	if edit != nil {
		edit(p)
	}
	data, err := plan.Seal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	w.amend(plan.Path(trusted), data)
}

func (w *site) plan() *plan.Plan {
	w.t.Helper()
	p, err := plan.Decode(w.file(plan.Path(trusted)))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// graft makes the protected branch a merge whose first parent is another commit.
func (w *site) graft(first, second repo.Hash) repo.Hash {
	w.t.Helper()
	h, err := w.repo.Write(repo.Next{Base: first, Parents: []repo.Hash{second}, Message: "merge", Author: mallory, At: w.at})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.repo.Move("refs/heads/main", w.tip(), h); err != nil {
		w.t.Fatal(err)
	}
	return h
}

// inert is text that does nothing to a terminal: no control but line ends.
func (w *site) inert(text string) {
	w.t.Helper()
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			w.t.Errorf("the text holds %U:\n%q", r, text)
			return
		}
	}
}
