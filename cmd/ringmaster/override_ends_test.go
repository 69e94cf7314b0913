package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each kind of override counts to the second before its end and no longer, with nobody
// doing anything; status points at it for a week before, and for one after.
func TestOverridesEnd(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	until := trustAt.AddDate(0, 0, 10)
	for _, tt := range []struct {
		line string // without what all have
		says string // by a plan
	}{
		{`"kind":"hold","host":"office-01","loosens":false`, "hold by fred: the words"},
		{`"kind":"exclude","patch":"generic:osprey-agent@*","loosens":false`, "exclude by fred: the words"},
		{`"kind":"stop","loosens":false`, "stop by fred: the words"},
		{`"kind":"risk","value":"high","loosens":false`, "fred says high until 2026-03-12T09:00:00Z: the words"},
		{`"kind":"risk","value":"low","patch":"generic:osprey-agent@*","loosens":true`, "fred says low until 2026-03-12T09:00:00Z: the words"},
		{`"kind":"exception","value":"paper.deny","patch":"generic:osprey-agent@*","loosens":true`, "waives paper.deny until 2026-03-12T09:00:00Z: the words"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			w := prepared(t).at(t, opened)
			line := fmt.Sprintf(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"fred",%s,"reason":"the words","reason_type":"capacity","until":"2026-03-12T09:00:00Z"}`+"\n", tt.line)
			w.reviewed("words", map[string][]byte{"overrides/words.jsonl": []byte(line), "policies/paper/paper.rego": []byte(paper)})
			for _, at := range []struct {
				when   time.Time
				counts bool
				notice string // by status; "-": it is not listed
			}{
				{until.Add(-week - time.Second), true, ""},
				{until.Add(-week), true, "ends soon"},
				{until.Add(-time.Second), true, "ends soon"},
				{until, false, "ended"},
				{until.Add(week - time.Second), false, "ended"},
				{until.Add(week), false, "-"},
			} {
				w.at = at.when
				if strings.Contains(tt.says, "says") {
					os.Remove(filepath.Join(w.dir, ".git/refs/heads/ringmaster", trusted)) // what stands there is left alone where it asks for the same
				}
				_, out, errs := w.run("plan", "--format", "json")
				if got := strings.Contains(out, tt.says); got != at.counts {
					t.Errorf("at %s the plan says %q: %v, want %v\n%s%s", at.when, tt.says, got, at.counts, out, errs)
				}
				if got := w.noticed(t); got != at.notice {
					t.Errorf("at %s status says %q of it, want %q", at.when, got, at.notice)
				}
			}
		})
	}
}

// noticed is what status says of the end of what has the words for its reason, "-"
// where it says nothing of that.
func (w *site) noticed(t *testing.T) string {
	t.Helper()
	var board struct {
		Holds []struct{ Why, Notice string }
	}
	_, out, errs := w.run("status", "--format", "json") // ends with 3 where something is late
	if err := json.Unmarshal([]byte(out), &board); err != nil {
		t.Fatal(err, errs)
	}
	notice := "-"
	for _, h := range board.Holds {
		if h.Why == "the words" {
			notice = h.Notice
		}
	}
	return notice
}

// A plan that counts on an exception holds as long as that does.
func TestCheckAfterAnException(t *testing.T) {
	t.Parallel()
	w := prepared(t).at(t, opened)
	const line = `{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"fred","kind":"exception","value":"paper.deny","patch":"generic:osprey-agent@*","loosens":true,"reason":"x","until":"2026-03-02T12:00:00Z"}` + "\n"
	w.reviewed("words", map[string][]byte{"overrides/words.jsonl": []byte(line), "policies/paper/paper.rego": []byte(paper)})
	w.says(0, []string{"on 4 hosts"}, "plan", "--open")
	w.at = time.Date(2026, 3, 2, 11, 59, 59, 0, time.UTC)
	w.want(0, "check", trusted)
	w.at = w.at.Add(time.Second)
	w.says(1, []string{"what is known on the protected branch now alters the plan"}, "check", trusted)
}

// paper is a rule that yields to an exception.
const paper = `# METADATA
# title: Somebody signs
package ringmaster.paper

# METADATA
# title: Nobody signed
# scope: rule
# custom:
#   exceptable: true
deny contains {"msg": "nobody signed", "facts": {}, "remedy": "have it signed"} if input.host.id == "office-03"
`
