package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// opensite is an estate that requires review, with its plan's pull request open.
func opensite(t *testing.T) *site {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "estate")
	settle(t, dir)
	w := enter(t, dir)
	w.want(0, "plan", "--open")
	return w
}

// broken proposes break-glass for the estate's plan, until a time, and returns the
// pull request's id.
func (w *site) broken(by string, until time.Time) string {
	w.t.Helper()
	out := w.want(0, "override", "break-glass", "--plan", trusted, "--by", by, "--reason", "exploited here", "--until", until.Format(time.RFC3339))
	_, id, _ := strings.Cut(out, "ringmaster/")
	id, _, _ = strings.Cut(id, " ")
	return id
}

const unreviewed = `standard-main-1 began under break-glass, asked for by omar (exploited here), and is not reviewed: it lacks 0 of 1 by "team-office"; they approve its pull request, or revert it`

// Break-glass is a commit of two people that ends by itself, lets one version of
// one plan begin, and is reported wherever people look until who should have
// approved has.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	w := opensite(t)
	w.says(1, []string{"break-glass is about one plan; say which with --plan"}, "override", "break-glass", "--by", "omar", "--reason", "x", "--until", "2026-03-02T10:00:00Z")
	for _, until := range []string{"", "2026-03-05T09:00:01Z"} {
		w.says(1, []string{"break-glass ends within 72 hours; say when with --until"}, "override", "break-glass", "--plan", trusted, "--by", "omar", "--reason", "x", "--until", until)
	}
	id := w.broken("omar", trustAt.Add(3*time.Hour))
	w.says(3, []string{`0 of 1 by "team-office"`}, "pr", "merge", trusted, "--by", "olivia")
	w.want(0, "pr", "approve", id, "--by", "olivia")
	w.want(0, "pr", "merge", id, "--by", "olivia")
	w.want(0, "pr", "merge", trusted, "--by", "olivia")
	w.says(0, []string{"applied", unreviewed}, "execute")
	said, err := w.forge().Said("ringmaster/" + trusted)
	if err != nil || !strings.Contains(said["break-glass"], "    "+unreviewed) {
		t.Errorf("the thread says %q, %v", said["break-glass"], err)
	}

	// It ended, and what it let begin goes on: a host in the middle is judged.
	w.at = trustAt.Add(4 * time.Hour)
	w.says(0, []string{"healthy", unreviewed}, "execute")
	w.says(1, []string{"plans/standard-main-1/plan.json: " + unreviewed}, "audit", "verify")
	w.says(3, []string{"began under break-glass"}, "status")

	// Reviewed afterwards, it is reported no more.
	w.want(0, "pr", "approve", trusted, "--by", "fred")
	if out := w.want(0, "execute"); strings.Contains(out, "break-glass") {
		t.Errorf("reviewed, execute says %q", out)
	}
	w.says(0, []string{"1 plan recomputed"}, "audit", "verify")
	if said, _ = w.forge().Said("ringmaster/" + trusted); !strings.Contains(said["break-glass"], "has approved it since") {
		t.Errorf("reviewed, the thread says %q", said["break-glass"])
	}
}

// Break-glass that is not two people's, is over, or is about another version lets
// nothing begin.
func TestBreakGlassThatIsNone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		try  func(w *site)
	}{
		{"nobody approved it", func(w *site) {
			id := w.broken("omar", trustAt.Add(time.Hour))
			w.says(3, []string{"merging ringmaster/" + id + " is refused"}, "pr", "merge", id, "--by", "omar")
		}},
		{"its author approved it", func(w *site) {
			id := w.broken("omar", trustAt.Add(time.Hour))
			w.want(0, "pr", "approve", id, "--by", "omar")
			w.says(3, []string{"merging ringmaster/" + id + " is refused"}, "pr", "merge", id, "--by", "omar")
		}},
		{"it was pushed", func(w *site) {
			p := string(w.planAt(w.branch()))
			_, digest, _ := strings.Cut(p, `"digest":"`)
			digest, _, _ = strings.Cut(digest, `"`)
			h := w.push("glass", map[string][]byte{"overrides/2026-03.jsonl": []byte(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"mallory","kind":"break-glass","plan":"` + trusted + `","value":"` + digest + `","until":"2026-03-02T12:00:00Z","loosens":true,"reason":"trust me"}` + "\n")})
			w.force(trusted)
			w.stops(h, "overrides/2026-03.jsonl loosens, or was changed other than by adding a line, and no merged pull request brought it")
		}},
		{"it is over", func(w *site) {
			w.force(w.broken("omar", trustAt.Add(time.Hour)), "olivia")
			w.at = trustAt.Add(time.Hour)
			w.force(trusted)
			w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
		}},
		{"the plan was written again", func(w *site) {
			w.force(w.broken("omar", trustAt.Add(time.Hour)), "olivia")
			w.facts("office-05", "2.3.0")
			w.at = trustAt.Add(time.Minute)
			w.want(0, "plan", "--open")
			w.force(trusted)
			w.refuses(`approvals are missing: 0 of 1 by "team-office"`)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.try(opensite(t))
		})
	}
}
