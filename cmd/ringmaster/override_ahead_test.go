package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What somebody recorded whose clock was ahead: what adds caution counts as soon as it
// lies there, and what takes it away from its date on, and no sooner.
func TestOverridesFromAClockAhead(t *testing.T) {
	t.Parallel()
	x := prepared(t)
	for _, tt := range []struct {
		line, says string // as in TestOverridesEnd
		now        bool   // it counts before its date
	}{
		{`"kind":"hold","host":"office-01","loosens":false`, "hold by fred: the words", true},
		{`"kind":"exclude","patch":"generic:osprey-agent@*","loosens":false`, "exclude by fred: the words", true},
		{`"kind":"stop","loosens":false`, "stop by fred: the words", true},
		{`"kind":"risk","value":"high","loosens":false`, "fred says high until 2026-03-12T09:00:00Z: the words", true},
		{`"kind":"risk","value":"low","patch":"generic:osprey-agent@*","loosens":true`, "fred says low until 2026-03-12T09:00:00Z: the words", false},
		{`"kind":"exception","value":"paper.deny","patch":"generic:osprey-agent@*","loosens":true`, "waives paper.deny until 2026-03-12T09:00:00Z: the words", false},
	} {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			w := x.at(t, opened)
			line := fmt.Sprintf(`{"schema":"ringmaster/override/v1","at":"2026-03-02T11:00:00Z","by":"fred",%s,"reason":"the words","reason_type":"capacity","until":"2026-03-12T09:00:00Z"}`+"\n", tt.line)
			w.reviewed("words", map[string][]byte{"overrides/words.jsonl": []byte(line), "policies/paper/paper.rego": []byte(paper)})
			for ahead, counts := range map[time.Duration]bool{time.Second: tt.now, 0: true} {
				w.at = trustAt.Add(2*time.Hour - ahead)
				if strings.Contains(tt.says, "says") {
					os.Remove(filepath.Join(w.dir, ".git/refs/heads/ringmaster", trusted)) // what stands there is left alone where it asks for the same
				}
				_, out, errs := w.run("plan", "--format", "json")
				if got := strings.Contains(out, tt.says); got != counts {
					t.Errorf("%s before its date the plan says %q: %v, want %v\n%s%s", ahead, tt.says, got, counts, out, errs)
				}
				if got := w.noticed(t) != "-"; got != counts {
					t.Errorf("%s before its date status lists it: %v, want %v", ahead, got, counts)
				}
			}
		})
	}
}

// A stop from such a clock stops what has been merged, and whoever is asked can
// release it at once: it lies there already.
func TestStopFromAClockAhead(t *testing.T) {
	t.Parallel()
	w := prepared(t).at(t, merged)
	ahead := trustAt.Add(3 * time.Hour)
	w.at = ahead
	w.want(0, "stop", "--by", "fred", "--reason", "fire")
	w.at = trustAt
	w.says(3, []string{"stopped by fred: fire"}, "execute")
	w.says(0, nil, "override", "release", "--by", "fred", "--reason", "it is out")
}
