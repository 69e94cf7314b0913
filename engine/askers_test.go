package engine

import (
	"fmt"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Who asked for what loosens does not approve it, by whatever name their account goes by
// now.
func TestAskersUnderAnotherName(t *testing.T) {
	e := demoEnv(t)
	base, _, err := e.judge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	line := func(account string) string {
		return fmt.Sprintf(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"fred","kind":"risk","value":"low","loosens":true,"reason":"r"%s}`+"\n", account)
	}
	for _, tt := range []struct {
		name, text string
		approval   forge.Review
		counts     bool
	}{
		{"the same name", line(""), forge.Review{By: "fred"}, false},
		{"the same name in other letters", line(""), forge.Review{By: "Fred", Account: "7"}, false},
		{"the same account under another name", line(`,"account":"7"`), forge.Review{By: "frederic", Account: "7"}, false},
		{"another account", line(`,"account":"7"`), forge.Review{By: "olivia", Account: "8"}, true},
		{"a forge that names no accounts", line(""), forge.Review{By: "olivia"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const file = "overrides/x.jsonl"
			commit, err := e.Repo.Write(repo.Next{Base: base, Changes: map[string][]byte{file: []byte(tt.text)}, Message: "m", Author: bot, At: e.At})
			if err != nil {
				t.Fatal(err)
			}
			changes, err := e.Repo.Diff(base, commit)
			if err != nil {
				t.Fatal(err)
			}
			d, _, err := e.disinterested(edited(base, commit, e.At, forge.PullRequest{Approvals: []forge.Review{tt.approval}}, changes))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(d.pull.Approvals) == 1; got != tt.counts {
				t.Errorf("the approval counts: %v, want %v", got, tt.counts)
			}
		})
	}
}
