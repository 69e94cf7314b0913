package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

func date(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

var tuesdays = ring.Window{Name: "tuesdays", Recur: "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour, Timezone: "UTC"}

// exchange is the worked case: 47 servers of one service, a canary of three.
func exchange(t testing.TB, published string, lanes int) Input {
	start := date(t, published)
	in := Input{
		At:      start,
		Rings:   []ring.Ring{{Name: "canary", After: 24 * time.Hour, Soak: 24 * time.Hour}, {Name: "broad", After: 9 * 24 * time.Hour, Soak: 24 * time.Hour}},
		Windows: []ring.Window{tuesdays},
		Freezes: []ring.Freeze{{Name: "board", From: date(t, "2026-03-05T00:00"), To: date(t, "2026-03-07T00:00"), Reason: "board meeting"}},
		Services: []Service{{
			Name: "mail", Total: 47, MinAvailable: 24,
		}},
		Patches: []Patch{{ID: "windows:KB5001@1", Class: plan.High, Clock: "vendor", Start: start, Deadline: start.Add(72 * time.Hour)}},
	}
	for i := range 47 {
		h := Host{
			ID: inventory.HostID(fmt.Sprintf("ex-%02d", i)), Services: []int{0}, Ring: 1, Windows: []string{"tuesdays"}, Freezes: []int{0},
			Install: 30 * time.Minute, Rollback: 30 * time.Minute, Lanes: lanes, Fleet: "exec",
		}
		if i%16 == 0 {
			h.Ring = 0
		}
		in.Hosts = append(in.Hosts, h)
		in.Changes = append(in.Changes, Change{Host: int32(i)})
	}
	return in
}

// kinds are the kinds of a conflict, and its names.
func kinds(list []plan.Constraint) string {
	var s []string
	for _, c := range list {
		s = append(s, strings.TrimSpace(c.Kind+" "+c.Name))
	}
	return strings.Join(s, "; ")
}

func TestWorkedCase(t *testing.T) {
	for _, tt := range []struct {
		published, first, finish string
		feasible                 bool
		conflict, window, way    string
		noSoak                   bool
	}{
		{"2026-02-28T22:00", "2026-03-03T23:00", "", false, "clock vendor; window tuesdays",
			"next opens Tue 2026-03-03 23:00 UTC and closes Wed 2026-03-04 03:00 UTC: the deadline is missed by 1 h to its start and by 5 h to its end",
			"an extra window of 4 h on Monday 2026-03-02 from 23:00 to 03:00 UTC", true},
		{"2026-03-01T12:00", "2026-03-03T23:00", "2026-03-04T07:30", true, "", "", "", false},
		{"2026-03-02T09:00", "2026-03-03T23:00", "2026-03-04T18:35", true, "", "", "", false},
		{"2026-03-04T10:00", "2026-03-10T23:00", "", false, "clock vendor; window tuesdays",
			"next opens Tue 2026-03-10 23:00 UTC and closes Wed 2026-03-11 03:00 UTC: the deadline is missed by 85 h to its start and by 89 h to its end",
			`an extra window of 4 h on Wednesday 2026-03-04 from 20:00 to 00:00 UTC, before the freeze "board"`, true},
		{"2026-03-06T12:00", "2026-03-10T23:00", "", false, "clock vendor; window tuesdays",
			"next opens Tue 2026-03-10 23:00 UTC and closes Wed 2026-03-11 03:00 UTC: the deadline is missed by 35 h to its start and by 39 h to its end",
			"an extra window of 4 h on Saturday 2026-03-07 from 23:00 to 03:00 UTC, a weekend", true},
	} {
		t.Run(tt.published, func(t *testing.T) {
			in := exchange(t, tt.published, 10)
			got := Waves(in)
			proof := got.Proofs[0]
			if proof.Feasible != tt.feasible || kinds(proof.Conflict) != tt.conflict {
				t.Fatalf("Waves() = feasible %v, conflict %q; want %v, %q", proof.Feasible, kinds(proof.Conflict), tt.feasible, tt.conflict)
			}
			if len(got.Unplaced) > 0 {
				t.Fatalf("Waves() left out %v", got.Unplaced)
			}
			if first := got.Rings[0][0].Start; !first.Equal(date(t, tt.first)) {
				t.Errorf("first wave = %v, want %v", first, tt.first)
			}
			last := got.Rings[1][len(got.Rings[1])-1]
			if last.End.After(got.Rings[0][0].Start.Add(4 * time.Hour)) {
				t.Errorf("last wave ends %v, not in the canary's window", last.End)
			}
			if tt.feasible {
				if !proof.Finish.Equal(date(t, tt.finish)) {
					t.Errorf("finish = %v, want %v", proof.Finish, tt.finish)
				}
				if got.Paces[0].Soaks[0] != 30*time.Minute || !strings.Contains(got.Paces[0].Why, "canary soaks 30 min instead of 24 h") {
					t.Errorf("pace = %+v, want a canary's soak of 30 min, and why", got.Paces[0])
				}
				return
			}
			if text := proof.Conflict[1].Message; text != tt.window {
				t.Errorf("window = %q, want %q", text, tt.window)
			}
			for _, w := range proof.WaysOut {
				t.Logf("%v %s: %s", w.Feasible, w.Kind, w.Message)
			}
			if w := proof.WaysOut[0]; w.Kind != "window" || !w.Feasible || !strings.HasPrefix(w.Message, tt.way) {
				t.Errorf("first way out = %+v, want %q", w, tt.way)
			}
			end := proof.WaysOut[len(proof.WaysOut)-1]
			if end.Kind != "soak" || end.Feasible || end.Message != "a shorter soak does not help: the window opens after the deadline" {
				t.Errorf("last way out = %+v, want that a shorter soak does not help", end)
			}
			if accept := proof.WaysOut[len(proof.WaysOut)-2]; accept.Kind != "accept" || accept.Feasible {
				t.Errorf("way out before the last = %+v, want accept", accept)
			}
		})
	}
}

// With eight lanes the canary's hosts leave six starts of eight for 44 hosts
// only if it does not soak at all.
func TestWorkedCaseTooFewLanes(t *testing.T) {
	got := Waves(exchange(t, "2026-03-01T12:00", 8)).Proofs[0]
	if want := "clock vendor; window tuesdays; soak canary, broad; order canary, broad; capacity exec"; got.Feasible || kinds(got.Conflict) != want {
		t.Fatalf("feasible = %v, conflict = %q; want false, %q", got.Feasible, kinds(got.Conflict), want)
	}
	for _, c := range got.Conflict {
		t.Log(c)
	}
	for _, c := range got.WaysOut {
		t.Log(c)
	}
	if m := got.Conflict[4].Message; m != "9 lanes are needed, 8 are there" {
		t.Errorf("capacity = %q", m)
	}
	if w := got.WaysOut[0]; w.Kind != "capacity" || !w.Feasible || w.Message != "more lanes: 9 lanes are needed, 8 are there" {
		t.Errorf("first way out = %v", w)
	}
}

// 47 servers at 30 min in a window of 4 h need 7 lanes with the cutoff of 1 h.
func TestLanesOfAWindow(t *testing.T) {
	for lanes, weeks := range map[int]int{6: 2, 7: 1, 8: 1} {
		in := exchange(t, "2026-03-01T12:00", lanes)
		in.Rings = []ring.Ring{{Name: "all"}}
		for i := range in.Hosts {
			in.Hosts[i].Ring = 0
		}
		got := Waves(in)
		first, last := got.Rings[0][0], got.Rings[0][len(got.Rings[0])-1]
		if n := 1 + int(last.Start.Sub(first.Start)/(7*24*time.Hour)); n != weeks {
			t.Errorf("%d lanes: %d windows, want %d", lanes, n, weeks)
		}
	}
}
