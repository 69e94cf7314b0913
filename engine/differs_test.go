package engine

import (
	"strings"
	"testing"
)

func TestDiffers(t *testing.T) {
	const p = `{"digest":"x","id":"p","patches":[{"id":"deb:a@1","deadline":"d","decisions":[{"rule":"r","effect":"hold"}]},{"id":"deb:b@1"}],` +
		`"rings":[{"name":"canary","soak":"24h","waves":[{"start":"s","changes":[{"host":"web-1","patch":"deb:a@1","deploy_risk":{"p":0.1}},{"host":"web-2","patch":"deb:a@1","deploy_risk":{"p":0.1}}]}]}],` +
		`"approvals":[{"from":"team","count":2}],"not_planned":[{"patch":"deb:c@1","host":"web-1","why":"w"}],"population":{"declared":2}}`
	for _, tc := range []struct{ name, old, new, want string }{
		{"a number of a change", `"web-2","patch":"deb:a@1","deploy_risk":{"p":0.1}`, `"web-2","patch":"deb:a@1","deploy_risk":{"p":0.01}`,
			`ring "canary", wave 1, patch "deb:a@1" on host "web-2": deploy_risk.p is 0.01, made again it is 0.1`},
		{"a host left out", `,{"host":"web-2","patch":"deb:a@1","deploy_risk":{"p":0.1}}`, ``, `ring "canary", wave 1, patch "deb:a@1" on host "web-2" is left out`},
		{"a host added", `"changes":[`, `"changes":[{"host":"web-3","patch":"deb:a@1"},`, `ring "canary", wave 1, patch "deb:a@1" on host "web-3" is added`},
		{"a patch's deadline", `"deadline":"d"`, `"deadline":"e"`, `patch "deb:a@1": deadline is "e", made again it is "d"`},
		{"a decision", `{"rule":"r","effect":"hold"}`, `{"rule":"r","effect":"warn"}`, `patch "deb:a@1", decision of "r": effect is "warn", made again it is "hold"`},
		{"a decision taken out", `"decisions":[{"rule":"r","effect":"hold"}]`, `"decisions":[]`, `patch "deb:a@1", decision of "r" is left out`},
		{"fewer approvals", `"count":2`, `"count":1`, `approval of "team": count is 1, made again it is 2`},
		{"a ring's soak", `"24h"`, `"1h"`, `ring "canary": soak is "1h", made again it is "24h"`},
		{"a member left out", `"start":"s",`, ``, `ring "canary", wave 1: start is absent, made again it is "s"`},
		{"the plan itself", `"declared":2`, `"declared":3`, `the plan: population.declared is 3, made again it is 2`},
		{"many", `deb:a@1`, `deb:z@1`, `; and `},
		{"the digest alone", `"digest":"x"`, `"digest":"y"`, "its digest"},
	} {
		edited := strings.ReplaceAll(p, tc.old, tc.new)
		if edited == p {
			t.Fatalf("%s: %s is not in the plan", tc.name, tc.old)
		}
		got := differs([]byte(p), []byte(edited))
		if got != tc.want && !(tc.name == "many" && strings.Contains(got, tc.want)) {
			t.Errorf("%s: differs() = %s, want %s", tc.name, got, tc.want)
		}
	}
	if got := differs(nil, []byte(p)); got != "nothing is to be planned there" {
		t.Errorf("differs(nil) = %q", got)
	}
}
