package engine

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// TestFreezesThatComeAgain: no wave touches any time of a freeze that comes every
// night, and policies are told of those that one would.
func TestFreezesThatComeAgain(t *testing.T) {
	e := demoEnv(t)
	base, err := e.head()
	if err != nil {
		t.Fatal(err)
	}
	waves := func(commit repo.Hash) (list []plan.Wave) {
		t.Helper()
		est, err := e.read(commit)
		if err != nil {
			t.Fatal(err)
		}
		plans, err := e.decide(est, commit, e.At, e.Version)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range plans {
			for _, r := range p.Rings {
				list = append(list, r.Waves...)
			}
		}
		return list
	}
	in := func(list []plan.Wave) (n int) {
		for _, w := range list {
			for at := w.Start; at.Before(w.End); at = at.Add(time.Minute) {
				if h := at.In(time.FixedZone("Berlin in winter", 3600)).Hour(); h >= 2 && h < 4 {
					n++
					break
				}
			}
		}
		return n
	}
	if n := in(waves(base)); n == 0 {
		t.Fatal("without a freeze no wave runs between two and four at night")
	}
	text := "freeze \"backups\" {\n  recur    = \"FREQ=DAILY;BYHOUR=2;BYMINUTE=0\"\n  duration = \"2h\"\n  reason   = \"backups run\"\n}\n"
	frozen, err := e.Repo.Write(repo.Next{Base: base, Changes: map[string][]byte{"inventory/backups.hcl": []byte(text)}, Message: "a freeze", Author: bot, At: e.At})
	if err != nil {
		t.Fatal(err)
	}
	list := waves(frozen)
	if n := in(list); n > 0 || len(list) == 0 {
		t.Errorf("%d of %d waves touch the freeze", n, len(list))
	}
}
