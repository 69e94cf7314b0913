package main

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

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
	{"3 a policy's mode is pushed, and facts after it", merged, func(w *site) {
		const name = "policies/loosening/loosening.rego"
		h, err := w.repo.Advance("refs/heads/main", repo.Next{Base: w.tip(), Changes: map[string][]byte{name: w.file(name)}, Executable: map[string]bool{name: true}, Message: "mode", Author: mallory, At: w.at})
		if err != nil {
			w.t.Fatal(err)
		}
		w.push("facts", map[string][]byte{"inventory/facts/README": []byte("x")})
		w.stops(h, "it changes "+name+", and no merged pull request brought it")
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
		out := w.want(0, "override", "risk", "--value", "low", "--by", "olivia", "--reason", "trust me", "--until", "2026-03-20T00:00:00Z")
		_, id, _ := strings.Cut(out, "ringmaster/")
		id, _, _ = strings.Cut(id, " ")
		w.want(0, "pr", "approve", id, "--by", "olivia")
		w.says(3, []string{"merging ringmaster/" + id + " is refused: 0 of 1 by one of owners (it changes overrides/" + id + ".jsonl)"}, "pr", "merge", id, "--by", "olivia")
		h := w.force(id, "fred").Merge
		w.stops(repo.Hash(h), "overrides/"+id+".jsonl was merged by ringmaster/"+id+` without the approval of an owner (owners) other than its author "olivia"`)
	}},
	{"4 who asked for a lower risk approves what the bot proposes", merged, func(w *site) {
		line := `{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"olivia","kind":"risk","value":"low","loosens":true,"reason":"trust me"}` + "\n"
		w.propose("lower", "bot", map[string][]byte{"overrides/lower.jsonl": []byte(line)})
		w.want(0, "pr", "approve", "lower", "--by", "olivia")
		w.says(3, []string{"merging ringmaster/lower is refused: 0 of 1 by one of owners (it changes overrides/lower.jsonl)"}, "pr", "merge", "lower", "--by", "fred")
		h := w.force("lower", "olivia").Merge
		w.stops(repo.Hash(h), `overrides/lower.jsonl was merged by ringmaster/lower without the approval of an owner (owners) other than its author "bot" and "olivia", who asked for it`)
	}},
	{"4 another owner approves a lower risk", merged, func(w *site) {
		line := `{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"olivia","kind":"risk","value":"low","loosens":true,"reason":"trust me"}` + "\n"
		w.propose("lower", "bot", map[string][]byte{"overrides/lower.jsonl": []byte(line)})
		w.want(0, "pr", "approve", "lower", "--by", "omar")
		w.want(0, "pr", "merge", "lower", "--by", "fred")
		w.says(0, []string{"applied"}, "execute")
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
		w.says(0, []string{"recorded, and does not count: fred is in none of owners; still missing: 0 of 1 by one of owners (it changes rings/rings.hcl)"}, "pr", "approve", "looser", "--by", "fred")
		h := w.force("looser").Merge
		w.stops(repo.Hash(h), `rings/rings.hcl was merged by ringmaster/looser without the approval of an owner (owners) other than its author "mallory"`)
	}},
	{"4 a pull request makes its author's friend an owner", merged, func(w *site) {
		w.propose("owners", "mallory", map[string][]byte{"inventory/estate.hcl": w.replaced("inventory/estate.hcl", `["olivia", "omar"]`, `["olivia", "omar", "eve"]`)})
		w.says(0, []string{"recorded, and does not count: eve is in none of owners; still missing: 0 of 1 by one of owners"}, "pr", "approve", "owners", "--by", "eve")
		h := w.force("owners").Merge
		why := `inventory/estate.hcl was merged by ringmaster/owners without the approval of an owner (owners) other than its author "mallory"`
		w.stops(repo.Hash(h), why)
		// What the new owner approves next is as void as what made her one.
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		next := w.force("looser", "eve").Merge
		w.stops(repo.Hash(next), `rings/rings.hcl was merged by ringmaster/looser without the approval of an owner (owners) other than its author "mallory"`)
	}},
	{"4 a plugin is changed without an owner", merged, func(w *site) {
		w.fleet("")
		for _, name := range []string{"fleet.sh", "lib/helper.py", ".github/workflows/execute.yml", "Makefile"} {
			id := "change-" + strings.Map(func(r rune) rune {
				if r == '/' || r == '.' {
					return '-'
				}
				return r
			}, name)
			w.propose(id, "mallory", map[string][]byte{name: []byte("#!/bin/sh\nreboot\n")})
			w.says(3, []string{"merging ringmaster/" + id + " is refused: 0 of 1 by one of owners (it changes " + name + ")"}, "pr", "merge", id, "--by", "mallory")
		}
		h := w.force("change-fleet-sh", "fred").Merge
		w.stops(repo.Hash(h), `fleet.sh was merged by ringmaster/change-fleet-sh without the approval of an owner (owners) other than its author "mallory"`)
	}},
	{"4 an owner approves", merged, func(w *site) {
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		w.want(0, "pr", "approve", "looser", "--by", "olivia")
		w.want(0, "pr", "merge", "looser", "--by", "fred")
		w.says(0, []string{"applied"}, "execute")
	}},
}
