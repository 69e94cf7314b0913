package main

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// 4. Who may loosen what is policy: the base branch's, and only beyond the floor.
var editAttacks = []attack{
	{"4 one owner approves where policy takes two", merged, func(w *site) {
		w.reviewed("stricter", map[string][]byte{loosening: w.replaced(loosening, `"ring": 1`, `"ring": 2`)})
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		why := `1 of 2 by "owners": it changes what is of kind "ring", which takes 2 people`
		w.says(0, []string{"approved; still missing: " + why}, "pr", "approve", "looser", "--by", "olivia")
		w.says(3, []string{"merging ringmaster/looser is refused: " + why}, "pr", "merge", "looser", "--by", "olivia")
		h := w.force("looser", "olivia").Merge
		w.stops(repo.Hash(h), "rings/rings.hcl was merged by ringmaster/looser, and the policies before it say otherwise: "+why)
	}},
	{"4 two owners approve where policy takes two", merged, func(w *site) {
		w.reviewed("stricter", map[string][]byte{loosening: w.replaced(loosening, `"ring": 1`, `"ring": 2`)})
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		w.want(0, "pr", "approve", "looser", "--by", "olivia")
		w.want(0, "pr", "approve", "looser", "--by", "omar")
		w.want(0, "pr", "merge", "looser", "--by", "fred")
		w.says(0, []string{"applied"}, "execute")
	}},
	{"4 a pull request brings the policy that lets it pass", merged, func(w *site) {
		w.reviewed("stricter", map[string][]byte{loosening: w.replaced(loosening, `"policy": 1`, `"policy": 2`)})
		w.propose("looser", "mallory", map[string][]byte{loosening: w.replaced(loosening, `"policy": 2`, `"policy": 1`)})
		w.says(0, []string{`approved; still missing: 1 of 2 by "owners"`}, "pr", "approve", "looser", "--by", "olivia")
		why := `, and the policies before it say otherwise: 1 of 2 by "owners": it changes what is of kind "policy", which takes 2 people`
		h := w.force("looser", "olivia").Merge
		w.stops(repo.Hash(h), loosening+" was merged by ringmaster/looser"+why)
		// It judges nobody: what it would let pass is as void as it is.
		w.propose("again", "mallory", map[string][]byte{"policies/people/data.json": []byte("{}\n")})
		next := w.force("again", "olivia").Merge
		w.stops(repo.Hash(next), "policies/people/data.json was merged by ringmaster/again"+why)
	}},
	{"4 a policy takes away the floor", merged, func(w *site) {
		w.reviewed("none", map[string][]byte{"policies/loosening/loosening.rego": []byte("package ringmaster.loosening\n"), "policies/loosening/loosening_test.rego": nil, loosening: nil})
		w.propose("looser", "mallory", map[string][]byte{"rings/rings.hcl": w.replaced("rings/rings.hcl", "1h", "1m")})
		w.says(3, []string{"merging ringmaster/looser is refused: 0 of 1 by one of owners (it changes rings/rings.hcl)"}, "pr", "merge", "looser", "--by", "mallory")
	}},
	{"4 a policy denies a workflow, whoever approves", merged, func(w *site) {
		w.reviewed("no-workflows", map[string][]byte{"policies/ci/ci.rego": []byte("package ringmaster.ci\n\ndeny contains {\"msg\": \"workflows are changed elsewhere\", \"remedy\": \"ask them\"} if \"workflow\" in input.edit.kinds\n")})
		w.propose("ci", "mallory", map[string][]byte{".github/workflows/x.yml": []byte("x\n")})
		w.want(0, "pr", "approve", "ci", "--by", "olivia")
		why := "ci.deny: workflows are changed elsewhere (ask them)"
		w.says(3, []string{"merging ringmaster/ci is refused: " + why}, "pr", "merge", "ci", "--by", "olivia")
		w.stops(repo.Hash(w.force("ci", "olivia").Merge), ".github/workflows/x.yml was merged by ringmaster/ci, and the policies before it say otherwise: "+why)
	}},
	{"4 a rule that trips over an edit holds it", merged, func(w *site) {
		w.reviewed("broken", map[string][]byte{"policies/ci/ci.rego": []byte("package ringmaster.ci\n\ndeny contains {\"msg\": \"far\"} if {\n\tsome o in input.edit.overrides\n\to.until > \"2027\"\n}\n")})
		w.propose("low", "mallory", map[string][]byte{"overrides/2026-03.jsonl": []byte(lowered("fred"))})
		w.says(0, []string{"approved; still missing: engine.missing: ci.deny reads input.edit.overrides[].until, which is absent"}, "pr", "approve", "low", "--by", "olivia")
	}},
	{"4 whoever asks for an override through a bot approves it", merged, func(w *site) {
		w.propose("low", "bot", map[string][]byte{"overrides/2026-03.jsonl": []byte(lowered("olivia"))})
		w.says(0, []string{"approved; still missing: 0 of 1 by one of owners (it changes overrides/2026-03.jsonl)"}, "pr", "approve", "low", "--by", "olivia")
		h := w.force("low", "olivia").Merge
		w.stops(repo.Hash(h), `overrides/2026-03.jsonl was merged by ringmaster/low without the approval of an owner (owners) other than its author "bot" and "olivia", who asked for it`)
	}},
	{"4 an exception in the name of a team that does not know", merged, func(w *site) {
		text := "exception \"x\" {\n  patch    = \"generic:osprey-agent@*\"\n  services = [\"intranet\"]\n  owner    = \"team-office\"\n  reason   = \"r\"\n  until    = \"2026-04-01T00:00:00Z\"\n}\n"
		w.propose("exception", "mallory", map[string][]byte{"inventory/exceptions.hcl": []byte(text)})
		why := `0 of 1 by "team-office": team-office answers for exception "x"`
		w.says(0, []string{"approved; still missing: " + why}, "pr", "approve", "exception", "--by", "olivia")
		w.want(0, "pr", "approve", "exception", "--by", "fred")
		w.want(0, "pr", "merge", "exception", "--by", "olivia")
		w.says(0, []string{"applied"}, "execute")
	}},
	{"4 policies that do not compile leave the judging to those before", merged, func(w *site) {
		was := w.file(loosening)
		w.reviewed("stricter", map[string][]byte{loosening: w.replaced(loosening, `"policy": 1`, `"policy": 2`)}) // from now on two
		w.propose("broken", "mallory", map[string][]byte{"policies/loosening/loosening.rego": []byte("package ringmaster.loosening\n\ndeny contains {\"msg\": \"x\"} if input.edit.knids\n")})
		w.want(0, "pr", "approve", "broken", "--by", "olivia")
		w.want(0, "pr", "approve", "broken", "--by", "omar")
		w.force("broken")
		w.propose("mended", "mallory", map[string][]byte{"policies/loosening/loosening.rego": nil, "policies/loosening/loosening_test.rego": nil, loosening: was})
		w.says(0, []string{`approved; still missing: 1 of 2 by "owners"`}, "pr", "approve", "mended", "--by", "olivia")
	}},
}

const loosening = "policies/loosening/data.json"

// lowered is a line that lowers a score in somebody's name.
func lowered(by string) string {
	return strings.Replace(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"BY","kind":"risk","value":"low","patch":"generic:osprey-agent@*","loosens":true,"reason":"trust me"}`, "BY", by, 1) + "\n"
}
