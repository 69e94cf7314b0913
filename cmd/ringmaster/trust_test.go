package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// The attacks of this file are numbered as in SECURITY.md and the contract.

// attack is one way to break a line; it begins at a stage of the plan.
type attack struct {
	name string
	from stage
	try  func(w *site)
}

func TestTrust(t *testing.T) {
	for name, value := range map[string]string{
		"GITHUB_TOKEN": "ghs_secret", "VAULT_ADDR": "https://vault", "OTHER": "secret", "HARMLESS": "ghs_0123456789abcdefghijklmnopqrstuvwxyz",
	} {
		t.Setenv(name, value) // of the process, from which plugins inherit
	}
	x := prepared(t)
	t.Run("attacks", func(t *testing.T) {
		for _, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				a.try(x.at(t, a.from))
			})
		}
	})
}

var attacks = slices.Concat(runAttacks, commandAttacks, reviewAttacks, learnAttacks, timeAttacks, nameAttacks, silenceAttacks)

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
		w.says(1, []string{"plans/standard-main-1/plan.json:1: rebuilt at commit", "the plan is another one (at byte", "it was edited, or made from what is not in Git"}, "check", trusted)
		w.says(3, []string{"merging ringmaster/standard-main-1 is refused: rebuilt at commit"}, "pr", "merge", trusted, "--by", "olivia")
		w.force(trusted)
		w.refuses("made again at commit")
		w.says(1, []string{"it is another plan"}, "audit", "verify")
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

// plugin is a fleet that tells its environment and answers nothing.
const plugin = "#!/bin/sh\nenv > ../environment\n"

const execFleet = "fleet \"exec\" {\n  command = [\"./fleet.sh\"]\n  env = [%s]\n}\n"

// 2. Only the protected branch commands.
var commandAttacks = []attack{
	{"2 a plugin sees what is declared and no token", merged, func(w *site) {
		w.fleet(`"VAULT_ADDR"`)
		w.says(1, []string{`greeting fleet "exec"`}, "execute")
		got, err := os.ReadFile(filepath.Join(w.dir, "..", "environment"))
		if err != nil {
			w.t.Fatal(err)
		}
		if s := string(got); strings.Contains(s, "secret") || !strings.Contains(s, "VAULT_ADDR=https://vault\n") || !strings.Contains(s, "PATH=") {
			w.t.Errorf("the plugin's environment is\n%s", s)
		}
	}},
	{"2 a plugin is to inherit the token", merged, func(w *site) {
		w.fleet(`"GITHUB_TOKEN"`)
		w.says(2, []string{`rings/zz.hcl:3:10: fleet "exec": attribute "env": "GITHUB_TOKEN" is a forge's token, which no plugin inherits`}, "execute")
		w.unstarted()
	}},
	{"2 a plugin is to inherit the token under another name", merged, func(w *site) {
		w.fleet(`"HARMLESS"`)
		w.want(1, "execute")
		w.unstarted()
	}},
	{"2 a plugin is edited in the folder", merged, func(w *site) {
		w.fleet("")
		w.write("fleet.sh", plugin+"rm -rf /\n", 0o755)
		w.says(1, []string{`ringmaster: opening fleet "exec": fleet.sh was edited here and differs from main; commit it by a pull request, or undo the edit`}, "execute")
		w.unstarted()
	}},
	{"2 a plugin is edited on a branch that is checked out", merged, func(w *site) {
		w.fleet("")
		h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: map[string][]byte{"fleet.sh": []byte(plugin + "rm -rf /\n")}, Message: "evil", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.repo.CompareAndSwap("refs/heads/evil", "", h); err != nil {
			w.t.Fatal(err)
		}
		w.write(".git/HEAD", "ref: refs/heads/evil\n", 0o644)
		w.write("fleet.sh", plugin+"rm -rf /\n", 0o755)
		w.says(1, []string{`ringmaster: opening fleet "exec": fleet.sh is not here as it is on main; check out main`}, "execute")
		w.unstarted()
	}},
	{"2 a plugin lies in the folder alone", merged, func(w *site) {
		w.reviewed("plugin", map[string][]byte{"rings/zz.hcl": fmt.Appendf(nil, execFleet, "")})
		w.write("fleet.sh", plugin, 0o755)
		w.says(1, []string{`ringmaster: opening fleet "exec": fleet.sh is not on main: a plugin in the estate is reviewed as the rest of it is`}, "execute")
		w.unstarted()
	}},
	{"2 a fleet is declared in the folder alone", merged, func(w *site) {
		w.write("rings/zz.hcl", fmt.Sprintf(execFleet, ""), 0o644)
		w.write("fleet.sh", plugin, 0o755)
		w.says(0, []string{"applied"}, "execute")
		w.unstarted()
	}},
	{"2 a feed is declared in the folder alone", settled, func(w *site) {
		called := false
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
		defer server.Close()
		w.write("inventory/feeds.hcl", fmt.Sprintf("feed \"kev\" {\n  from = [%q]\n}\n", server.URL), 0o644)
		w.says(1, []string{"no feed is declared"}, "feeds", "sync")
		if called {
			w.t.Error("the address was contacted")
		}
	}},
}

// 3 and 4. Nothing unreviewed counts; loosening needs an owner.
var reviewAttacks = []attack{
	{"3 a policy is pushed", merged, func(w *site) {
		h := w.push("looser", map[string][]byte{"policies/risk/risk.rego": []byte("package ringmaster.risk\n")})
		w.stops(h, "it changes policies/risk/risk.rego, and no merged pull request brought it")
	}},
	{"3 a ring is pushed", merged, func(w *site) {
		h := w.edit("rings/rings.hcl", "1h", "1m")
		w.stops(h, "it changes rings/rings.hcl, and no merged pull request brought it")
	}},
	{"3 an inventory is pushed", merged, func(w *site) {
		h := w.edit("inventory/services.hcl", "team-office", "mallory")
		w.stops(h, "it changes inventory/services.hcl, and no merged pull request brought it")
	}},
	{"3 an exception is pushed", merged, func(w *site) {
		h := w.push("exception", map[string][]byte{"inventory/x.hcl": []byte("exception \"x\" {\n  patch = \"*\"\n  services = [\"intranet\"]\n  owner = \"m\"\n  reason = \"r\"\n  until = \"2027-01-01T00:00:00Z\"\n}\n")})
		w.stops(h, "it changes inventory/x.hcl, and no merged pull request brought it")
	}},
	{"3 a model is pushed", merged, func(w *site) {
		h := w.push("model", map[string][]byte{"models/other.txt": []byte("x")})
		w.stops(h, "it changes models/other.txt, and no merged pull request brought it")
	}},
	{"3 facts are pushed, which machines may", merged, func(w *site) {
		w.edit("inventory/facts/hosts.jsonl", `"uptime_s":3456000`, `"uptime_s":3456001`)
		w.says(0, []string{"applied"}, "execute")
	}},
	{"3 review is switched off", merged, func(w *site) {
		h := w.edit("inventory/estate.hcl", `"required"`, `"none"`)
		w.stops(h, "it changes inventory/estate.hcl, and no merged pull request brought it")
	}},
	{"3 review is switched off, a policy loosened, review switched on", merged, func(w *site) {
		was := w.file("inventory/estate.hcl")
		w.edit("inventory/estate.hcl", `"required"`, `"none"`)
		h := w.push("looser", map[string][]byte{"policies/risk/risk.rego": []byte("package ringmaster.risk\n")})
		w.push("as before", map[string][]byte{"inventory/estate.hcl": was})
		w.stops(h, "it changes policies/risk/risk.rego, and no merged pull request brought it")
	}},
	{"3 facts are pushed after review was switched off", merged, func(w *site) {
		was := w.file("inventory/estate.hcl")
		w.edit("inventory/estate.hcl", `"required"`, `"none"`)
		w.edit("inventory/facts/hosts.jsonl", `"uptime_s":3456000`, `"uptime_s":3456001`)
		h := w.push("looser", map[string][]byte{"policies/risk/risk.rego": []byte("package ringmaster.risk\n")})
		w.reviewed("as-before", map[string][]byte{"inventory/estate.hcl": was})
		w.stops(h, "it changes policies/risk/risk.rego, and no merged pull request brought it")
	}},
	{"3 a breach is taken back by the owners", merged, func(w *site) {
		was := w.file("inventory/estate.hcl")
		w.edit("inventory/estate.hcl", `"required"`, `"none"`)
		w.reviewed("as-before", map[string][]byte{"inventory/estate.hcl": was})
		w.says(0, []string{"applied"}, "execute")
	}},
	{"3 main begins anew, with what was reviewed as its side branch", merged, func(w *site) {
		old := w.tip()
		files := map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `"required"`, `"none"`)}
		for _, name := range []string{"rings/rings.hcl", "rings/fleet.hcl", "inventory/services.hcl", "inventory/calendar.hcl"} {
			if data := w.file(name); data != nil {
				files[name] = data
			}
		}
		root, err := w.repo.Write(repo.Next{Changes: files, Message: "begin", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		h := w.graft(root, old)
		w.stops(h, "it merges a history that requires review into one that does not, and no merged pull request brought it")
	}},
	{"3 a merge takes a side branch for the line", merged, func(w *site) {
		old := w.tip()
		side, err := w.repo.Write(repo.Next{Base: old, Changes: map[string][]byte{"inventory/facts/README": []byte("x")}, Message: "facts", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		w.push("facts", map[string][]byte{"inventory/facts/OTHER": []byte("y")})
		h := w.graft(side, w.tip())
		w.stops(h, "it merges another history, and no merged pull request brought it")
	}},
	{"4 a loosening override is pushed", merged, func(w *site) {
		h := w.push("lower", map[string][]byte{"overrides/2026-03.jsonl": []byte(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"mallory","kind":"risk","value":"low","loosens":true,"reason":"trust me"}` + "\n")})
		w.stops(h, "overrides/2026-03.jsonl loosens, or was changed other than by adding a line, and no merged pull request brought it")
	}},
	{"4 a loosening override says that it tightens", merged, func(w *site) {
		w.push("lower", map[string][]byte{"overrides/2026-03.jsonl": []byte(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"mallory","kind":"risk","value":"low","loosens":false,"reason":"trust me"}` + "\n")})
		w.says(2, []string{`overrides/2026-03.jsonl:1: kind "risk": it loosens, so "loosens" must be true`}, "execute")
	}},
	{"4 a hold is deleted", merged, func(w *site) {
		w.want(0, "override", "hold", "--by", "fred", "--reason", "not today")
		h := w.push("lift", map[string][]byte{"overrides/2026-03.jsonl": nil})
		w.stops(h, "overrides/2026-03.jsonl loosens, or was changed other than by adding a line, and no merged pull request brought it")
	}},
	{"4 a hold takes effect at once", merged, func(w *site) {
		w.says(0, []string{"recorded; it holds from now on"}, "override", "hold", "--by", "fred", "--reason", "not today")
		w.says(3, []string{"hold by fred: not today"}, "execute")
	}},
	{"4 a stop takes effect at once", merged, func(w *site) {
		w.says(0, []string{"recorded; it holds from now on"}, "stop", "--by", "fred", "--reason", "not today")
		w.says(3, []string{"held: plan standard-main-1: stopped by fred: not today"}, "execute")
	}},
	{"4 a lower risk is proposed and merged unapproved", merged, func(w *site) {
		out := w.want(0, "override", "risk", "--value", "low", "--by", "olivia", "--reason", "trust me")
		_, id, _ := strings.Cut(out, "ringmaster/")
		id, _, _ = strings.Cut(id, " ")
		w.want(0, "pr", "approve", id, "--by", "olivia")
		w.says(3, []string{"merging ringmaster/" + id + " is refused: 0 of 1 by one of owners (it changes overrides/2026-03.jsonl)"}, "pr", "merge", id, "--by", "olivia")
		h := w.force(id, "fred").Merge
		w.stops(repo.Hash(h), "overrides/2026-03.jsonl was merged by ringmaster/"+id+` without the approval of an owner (owners) other than its author "olivia"`)
	}},
	{"4 only the author approves", merged, func(w *site) {
		w.propose("looser", "olivia", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		w.want(0, "pr", "approve", "looser", "--by", "olivia")
		w.says(3, []string{"merging ringmaster/looser is refused: 0 of 1 by one of owners (it changes rings/rings.hcl)"}, "pr", "merge", "looser", "--by", "olivia")
		h := w.force("looser").Merge
		w.stops(repo.Hash(h), `rings/rings.hcl was merged by ringmaster/looser without the approval of an owner (owners) other than its author "olivia"`)
	}},
	{"4 nobody of the owners approves", merged, func(w *site) {
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		w.says(0, []string{"approved; still missing: 0 of 1 by one of owners (it changes rings/rings.hcl)"}, "pr", "approve", "looser", "--by", "fred")
		h := w.force("looser").Merge
		w.stops(repo.Hash(h), `rings/rings.hcl was merged by ringmaster/looser without the approval of an owner (owners) other than its author "mallory"`)
	}},
	{"4 a pull request makes its author's friend an owner", merged, func(w *site) {
		w.propose("owners", "mallory", map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `["olivia", "omar"]`, `["olivia", "omar", "eve"]`)})
		w.says(0, []string{"approved; still missing: 0 of 1 by one of owners"}, "pr", "approve", "owners", "--by", "eve")
		h := w.force("owners").Merge
		why := `inventory/estate.hcl was merged by ringmaster/owners without the approval of an owner (owners) other than its author "mallory"`
		w.stops(repo.Hash(h), why)
		// What the new owner approves next is as void as what made her one.
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		next := w.force("looser", "eve").Merge
		w.stops(repo.Hash(next), `rings/rings.hcl was merged by ringmaster/looser without the approval of an owner (owners) other than its author "mallory"`)
	}},
	{"4 an owner approves", merged, func(w *site) {
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		w.want(0, "pr", "approve", "looser", "--by", "olivia")
		w.want(0, "pr", "merge", "looser", "--by", "fred")
		w.says(0, []string{"applied"}, "execute")
	}},
}

// 5. Models learn from what is verified.
var learnAttacks = []attack{
	{"5 what was merged and carried out is learnt from", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.says(0, []string{"nothing to learn from yet: 4 finished changes known, and a model takes 20"}, "learn")
	}},
	{"5 a plan that nobody merged is not learnt from", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.relax()
		w.forget()
		w.says(0, []string{"nothing to learn from yet: 0 finished changes known, and a model takes 20"}, "learn")
	}},
	{"5 a simulation teaches nothing where the clock is the wall's", done, func(w *site) {
		w.at = trustAt.AddDate(0, 1, 0)
		w.reviewed("wall", map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `"given"`, `"wall"`)})
		w.says(0, []string{"nothing to learn from yet: 0 finished changes known, and a model takes 20"}, "learn")
	}},
}

// 6. Time is what it is.
var timeAttacks = []attack{
	{"6 --at is an hour late", merged, func(w *site) {
		w.wall()
		w.at = trustAt.Add(time.Hour)
		w.says(1, []string{"--at 2026-03-02T10:00:00Z is 1h0m0s away from this machine's clock; an estate with clock = \"wall\" executes only at the present time, within 5m0s"}, "execute")
	}},
	{"6 --at is an hour early", merged, func(w *site) {
		w.wall()
		w.at = trustAt.Add(-time.Hour)
		w.says(1, []string{"--at 2026-03-02T08:00:00Z is 1h0m0s away from this machine's clock"}, "execute", "--phase", "intend")
	}},
	{"6 --at is just right", merged, func(w *site) {
		w.wall()
		w.at = trustAt.Add(5 * time.Minute)
		w.says(0, []string{"applied"}, "execute")
	}},
	{"6 --at is before the last outcome", begun, func(w *site) {
		w.at = trustAt.Add(-time.Second)
		w.says(1, []string{"--at 2026-03-02T08:59:59Z is before the last outcome of plan standard-main-1 (2026-03-02T09:00:00Z); time does not run backwards"}, "execute")
	}},
}

// hostile is text from outside that would be more than text to a terminal, to
// Markdown or to a shell.
const hostile = "\\u001b[2J\\u202e@everyone <img src=x onerror=alert(1)> [here](javascript:alert) `$(reboot)` | x\\n# Approved\\n"

// pack is a host's only package.
func pack(kind, name, version string) string {
	return fmt.Sprintf(`"packages":[{"type":"%s","name":"%s","version":"%s"}]`, kind, name, version)
}

// 7. Names stay names.
var nameAttacks = []attack{
	{"7 names that are more than names", settled, func(w *site) {
		const host = `a host's name has labels of up to 63 letters, digits, "-" and "_", joined by "."`
		for name, want := range map[string]string{
			`"host":"web-01; reboot"`:                     `host "web-01; reboot": ` + host,
			`"host":"../../etc/passwd"`:                   `host "../../etc/passwd": ` + host,
			`"host":"-oProxyCommand=reboot"`:              `host "-oProxyCommand=reboot": ` + host,
			`"host":"web\n01"`:                            `host "web\n01": ` + host,
			`"host":"web\u202e01"`:                        `host "web\u202e01": ` + host,
			`"host":"x",` + pack("deb", "$(reboot)", "1"): `host "x": package "$(reboot)" is not the name of a deb package`,
			`"host":"x",` + pack("generic", "../x", "1"):  `host "x": package "../x" is not the name of a generic package`,
			`"host":"x",` + pack("generic", "a b", "1"):   `host "x": package "a b" is not the name of a generic package`,
			`"host":"x",` + pack("generic", "-rf", "1"):   `host "x": package "-rf" is not the name of a generic package`,
			`"host":"x",` + pack("deb", "a", "1|reboot"):  `host "x": package "a": version "1|reboot" is not a dpkg version`,
			`"host":"x",` + pack("generic", "a", `1\n2`):  `host "x": package "a": version "1\n2" is not a generic version`,
		} {
			w.write("inventory/facts/evil.jsonl", "{"+name+"}\n", 0o644)
			w.says(2, []string{"inventory/facts/evil.jsonl:1: " + want}, "validate")
		}
	}},
	{"7 patches that are more than patches", settled, func(w *site) {
		was := string(w.file("inventory/patches/osprey.jsonl"))
		for _, row := range []struct{ old, new, want string }{
			{`"OSP-88"`, `"A\u0007"`, `patch "A\a": "A\a" is not the id of an advisory`},
			{`"OSP-88"`, `"-rf"`, `patch "-rf": "-rf" is not the id of an advisory`},
			{`"OSP-88"`, "\"A @b `x`\"", "patch \"A @b `x`\": \"A @b `x`\" is not the id of an advisory"},
			{`"osprey-agent"`, `"x; reboot"`, `patch "OSP-88": "x; reboot" is not the name of a generic package`},
			{`"2.3.1"`, `"$(reboot)"`, `version "$(reboot)" is not a generic version`},
			{`"2.3.1"`, `"../../x"`, `version "../../x" is not a generic version`},
			{`"2.3.1"`, `"2\u202e1"`, `version "2\u202e1" is not a generic version`},
		} {
			w.write("inventory/patches/osprey.jsonl", strings.Replace(was, row.old, row.new, 1), 0o644)
			w.says(2, []string{"inventory/patches/osprey.jsonl:1: ", row.want}, "validate")
		}
	}},
	{"7 prose from outside", settled, func(w *site) {
		line := string(w.file("inventory/patches/osprey.jsonl"))
		line = strings.Replace(line, `"vendor":"Osprey"`, `"vendor":"Osprey `+hostile+`"`, 1)
		line = strings.Replace(line, `"known_issues":[]`, `"known_issues":[{"at":"2026-02-20T09:00:00Z","text":"`+hostile+`"}]`, 1)
		line = strings.Replace(line, `"bulletin":"`, `"bulletin":"`+hostile, 1)
		w.push("prose", map[string][]byte{"inventory/patches/osprey.jsonl": []byte(line)})
		w.inert(w.want(0, "plan", "--open"))
		w.inert(w.want(0, "pr", "show", trusted))
		md, err := w.repo.ReadFile(w.branch(), "plans/"+trusted+"/plan.md")
		if err != nil {
			w.t.Fatal(err)
		}
		for name, text := range map[string]string{"plan.md": string(md), "the pull request": w.want(0, "pr", "show", trusted)} {
			w.inert(text)
			for _, live := range []string{"@everyone", "<img", "[here](", "`$(reboot)`", "\n# Approved"} {
				if strings.Contains(text, live) {
					w.t.Errorf("%s holds %q:\n%s", name, live, text)
				}
			}
			if !strings.Contains(text, "known issue") {
				w.t.Errorf("%s does not tell the known issue", name)
			}
		}
	}},
	{"7 what a plugin says", merged, func(w *site) {
		reply := `{"id":%s,"ok":false,"error":{"code":"refused","message":"` + hostile + `"}}`
		w.fleetOf("", "#!/bin/sh\nwhile read -r line; do\n  id=$(printf %s \"$line\" | sed 's/.*\"id\":\\([0-9]*\\).*/\\1/')\n  case $line in\n"+
			`  *'"hello"'*) printf '{"v":1,"id":%s,"ok":true,"plugin":"x","caps":{"ops":["apply","status"],"max_batch":1}}\n' "$id";;`+"\n"+
			"  *) printf '"+strings.ReplaceAll(strings.ReplaceAll(reply, `\`, `\\`), "`$(reboot)`", "`$(reboot)`")+"\\n' \"$id\";;\n  esac\ndone\n")
		out := w.want(3, "execute")
		w.inert(out)
		if strings.Contains(out, "\n#") || !strings.Contains(out, "refused: [2J@everyone") {
			w.t.Errorf("execute says\n%s", out)
		}
	}},
}

// 8. Silence is no consent.
var silenceAttacks = []attack{
	{"8 a policy reads what nobody says", settled, func(w *site) {
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"kernel\"} if input.host.reboot_pending_reason == \"x\"\n")})
		w.says(2, []string{`policies/quiet/quiet.rego:3:36: input.host.reboot_pending_reason: there is no "reboot_pending_reason"; did you mean "reboot_pending"?`}, "plan")
	}},
	{"8 a policy reads an absent fact", settled, func(w *site) {
		facts := strings.ReplaceAll(string(w.file("inventory/facts/hosts.jsonl")), `"drift":false,`, "")
		w.push("facts", map[string][]byte{"inventory/facts/hosts.jsonl": []byte(facts)})
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"it has drifted\"} if input.host.drift\n")})
		w.says(3, []string{"engine.missing", "input.host.drift"}, "plan")
	}},
	{"8 a policy fails", settled, func(w *site) {
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"x\"} if to_number(input.host.id) > 1\n")})
		w.says(3, []string{"engine.error"}, "plan")
	}},
	{"8 a policy contradicts itself", settled, func(w *site) {
		w.reviewed("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\nx := 1\n\nx := 2 if input.host.id\n\ndeny contains {\"msg\": \"x\"} if x > 3\n")})
		w.says(3, []string{"engine.error"}, "plan")
	}},
	{"8 a policy asks the network", settled, func(w *site) {
		w.push("policy", map[string][]byte{"policies/quiet/quiet.rego": []byte("package ringmaster.quiet\n\ndeny contains {\"msg\": \"x\"} if http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"}).status_code == 200\n")})
		w.says(2, []string{"http.send"}, "plan")
	}},
}
