package engine

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// files reads folders of this repository as a file system, each at its own name.
func files(t *testing.T, dirs map[string]string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	for at, dir := range dirs {
		src := os.DirFS(dir)
		err := fs.WalkDir(src, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := fs.ReadFile(src, name)
			out[path.Join(at, name)] = &fstest.MapFile{Data: data, Mode: 0o644}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// exchange decides the worked case: 47 Exchange servers, published at a time.
func exchange(t *testing.T, published time.Time) *plan.Plan {
	t.Helper()
	fsys := files(t, map[string]string{".": "../testdata/estates/exchange", "policies": "../policies"})
	fsys["inventory/patches/exchange.jsonl"] = &fstest.MapFile{Data: fmt.Appendf(nil,
		`{"schema":"ringmaster/patch/v1","id":"EX-2026-03","vendor":"Microsoft","type":"generic","package":"exchange-server","from":"15.2.1544","to":"15.2.1545","kind":"security","published":%q,"deadline":%q,"size_bytes":180000000,"reboot":true,"components":["transport"],"cves":[{"id":"CVE-2026-21410","cvss":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","exploitation":"public poc","automatable":"no","technical_impact":"total"}]}`+"\n",
		published.Format(time.RFC3339), published.Add(72*time.Hour).Format(time.RFC3339)), Mode: 0o644}
	est, faults := estate.Read(fsys)
	for _, f := range faults {
		t.Error(f)
	}
	if t.Failed() {
		t.FailNow()
	}
	plans, err := decide(est, basis{commit: "0123456789012345678901234567890123456789", at: published, version: Version})
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) != 1 {
		t.Fatalf("decide() = %d plans, want 1", len(plans))
	}
	return plans[0]
}

func TestExchange(t *testing.T) {
	tests := []struct {
		published string
		deadline  string
		feasible  bool
		conflict  []string // kinds, "clock" first
		ways      []string // words that the ways out must have, in this order
		never     []string // words that no constraint may have
	}{
		{"2026-02-28T22:00:00Z", "2026-03-03T22:00:00Z", false, []string{"clock", "window"}, []string{"window", "accept", "soak does not help"}, []string{"board"}},
		{"2026-03-01T12:00:00Z", "2026-03-04T12:00:00Z", true, nil, nil, nil},
		{"2026-03-02T09:00:00Z", "2026-03-05T09:00:00Z", true, nil, nil, nil},
		{"2026-03-04T10:00:00Z", "2026-03-07T10:00:00Z", false, []string{"clock", "window"}, []string{"Wed", "accept"}, []string{"board"}},
		{"2026-03-06T12:00:00Z", "2026-03-09T12:00:00Z", false, []string{"clock", "window"}, []string{"weekend", "accept"}, []string{"board"}},
	}
	for _, test := range tests {
		t.Run(test.published, func(t *testing.T) {
			at, _ := time.Parse(time.RFC3339, test.published)
			p := exchange(t, at)
			x := p.Patches[0]
			if x.Class != plan.High || x.Clock != "vendor" || x.Deadline.Format(time.RFC3339) != test.deadline {
				t.Errorf("class %s, clock %s, deadline %s; want high, vendor, %s", x.Class, x.Clock, x.Deadline.Format(time.RFC3339), test.deadline)
			}
			if x.Feasible != test.feasible {
				t.Fatalf("feasible is %v, want %v: %+v", x.Feasible, test.feasible, x.Conflict)
			}
			var kinds []string
			for _, c := range x.Conflict {
				kinds = append(kinds, c.Kind)
				for _, w := range test.never {
					if strings.Contains(c.Name+c.Message, w) {
						t.Errorf("the conflict names %q: %+v", w, c)
					}
				}
			}
			slices.Sort(kinds)
			if !slices.Equal(kinds, test.conflict) {
				t.Errorf("conflict is %v, want %v: %+v", kinds, test.conflict, x.Conflict)
			}
			wayWords(t, x.WaysOut, test.ways)
			if test.feasible {
				tuesday(t, p)
			}
		})
	}
}

// wayWords checks that the ways out have the words, in order of rank.
func wayWords(t *testing.T, ways []plan.WayOut, words []string) {
	t.Helper()
	at := 0
	for _, w := range words {
		i := slices.IndexFunc(ways[at:], func(x plan.WayOut) bool { return strings.Contains(x.Kind+" "+x.Message, w) })
		if i < 0 {
			t.Errorf("no way out says %q after the ones before: %+v", w, ways)
			return
		}
		at += i
	}
}

// tuesday checks that everything is in the one Tuesday window, canary first,
// and everybody is in it.
func tuesday(t *testing.T, p *plan.Plan) {
	t.Helper()
	from, to := time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC), time.Date(2026, 3, 4, 3, 0, 0, 0, time.UTC)
	hosts := 0
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			hosts += len(w.Changes)
			if w.Start.Before(from) || w.End.After(to) || w.NotAfter.After(to.Add(-time.Hour)) {
				t.Errorf("ring %s has a wave %s to %s, not after %s: outside the window or its cutoff", r.Name, w.Start, w.End, w.NotAfter)
			}
			if n := len(w.Changes); n > 47*3/10 {
				t.Errorf("a wave of %d hosts leaves less than 70 %% of 47", n)
			}
		}
	}
	if hosts != 47 || p.Rings[0].Name != "canary" {
		t.Errorf("%d hosts planned, first ring %q; want 47, canary: not planned %+v", hosts, p.Rings[0].Name, p.NotPlanned)
	}
}
